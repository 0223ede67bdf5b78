"""Admission is asked by dry-run, rung by rung, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kubectl_netpolgen.cluster.admission import admitted_rung
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.model.bundle import Rung
from tests.cluster.fake_api import FakeApi, open_api, refusal

PATCH = "/api/v1/namespaces/shop/pods/web-1/ephemeralcontainers"


def baseline(pod: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    added = container["securityContext"]["capabilities"].get("add", [])
    return 'violates PodSecurity "baseline:latest": must not include "NET_RAW"' if added else ""


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.store.put("Pod", "web-1", namespace="shop", spec={"containers": [{"name": "web"}]})
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def test_the_first_rung_is_enough_where_it_is_admitted(api: Api) -> None:
    admission = admitted_rung(api, "shop", "web-1")
    assert admission is not None
    assert (admission.rung, admission.refusals) == (Rung.STRICT, ())


def test_a_baseline_namespace_admits_the_second_rung(server: FakeApi, api: Api) -> None:
    server.admission = baseline
    admission = admitted_rung(api, "shop", "web-1")
    assert admission is not None
    assert admission.rung is Rung.BASELINE
    assert "violates PodSecurity" in admission.refusals[0]


def test_a_restricted_namespace_admits_none(server: FakeApi, api: Api) -> None:
    server.admission = lambda pod, container: 'violates PodSecurity "restricted:latest": runAsUser=0'
    admission = admitted_rung(api, "shop", "web-1")
    assert admission is not None
    assert (admission.rung, len(admission.refusals)) == (None, 2)


def test_nothing_is_changed(server: FakeApi, api: Api) -> None:
    admitted_rung(api, "shop", "web-1")
    assert {tuple(request.query["dryRun"]) for request in server.received} == {("All",)}
    assert "ephemeralContainers" not in api.get("/api/v1/namespaces/shop/pods/web-1")["spec"]


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "Forbidden", 'User "tester" cannot patch resource "pods/ephemeralcontainers"'),
        refusal(404, "NotFound", 'pods "web-1" not found', name="web-1"),
        refusal(400, "BadRequest", "admission webhook does not support dry run"),
    ],
)
def test_what_cannot_be_told_is_not_told(server: FakeApi, api: Api, answer: Any) -> None:
    server.plan("PATCH", PATCH, answer)
    assert admitted_rung(api, "shop", "web-1") is None
