"""What the API server refuses is refused by field, and what it takes is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from kubectl_netpolgen.semantics.policies import policy_document
from kubectl_netpolgen.semantics.validation import doubts_of, faults_of, is_label_key, is_label_value
from tests.semantics.factories import policies


def a_policy_document(**spec: Any) -> dict[str, Any]:
    return {"kind": "NetworkPolicy", "metadata": {"name": "api"}, "spec": {"podSelector": {}, **spec}}


def a_pod_document(*ports: Any, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "web", **metadata},
        "spec": {"containers": [{"name": "main", "ports": list(ports)}]},
    }


def a_deployment(*ports: Any, labels: Any = None, name: str = "web") -> dict[str, Any]:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"ports": list(ports)}]}}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": template}}


def expression(**parts: Any) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"], **parts}]}


@pytest.mark.parametrize(
    "document",
    [
        a_policy_document(),
        {"kind": "NetworkPolicy", "metadata": {"name": "x"}},
        a_policy_document(policyTypes=["Ingress", "Egress"], ingress=None, egress=[{}]),
        a_policy_document(ingress=[{"from": [{"podSelector": {}}], "ports": [{"port": "http-2"}]}]),
        a_policy_document(egress=[{"ports": [{"protocol": "SCTP"}, {"port": 1, "endPort": 2}]}]),
        a_policy_document(podSelector=expression(operator="Exists", values=[])),
        a_policy_document(podSelector={"matchLabels": {"example.com/app": "", "a_B.c": "x" * 63}}),
        a_pod_document({"containerPort": 80, "name": "http"}, {"containerPort": 443}),
        a_pod_document({"name": "http"}, labels={"app": "web"}),
        a_deployment({"containerPort": 1}, labels={"app": "web"}),
        {"kind": "Service", "metadata": {"name": "web", "namespace": "shop-2"}},
    ],
)
def test_what_the_api_server_takes_has_no_fault(document: dict[str, Any]) -> None:
    assert list(faults_of(document)) == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"kind": "Pod"}, "metadata.name: missing, or no text"),
        ({"kind": "Pod", "metadata": {"name": 7}}, "metadata.name: missing, or no text"),
        (
            {"kind": "Service", "metadata": {"name": "x", "namespace": "Shop"}},
            "metadata.namespace: 'Shop' is no",
        ),
        (a_pod_document(labels={"app": True}), "metadata.labels.app: True is no text; quote it"),
        (a_pod_document(labels={1: "x"}), "metadata.labels: 1 is no label's key"),
        (a_pod_document(labels={"a b": "x"}), "metadata.labels: 'a b' is no label's key"),
        (a_pod_document(labels={"app": "-x"}), "metadata.labels.app: '-x' is no label's value"),
        (a_pod_document(labels="app"), "metadata.labels: no object"),
        (a_pod_document({"containerPort": 0}), "spec.containers[0].ports[0].containerPort: 0 is not between"),
        (a_pod_document({"containerPort": "80"}), "spec.containers[0].ports[0].containerPort: '80' is not"),
        (a_pod_document({"containerPort": True}), "spec.containers[0].ports[0].containerPort: True is not"),
        (a_pod_document(7), "spec.containers[0].ports[0]: no object"),
        (
            a_pod_document({"containerPort": 80, "name": "Http"}),
            "spec.containers[0].ports[0].name: 'Http' is no",
        ),
        (a_pod_document({"containerPort": 80, "name": "80"}), "spec.containers[0].ports[0].name: '80' is no"),
        (
            a_pod_document({"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}),
            "spec.containers[0].ports[1].name: 'a' is there twice",
        ),
        (a_deployment(labels={"app": 1}), "spec.template.metadata.labels.app: 1 is no text; quote it"),
        (
            a_deployment({"containerPort": 70000}),
            "spec.template.spec.containers[0].ports[0].containerPort: 70000 is not",
        ),
        (
            {
                "kind": "CronJob",
                "metadata": {"name": "x"},
                "spec": {"jobTemplate": {"spec": a_deployment(labels={"app": 1})["spec"]}},
            },
            "spec.jobTemplate.spec.template.metadata.labels.app: 1 is no text",
        ),
        ({"kind": "NetworkPolicy", "metadata": {"name": "x"}, "spec": []}, "spec: no object"),
        (a_policy_document(podSelector=[]), "spec.podSelector: no object"),
        (
            a_policy_document(podSelector={"matchLabels": {"app": 1}}),
            "spec.podSelector.matchLabels.app: 1 is",
        ),
        (
            a_policy_document(podSelector={"matchExpressions": [7]}),
            "spec.podSelector.matchExpressions[0]: no",
        ),
        (
            a_policy_document(podSelector=expression(key="/x")),
            "spec.podSelector.matchExpressions[0].key: '/x' is",
        ),
        (
            a_policy_document(podSelector=expression(operator="in")),
            "spec.podSelector.matchExpressions[0].operator: 'in' is none of In, NotIn",
        ),
        (
            a_policy_document(podSelector=expression(values=[])),
            "spec.podSelector.matchExpressions[0].values: In needs some",
        ),
        (
            a_policy_document(podSelector=expression(operator="Exists")),
            "spec.podSelector.matchExpressions[0].values: Exists takes none",
        ),
        (
            a_policy_document(podSelector=expression(values=["a b"])),
            "spec.podSelector.matchExpressions[0].values: 'a b' is no label's value",
        ),
        (a_policy_document(policyTypes=["ingress"]), "spec.policyTypes[0]: 'ingress' is neither"),
        (a_policy_document(policyTypes=["Ingress"] * 3), "spec.policyTypes: more than two"),
        (a_policy_document(ingress={}), "spec.ingress: no list"),
        (a_policy_document(egress=[None]), "spec.egress[0]: no object"),
        (a_policy_document(ingress=[{"from": ["x"]}]), "spec.ingress[0].from[0]: no object"),
        (
            a_policy_document(egress=[{}, {"to": [{"namespaceSelector": {"matchLabels": []}}]}]),
            "spec.egress[1].to[0].namespaceSelector.matchLabels: no object",
        ),
        (a_policy_document(ingress=[{"ports": [80]}]), "spec.ingress[0].ports[0]: no object"),
        (
            a_policy_document(ingress=[{"ports": [{"protocol": "tcp"}]}]),
            "spec.ingress[0].ports[0].protocol: 'tcp' is none of TCP, UDP and SCTP",
        ),
        (
            a_policy_document(ingress=[{"ports": [{"port": "a--b"}]}]),
            "spec.ingress[0].ports[0].port: 'a--b' is no port's name (RFC 6335)",
        ),
        (
            a_policy_document(ingress=[{"ports": [{"endPort": 80}]}]),
            "spec.ingress[0].ports[0].endPort: needs a port",
        ),
    ],
)
def test_what_it_refuses_is_named_by_field(document: dict[str, Any], reason: str) -> None:
    found = list(faults_of(document))
    assert len(found) == 1
    assert found[0].startswith(reason)


def test_all_that_is_wrong_is_told_at_once() -> None:
    document = a_policy_document(
        podSelector={"matchLabels": {"a b": "x", "c": 1}}, policyTypes=["x"], ingress=[{"ports": [{}, 7]}]
    )
    assert len(list(faults_of(document))) == 4


@given(policies())
def test_a_policy_that_we_write_has_no_fault(policy: Any) -> None:
    assert list(faults_of(policy_document(policy))) == []


@pytest.mark.parametrize(
    ("document", "reasons"),
    [
        (a_deployment(name="Web_1"), ["metadata.name: 'Web_1' is no name (RFC 1123)"]),
        (a_deployment({"name": "http"}), ["containers[0].ports[0].containerPort: missing"]),
        (a_pod_document({}), ["containers[0].ports[0].containerPort: missing"]),
        (a_pod_document({"containerPort": 80}), []),
        ({"kind": "Namespace", "metadata": {"name": "shop"}}, []),
    ],
)
def test_what_leaves_no_doubt_about_traffic_is_told_and_used(
    document: dict[str, Any], reasons: list[str]
) -> None:
    assert list(doubts_of(document)) == reasons
    assert list(faults_of(document)) == []


@pytest.mark.parametrize("container", [7, None, "x", [], {"ports": 7}, {"ports": [7]}, {"ports": {}}])
def test_containers_of_any_shape_are_read_or_refused(container: Any) -> None:
    document = {"kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [container]}}
    list(faults_of(document))
    list(doubts_of(document))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("app", True),
        ("x" * 63, True),
        ("x" * 64, False),
        ("example.com/app", True),
        ("Example.com/app", False),
        ("a/b/c", False),
        ("/app", False),
        ("app/", False),
        ("", False),
        ("a\n", False),
        (f"{'a.' * 126}a/x", True),
        (f"{'a.' * 127}a/x", False),
    ],
)
def test_keys_of_labels(text: str, fits: bool) -> None:
    assert is_label_key(text) is fits


@pytest.mark.parametrize(
    ("text", "fits"),
    [("", True), ("a", True), ("A.b_c-d", True), ("x" * 64, False), ("a ", False), ("é", False)],
)
def test_values_of_labels(text: str, fits: bool) -> None:
    assert is_label_value(text) is fits
