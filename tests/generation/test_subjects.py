"""What each policy is for: groups where they can be had, and no pod isolated that nobody watched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.excess import Excess, find_excess
from kubectl_netpolgen.generation.granularity import parse_granularity
from kubectl_netpolgen.generation.names import DEFAULT_DENY
from kubectl_netpolgen.generation.policies import Generated
from kubectl_netpolgen.generation.proof import prove
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import Peer, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    a_pod,
    a_timeline,
    a_workload,
    address,
    an_edge,
    an_endpoint,
    an_external,
    an_owner,
    an_unknown,
)
from tests.generation.factories import deployed, generated, key, pods, policy_of, spec_of, tcp

THREE = deployed("web", "api", "db")
NAMESPACE = "netpolgen-allow-namespace"
EVERYBODY = Peer(pod_selector=LabelSelector())


def per(word: str, *edges: Edge, **given: Any) -> Generated:
    """Policies of this granularity, without the rule for names."""
    return generated(*edges, per=parse_granularity(word), **{"dns": DnsMode.OBSERVED, **given})


def tiered(name: str, tier: str | None, address: str, **changes: Any) -> tuple[KubernetesObject, ...]:
    """A Deployment whose template has a tier, or none, and its pod."""
    labels = {"app": name, **({"tier": tier} if tier is not None else {})}
    return (
        a_workload(name, template_labels=labels),
        a_pod(f"{name}-1", address, **{"labels": labels, **changes}),
    )


TIERED = (
    *tiered("web", "front", "10.244.1.1"),
    *tiered("shop", "front", "10.244.1.2"),
    *tiered("db", "back", "10.244.1.3"),
    *tiered("plain", None, "10.244.1.4"),
)


def names(found: Generated) -> list[str]:
    return [policy.name for policy in found.policies]


def codes(found: Generated) -> set[str]:
    return {finding.code for finding in found.findings}


def test_namespace_has_one_policy_with_the_rules_of_all_its_workloads() -> None:
    found = per("namespace", an_edge("web", "api"), an_edge("api", "db", 5432))
    assert names(found) == [NAMESPACE]
    rule = Rule((EVERYBODY,), tcp(5432, 8080))
    assert spec_of(found, "namespace")["podSelector"] == {}
    policy = policy_of(found, "namespace")
    assert (policy.ingress, policy.egress) == ((rule,), (rule,))
    assert not found.findings


def test_other_namespaces_are_peers_as_a_whole() -> None:
    there = an_endpoint("pay", namespace="pay")
    objects = (*THREE, *deployed("pay", namespace="pay"))
    found = per("namespace", an_edge("web", there, 443), an_edge(there, "api"), objects=objects)
    peer = Peer(namespace_selector=LabelSelector((("kubernetes.io/metadata.name", "pay"),)))
    assert policy_of(found, "namespace").egress == (Rule((peer,), tcp(443)),)
    assert policy_of(found, "namespace").ingress == (Rule((peer,), tcp(8080)),)


def test_what_others_are_asked_for_stays_with_their_workload() -> None:
    there = an_endpoint("pay", namespace="pay")
    found = per("namespace", an_edge("web", there, 443), objects=(*THREE, *deployed("pay", namespace="pay")))
    (request,) = found.requests
    assert request.pod_selector == labels_selector({"app": "pay"})
    assert request.ingress[0].peers == (
        Peer(namespace_selector=LabelSelector((("kubernetes.io/metadata.name", "shop"),))),
    )


def test_pods_on_their_nodes_network_are_named_by_address_in_any_granularity() -> None:
    agent = an_endpoint("agent", host_network=True)
    pod = a_pod("agent-1", "172.18.0.2", host_network=True)
    found = per("namespace", an_edge(agent, "api"), objects=(*THREE, a_workload("agent"), pod))
    (rule,) = policy_of(found, "namespace").ingress
    assert [peer.ip_block.cidr for peer in rule.peers if peer.ip_block] == ["172.18.0.2/32"]


@pytest.mark.parametrize("word", ["namespace", "label=app"])
def test_group_with_a_workload_that_nobody_watched_is_refused_and_written_one_by_one(word: str) -> None:
    labels = {"app": "web"}
    late = (a_workload("late", template_labels=labels), a_pod("late-1", "10.244.1.9", labels=labels))
    captured = [key(name) for name in ("web", "api", "db")]
    found = per(word, an_edge("web", "api"), objects=(*THREE, *late), captured=captured, default_deny=True)
    assert policy_of(found, "deployment-web").egress[0].ports == tcp(8080)
    assert NAMESPACE not in names(found)
    assert DEFAULT_DENY not in names(found)
    (refusal,) = [item for item in found.findings if item.code == "group-withheld"]
    assert refusal.severity.value == "error"
    assert "Deployment shop/late" in refusal.message
    assert "capture every workload" in refusal.way_out
    if word == "namespace":
        assert policy_of(found, "deployment-web").egress[0].peers == (pods("api"),)


def test_known_edge_of_a_job_that_ended_refuses_the_group_only_in_directions_that_are_wanted() -> None:
    ended = (a_workload("job"), a_pod("job-1", "10.244.1.9", phase="Succeeded"))
    given: dict[str, Any] = {"objects": (*THREE, *ended), "captured": [key(n) for n in ("web", "api", "db")]}
    edge = an_edge("job", "web")
    assert "group-withheld" in codes(per("namespace", edge, **given))
    ingress = per("namespace", edge, directions=(PolicyType.INGRESS,), **given)
    assert names(ingress) == [NAMESPACE]
    assert "workload-idle" in codes(ingress)


def test_unknown_peer_of_one_leaves_its_direction_open_for_the_group_and_says_so() -> None:
    found = per("namespace", an_edge("web", an_unknown()), an_edge("api", "db"))
    assert policy_of(found, "namespace").policy_types == (PolicyType.INGRESS,)
    assert codes(found) == {"peer-unknown", "group-direction-withheld"}
    assert len(found.unresolved) == 1


def test_labels_group_those_with_an_equal_value_and_others_stay_alone() -> None:
    found = per("label=tier", an_edge("web", "db", 5432), an_edge("plain", "shop"), objects=TIERED)
    selectors = [policy.pod_selector for policy in found.policies]
    assert selectors == [
        labels_selector({"tier": "back"}),
        labels_selector({"tier": "front"}),
        labels_selector({"app": "plain"}),
    ]
    back, front, plain = found.policies
    assert back.ingress == (Rule((Peer(labels_selector({"tier": "front"})),), tcp(5432)),)
    assert front.egress == (Rule((Peer(labels_selector({"tier": "back"})),), tcp(5432)),)
    assert plain.egress == (Rule((Peer(labels_selector({"tier": "front"})),), tcp(8080)),)
    assert front.ingress == (Rule((pods("plain"),), tcp(8080)),)
    assert [(item.code, item.subject) for item in found.findings] == [
        ("label-missing", "Deployment shop/plain")
    ]


def test_labelled_peer_of_another_namespace_is_named_by_both() -> None:
    there = an_endpoint("pay", namespace="pay")
    objects = (*TIERED, a_workload("pay", namespace="pay", template_labels={"app": "pay", "tier": "back"}))
    found = per("label=tier", an_edge("web", there, 443), objects=objects)
    assert found.policies[1].egress[0].peers == (
        Peer(
            pod_selector=labels_selector({"tier": "back"}),
            namespace_selector=LabelSelector((("kubernetes.io/metadata.name", "pay"),)),
        ),
    )


@pytest.mark.parametrize("old", [{"app": "shop"}, {"app": "shop", "tier": "back"}])
def test_workload_of_whose_pods_one_has_another_value_stays_alone(old: dict[str, str]) -> None:
    pod = a_pod("shop-2", "10.244.1.8", labels=old)
    found = per("label=tier", an_edge("web", "shop"), objects=(*TIERED, pod))
    assert ("label-missing", "Deployment shop/shop") in [(f.code, f.subject) for f in found.findings]
    assert policy_of(found, "deployment-shop").pod_selector == labels_selector({"app": "shop"})
    # pods of it that have the label would be isolated by the rules of others
    refused = [item for item in found.findings if item.code == "group-withheld"]
    assert refused
    assert all("not all have the label" in item.message for item in refused)
    assert policy_of(found, "deployment-web").egress[0].peers == (pods("shop"),)


def test_label_that_nobody_has_is_said_once() -> None:
    found = per("label=teir", an_edge("web", "db"), objects=TIERED)
    assert [finding.code for finding in found.findings] == ["label-unused"]
    assert len(found.policies) == 4


def test_pods_decide_where_no_template_is_known() -> None:
    custom = a_pod("pg-0", "10.244.1.9", owner=an_owner("Cluster", "pg"), labels={"tier": "back", "x": "y"})
    found = per("label=tier", an_edge("web", "db"), objects=(*TIERED, custom))
    assert len(found.policies) == 3
    assert "group-withheld" not in codes(found)


def test_bare_pod_without_labels_has_the_namespaces_policy() -> None:
    bare = a_pod("one", "10.244.1.9", owner=None, labels={})
    found = per("namespace", objects=(*THREE, bare))
    assert names(found) == [NAMESPACE]
    assert "no-usable-labels" not in codes(found)
    assert "no-usable-labels" in codes(per("label=app", objects=(*THREE, bare)))


def test_namespaces_are_grouped_apart() -> None:
    objects = (*THREE, *deployed("pay", namespace="pay"))
    captured = [key("web"), key("api"), key("db"), key("pay", namespace="pay")]
    found = per("namespace", objects=objects, captured=captured, default_deny=True)
    assert [(policy.namespace, policy.name) for policy in found.policies] == [
        ("pay", NAMESPACE),
        ("shop", NAMESPACE),
        ("pay", DEFAULT_DENY),
        ("shop", DEFAULT_DENY),
    ]


WORKLOADS = ("web", "shop", "db", "plain")
ENDS = st.sampled_from(WORKLOADS)
OTHERS = st.sampled_from(
    [
        an_external("203.0.113.10"),
        an_endpoint("pay", namespace="pay"),
        Endpoint(EndpointKind.NODE, name="node-1"),
    ]
)
PORTS = (80, 443, 5432)
EDGES = st.lists(
    st.builds(an_edge, ENDS, ENDS, st.sampled_from(PORTS), protocol=st.sampled_from(Protocol))
    | st.builds(an_edge, ENDS, OTHERS, st.sampled_from(PORTS), addresses=st.just((address("172.18.0.2"),)))
    | st.builds(an_edge, OTHERS, ENDS, st.sampled_from(PORTS)),
    unique_by=lambda edge: edge.id,
    max_size=10,
)
CLUSTER = (
    *TIERED,
    *(
        a_pod(f"{name}-2", f"10.244.1.{20 + n}", labels=pod.labels)
        for n, (name, pod) in enumerate(
            (item.name.removesuffix("-1"), item) for item in TIERED if isinstance(item, Pod)
        )
    ),
    *deployed("pay", "ledger", namespace="pay"),
)


def passing(found: Generated) -> set[tuple[str, str, Protocol, int]]:
    """Everything that the policies let through between pods, and between pods and the outside."""
    timeline = a_timeline(*CLUSTER)
    evaluator = Evaluator(found.policies, {})
    ends = {uid: ConnectionEnd(pod.addresses[0], pod) for uid, pod in timeline.pods.items()}
    ends.update({text: ConnectionEnd(address(text)) for text in ("203.0.113.10", "172.18.0.2", "8.8.8.8")})
    return {
        (client, server, protocol, port)
        for client, one in ends.items()
        for server, other in ends.items()
        for protocol in Protocol
        for port in (*PORTS, 9999)
        if client != server and evaluator.allowed(one, other, protocol, port)
    }


@settings(max_examples=25, deadline=None)
@given(EDGES)
def test_every_granularity_allows_its_edges_and_a_coarser_one_all_of_a_finer(edges: list[Edge]) -> None:
    by = {
        word: generated(*edges, objects=CLUSTER, per=parse_granularity(word))
        for word in ("workload", "label=tier", "namespace")
    }
    for found in by.values():
        assert {edge.id for edge in found.edges} == {edge.id for edge in edges}
        proof = prove(found.edges, found.policies, a_timeline(*CLUSTER), decisions={})
        assert not proof.failures
    exact = passing(by["workload"])
    assert exact <= passing(by["label=tier"])
    assert exact <= passing(by["namespace"])


@settings(max_examples=25, deadline=None)
@given(EDGES)
def test_excess_counts_all_that_a_coarser_granularity_lets_through_between_pods(edges: list[Edge]) -> None:
    timeline = a_timeline(*CLUSTER)
    fine = passing(generated(*edges, objects=CLUSTER))
    found = generated(*edges, objects=CLUSTER, per=parse_granularity("namespace"))
    counted = set(find_excess(found.edges, found.policies, timeline, assumed=found.dns_rules))
    for client, server, protocol, port in passing(found) - fine:
        pods = timeline.pods.get(client), timeline.pods.get(server)
        if pods[0] is not None and pods[1] is not None:
            ends = [timeline.top_owner(pod).key for pod in pods if pod is not None]
            assert Excess(ends[0], ends[1], protocol, port) in counted
