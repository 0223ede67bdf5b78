"""Backends that nobody can name for certain are listed, each once and in one order."""

from __future__ import annotations

from kubectl_netpolgen.analysis.doubts import ambiguous_backend, backend_unseen
from tests.factories import a_service, an_endpoint

API = a_service("api", "10.96.0.10")


def test_candidates_are_listed_once_each_with_the_reason() -> None:
    servers = [
        "shop/Deployment/green 8080/TCP",
        "shop/Deployment/blue 8080/TCP",
        "shop/Deployment/green 8080/TCP",
    ]
    said = ambiguous_backend(API, an_endpoint("web"), servers, "none of them was captured")
    assert (said.code, said.subject) == ("ambiguous-backend", "Service shop/api")
    assert said.message.endswith(
        "none of them was captured, so no rule was written for: shop/Deployment/blue 8080/TCP, "
        "shop/Deployment/green 8080/TCP"
    )


def test_backend_that_was_never_reached_is_named_with_its_port() -> None:
    said = backend_unseen(API, an_endpoint("web"), "shop/Deployment/blue 8080/TCP")
    assert (said.code, said.subject) == ("service-backend-unseen", "Service shop/api")
    assert "shop/Deployment/web reached another backend" in said.message
    assert "never sent to shop/Deployment/blue 8080/TCP:" in said.message
