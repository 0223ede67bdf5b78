"""What the other side of an edge needs, where it is not ours to write."""

from __future__ import annotations

from dataclasses import replace

from kubectl_netpolgen.generation.requests import REQUEST
from kubectl_netpolgen.model.edge import Edge, Role
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.policies import policy_document
from tests.factories import a_pod, a_policy, a_workload, an_edge, an_endpoint, an_external
from tests.generation.factories import deployed, generated, key

HERE = deployed("web", "api")
THERE = deployed("ledger", "audit", namespace="data")


def to(name: str, port: int = 5432) -> Edge:
    return an_edge("web", an_endpoint(name, namespace="data"), port=port, server_pods=(f"uid-{name}-1",))


def fetched_by(name: str) -> Edge:
    return an_edge(an_endpoint(name, namespace="data"), "api", client_pods=(f"uid-{name}-1",))


def test_server_elsewhere_is_asked_to_let_ours_in_and_client_to_go_out() -> None:
    found = generated(to("ledger"), fetched_by("audit"), an_edge(), objects=(*HERE, *THERE))
    asked = {policy.name: policy_document(policy) for policy in found.requests}
    namespaced = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
    assert {name: document["spec"] for name, document in asked.items()} == {
        "netpolgen-allow-deployment-ledger": {
            "podSelector": {"matchLabels": {"app": "ledger"}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{**namespaced, "podSelector": {"matchLabels": {"app": "web"}}}],
                    "ports": [{"protocol": "TCP", "port": 5432}],
                }
            ],
        },
        "netpolgen-allow-deployment-audit": {
            "podSelector": {"matchLabels": {"app": "audit"}},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{**namespaced, "podSelector": {"matchLabels": {"app": "api"}}}],
                    "ports": [{"protocol": "TCP", "port": 8080}],
                }
            ],
        },
    }
    assert all(document["metadata"]["namespace"] == "data" for document in asked.values())
    assert all(REQUEST in document["metadata"]["annotations"] for document in asked.values())
    assert {policy.namespace for policy in found.policies} == {"shop"}


def test_what_is_ours_outside_or_dns_is_asked_of_nobody() -> None:
    dns = replace(to("ledger", 53), protocol=Protocol.UDP, role=Role.DNS)
    edges = (an_edge(), an_edge("web", an_external(), port=443), dns)
    assert not generated(*edges, objects=(*HERE, *THERE)).requests
    everywhere = {key("web"), key("api"), key("ledger", namespace="data"), key("audit", namespace="data")}
    assert not generated(to("ledger"), objects=(*HERE, *THERE), captured=everywhere).requests


def test_it_is_said_whether_the_other_side_is_isolated() -> None:
    standing = a_policy(
        "data-ingress",
        namespace="data",
        policy_types=(PolicyType.INGRESS,),
        pod_selector=labels_selector({"app": "ledger"}),
    )
    said = {
        isolated: [
            item.message
            for item in generated(to("ledger"), objects=(*HERE, *THERE, *others)).findings
            if item.code == "other-side"
        ]
        for isolated, others in ((False, ()), (True, (standing,)))
    }
    assert ["is not isolated there" in message for message in said[False]] == [True]
    assert ["is isolated there by data-ingress" in message for message in said[True]] == [True]
    assert all("requests/data.yaml" in message for messages in said.values() for message in messages)


def test_workload_that_no_label_tells_is_asked_for_nothing() -> None:
    bare = a_workload("ledger", namespace="data", selector=None, template_labels={})
    pod = a_pod("ledger-1", "10.244.2.1", namespace="data", labels={})
    objects = (*HERE, bare, pod)
    assert not generated(to("ledger"), objects=objects).requests
