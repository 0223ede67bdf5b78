"""The evaluator is asked by pod and address: both families, ports by name, and the world outside."""

from __future__ import annotations

from typing import Any

from tests.e2e.sets.verdicts import Attempt, verdicts


def a_pod(name: str, four: str, six: str) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"app": name}},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {"phase": "Running", "podIP": four, "podIPs": [{"ip": four}, {"ip": six}]},
    }


def test_what_is_allowed_is_told_attempt_by_attempt() -> None:
    policy = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"port": "http"}]},
                {"to": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.20/32"]}}]},
            ],
        },
    }
    pods = [a_pod("web", "10.244.1.5", "fd00::5"), a_pod("api", "10.244.1.6", "fd00::6")]
    expected = {
        Attempt("shop/web", "10.244.1.6", 8080, "TCP"): True,
        Attempt("shop/web", "fd00::6", 8080, "TCP"): True,
        Attempt("shop/web", "fd00::6", 8080, "UDP"): False,
        Attempt("shop/web", "fd00::6", 9090, "TCP"): False,
        Attempt("shop/api", "fd00::5", 9090, "TCP"): True,
        Attempt("shop/web", "203.0.113.10", 443, "TCP"): True,
        Attempt("shop/web", "203.0.113.20", 443, "TCP"): False,
        Attempt("shop/web", "2001:db8::10", 443, "TCP"): False,
        Attempt("shop/api", "2001:db8::10", 443, "TCP"): True,
    }
    assert verdicts([*pods, policy], expected) == expected
