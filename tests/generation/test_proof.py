"""What is written allows every accepted edge at both ends, and nothing that was not asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.generation.proof import Proof, prove
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Namespace, Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement, labels_selector
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    a_network,
    a_pod,
    a_policy,
    a_timeline,
    address,
    an_edge,
    an_endpoint,
    an_external,
    an_unknown,
)
from tests.generation.factories import deployed, generated, identities_of, key, kube_dns, pods, tcp

THREE = deployed("web", "api", "db")
API_SERVER = Endpoint(EndpointKind.API_SERVER)


def proven(
    *edges: Edge,
    objects: Sequence[KubernetesObject] = THREE,
    policies: Iterable[NetworkPolicy] | None = None,
    decisions: Sequence[Decision] = (),
    **options: Any,
) -> Proof:
    """The proof for what generation writes for these edges, or for other policies."""
    found = generated(*edges, objects=objects, decisions=decisions, **options)
    return prove(
        found.edges if policies is None else edges,
        found.policies if policies is None else policies,
        identities_of(*objects).timeline,
        decisions={decision.edge: decision for decision in decisions},
    )


def test_what_was_generated_holds() -> None:
    proof = proven(an_edge("web", "api"), an_edge("api", "db"), default_deny=True)
    assert len(proof.rows) == 2
    assert proof.failures == ()
    assert all(row.allowed and row.refused_by == () for row in proof.rows)


def test_refusing_end_and_policy_are_named() -> None:
    shut = a_policy("api", policy_types=(PolicyType.INGRESS,))
    (row,) = proven(an_edge("web", "api"), policies=[shut]).failures
    assert (row.egress, row.ingress, row.refused_by) == (True, False, ("shop/api",))
    out = a_policy("web", policy_types=(PolicyType.EGRESS,), egress=(Rule((pods("db"),), tcp(8080)),))
    (row,) = proven(an_edge("web", "api"), policies=[out]).failures
    assert (row.egress, row.ingress, row.refused_by) == (False, True, ("shop/web",))


def test_standing_policy_that_is_not_replaced_counts() -> None:
    legacy = replace(a_policy("api", policy_types=(PolicyType.INGRESS,)), name="legacy")
    edge = an_edge("web", "api")
    assert proven(edge, objects=(*THREE, legacy), captured=[key("web")]).failures
    assert not proven(edge, objects=(*THREE, legacy)).failures


def test_standing_policy_of_the_same_name_is_replaced() -> None:
    older = replace(a_policy("api"), name="netpolgen-allow-deployment-api")
    assert not proven(an_edge("web", "api"), objects=(*THREE, older)).failures


def test_every_pair_of_pods_must_pass() -> None:
    odd = a_pod("web-2", "10.244.1.9", labels={"app": "odd"})
    edge = an_edge("web", "api", client_pods=("uid-web-1", "uid-web-2"))
    (row,) = proven(edge, objects=(*THREE, odd)).failures
    assert row.refused_by == ("shop/netpolgen-allow-deployment-api",)


def test_pod_always_reaches_itself() -> None:
    edge = an_edge("db", "db", client_pods=("uid-db-1",), server_pods=("uid-db-1",))
    assert proven(edge, policies=[a_policy("db")]).failures == ()


def test_edge_without_a_pod_to_judge_does_not_hold() -> None:
    (row,) = proven(an_edge("nobody", "api"), policies=[]).failures
    assert (row.egress, row.ingress, row.refused_by) == (False, False, ())


@pytest.mark.parametrize("text", ["203.0.113.10", "2001:db8::10"])
def test_outside_peer_holds_at_the_pods_end(text: str) -> None:
    edges = an_edge("web", an_external(text), 443), an_edge(an_external(text), "web")
    assert proven(*edges, default_deny=True).failures == ()


def test_own_node_always_reaches_its_pods() -> None:
    node = Endpoint(EndpointKind.NODE, name="node-1")
    edge = an_edge(node, "web", server_pods=("uid-web-1",))
    assert proven(edge, policies=[a_policy("web")]).failures == ()
    other = an_edge(Endpoint(EndpointKind.NODE, name="node-2"), "web", server_pods=("uid-web-1",))
    assert proven(other, policies=[a_policy("web")]).failures


def test_other_node_holds_by_its_addresses() -> None:
    far = a_pod(
        "far-1", "10.244.2.9", node="node-2", namespace="other", host_addresses=(address("172.18.0.3"),)
    )
    edge = an_edge(Endpoint(EndpointKind.NODE, name="node-2"), "web", server_pods=("uid-web-1",))
    assert proven(edge, objects=(*THREE, far)).failures == ()


def test_api_server_holds_at_every_address_on_one_of_its_ports() -> None:
    edge = an_edge(
        "web", API_SERVER, 6443, addresses=(address("10.96.0.1"), address("172.18.0.2")), ports=(443, 6443)
    )
    assert proven(edge, default_deny=True).failures == ()
    half = a_policy("web", egress=(Rule((Peer(ip_block=IPBlock("10.96.0.1/32")),), tcp(443, 6443)),))
    assert proven(edge, policies=[half]).failures


def test_host_network_server_holds_by_its_nodes_address() -> None:
    agent = a_pod("agent-1", "172.18.0.2", host_network=True)
    edge = an_edge("web", an_endpoint("agent", host_network=True), 9100, server_pods=("uid-agent-1",))
    assert proven(edge, objects=(*THREE, agent), default_deny=True, captured=[key("web")]).failures == ()


@pytest.mark.parametrize("objects", [THREE, (*THREE, kube_dns())])
def test_lookup_at_a_dns_that_nobody_may_see_holds_by_its_assumed_labels(objects: Any) -> None:
    server = an_unknown("10.96.0.53", role=Role.DNS)
    edge = an_edge("web", server, 53, protocol=Protocol.UDP, role=Role.DNS)
    assert proven(edge, objects=objects, default_deny=True).failures == ()
    assert proven(edge, objects=objects, policies=[a_policy("web")]).failures


def test_node_local_resolver_holds_by_its_address() -> None:
    server = an_unknown("169.254.20.10", role=Role.DNS)
    edge = an_edge("web", server, 53, protocol=Protocol.UDP, role=Role.DNS)
    local = a_network("uid-web-1", nameservers=frozenset({address("169.254.20.10")}))
    assert proven(edge, networks=[local]).failures == ()


DECIDED = [
    Peer(ip_block=IPBlock("10.9.8.7/32")),
    Peer(ip_block=IPBlock("10.0.0.0/8")),
    Peer(pod_selector=labels_selector({"app": "q"})),
    Peer(pod_selector=LabelSelector()),
    Peer(pod_selector=labels_selector({"app": "q"}), namespace_selector=labels_selector({"team": "a"})),
    Peer(namespace_selector=labels_selector({"kubernetes.io/metadata.name": "pay"})),
    Peer(namespace_selector=LabelSelector((), (Requirement("team", Operator.IN, ("a", "b")),))),
    Peer(pod_selector=LabelSelector((), (Requirement("app", Operator.EXISTS),))),
    Peer(pod_selector=LabelSelector((), (Requirement("app", Operator.NOT_IN, ("x",)),))),
]


@pytest.mark.parametrize("peer", DECIDED, ids=str)
@pytest.mark.parametrize(
    "end", [an_unknown("10.9.8.7"), API_SERVER, Endpoint(EndpointKind.NODE, name="node-7")]
)
def test_decided_peer_holds_whatever_it_selects_by(peer: Peer, end: Endpoint) -> None:
    for edge in (an_edge("web", end), an_edge(end, "web")):
        names: tuple[str, ...] = () if peer.ip_block is not None else ("pg",)
        accept = Decision(edge.id, Verdict.ACCEPT, peer, ports=(5433, 65535, *names))
        proof = proven(edge, decisions=[accept])
        assert [row.edge for row in proof.rows] == [edge.id]
        assert proof.failures == ()


def test_every_decided_port_must_pass() -> None:
    edge = an_edge("web", an_unknown("10.96.0.9"), 5432)
    peer = Peer(pod_selector=labels_selector({"app": "q"}))
    for allowed, holds in ((tcp(5432), False), (tcp(5433), False), (tcp(5433, 5434), True)):
        policy = a_policy("web", egress=(Rule((peer,), allowed),))
        said = Decision(edge.id, Verdict.ACCEPT, peer, ports=(5433, 5434))
        assert (proven(edge, policies=[policy], decisions=[said]).failures == ()) is holds


def test_standing_policy_of_decided_pods_is_judged_on_the_decided_port() -> None:
    edge = an_edge("web", an_unknown("10.96.0.9"), 5432)
    said = Decision(edge.id, Verdict.ACCEPT, pods("q"), ports=(5433,))
    for port, holds in ((5433, True), (5432, False)):
        guard = a_policy("q", policy_types=(PolicyType.INGRESS,), ingress=(Rule((), tcp(port)),))
        assert (proven(edge, objects=(*THREE, guard), decisions=[said]).failures == ()) is holds


@pytest.mark.parametrize(
    "block",
    [
        IPBlock("10.244.0.0/16"),
        IPBlock("10.244.0.0/16", ("10.244.0.0/24", "10.244.1.0/24")),
        IPBlock("fd00::/64", ("fd00::/128",)),
    ],
    ids=str,
)
def test_decided_block_behind_a_service_holds_by_an_address_of_its_own(block: IPBlock) -> None:
    edge = an_edge("web", an_unknown("10.96.0.9"), 5432)
    said = Decision(edge.id, Verdict.ACCEPT, Peer(ip_block=block), ports=(5433,))
    assert proven(edge, decisions=[said]).failures == ()


def test_decided_pods_of_the_own_namespace_are_cut_off_by_its_deny_all_and_the_proof_says_so() -> None:
    edge = an_edge("web", an_unknown("10.9.8.7"))
    near, far = DECIDED[2], DECIDED[4]
    for peer, refusals in ((near, [("shop/netpolgen-default-deny",)]), (far, [])):
        accept = Decision(edge.id, Verdict.ACCEPT, peer, ports=(8080,))
        failures = proven(edge, decisions=[accept], default_deny=True).failures
        assert [row.refused_by for row in failures] == refusals


def test_decided_block_that_misses_the_address_does_not_hold() -> None:
    edge = an_edge("web", an_unknown("10.9.8.7"))
    accept = Decision(edge.id, Verdict.ACCEPT, Peer(ip_block=IPBlock("10.1.0.0/16")))
    assert proven(edge, decisions=[accept]).failures


def test_service_without_endpoints_holds_by_a_decided_block() -> None:
    service = Endpoint(EndpointKind.SERVICE, namespace="shop", name="empty")
    edge = an_edge("web", service, outcome=Outcome.REFUSED)
    accept = Decision(edge.id, Verdict.ACCEPT, Peer(ip_block=IPBlock("10.9.8.7/32")))
    assert proven(edge, decisions=[accept]).failures == ()


WORKLOADS = ("a", "b", "c", "d")
PORTS = (53, 80, 8080)
CLUSTER: tuple[KubernetesObject, ...] = (
    *deployed(*WORKLOADS),
    a_pod("a-2", "10.244.1.20"),
    *deployed("far", namespace="other"),
    Namespace("shop", {"team": "x"}),
    Namespace("other", {"team": "y"}),
)
ENDS: dict[str, Endpoint] = {
    **{name: an_endpoint(name) for name in WORKLOADS},
    "far": an_endpoint("far", namespace="other"),
    "v4": an_external("203.0.113.10"),
    "v6": an_external("2001:db8::10"),
}
PODS = [item for item in CLUSTER if isinstance(item, Pod)]


def end_name(pod: Pod) -> str:
    """The workload of a pod as `ENDS` names it."""
    return pod.name.rpartition("-")[0]


@st.composite
def graphs(draw: st.DrawFn) -> list[Edge]:
    """Random edges of which at least one end is in the captured namespace."""
    triples = draw(
        st.sets(
            st.tuples(st.sampled_from(sorted(ENDS)), st.sampled_from(sorted(ENDS)), st.sampled_from(PORTS)),
            max_size=12,
        )
    )
    return [
        an_edge(
            ENDS[client], ENDS[server], port, protocol=draw(st.sampled_from([Protocol.TCP, Protocol.UDP]))
        )
        for client, server, port in sorted(triples)
        if client in WORKLOADS or server in WORKLOADS
    ]


@settings(max_examples=150)
@given(graphs())
def test_random_graphs_are_allowed_exactly(edges: list[Edge]) -> None:
    captured = [key(name) for name in WORKLOADS]
    found = generated(*edges, objects=CLUSTER, captured=captured, default_deny=True)
    timeline = identities_of(*CLUSTER).timeline
    assert prove(found.edges, found.policies, timeline, decisions={}).failures == ()
    assert {edge.id for edge in found.edges} == {edge.id for edge in edges}
    evaluator = Evaluator(found.policies, {"shop": {"team": "x"}, "other": {"team": "y"}})
    wanted = {(edge.client, edge.server, edge.protocol, edge.port) for edge in edges}
    everyone = [(end_name(pod), ConnectionEnd(pod.addresses[0], pod)) for pod in PODS]
    everyone += [(name, ConnectionEnd(address(ENDS[name].address))) for name in ("v4", "v6")]
    for client_name, client in everyone:
        for server_name, server in everyone:
            inside = client_name in WORKLOADS or server_name in WORKLOADS
            same = client.pod is not None and server.pod is not None and client.pod.uid == server.pod.uid
            if not inside or same:
                continue
            for protocol in (Protocol.TCP, Protocol.UDP):
                for port in (*PORTS, 9999):
                    expected = (ENDS[client_name], ENDS[server_name], protocol, port) in wanted
                    assert evaluator.allowed(client, server, protocol, port) is expected


@given(graphs())
def test_clients_may_resolve_names_and_others_may_not(edges: list[Edge]) -> None:
    found = generated(*edges, objects=CLUSTER, captured=[key(name) for name in WORKLOADS], default_deny=True)
    evaluator = Evaluator(found.policies, {})
    dns = a_pod("coredns-1", "10.244.9.9", namespace="kube-system", labels={"k8s-app": "kube-dns"})
    clients = {edge.client.name for edge in edges}
    for pod in PODS:
        if pod.namespace == "shop":
            for protocol in (Protocol.UDP, Protocol.TCP):
                ends = ConnectionEnd(pod.addresses[0], pod), ConnectionEnd(dns.addresses[0], dns)
                assert evaluator.allowed(*ends, protocol, 53) is (end_name(pod) in clients)
                assert not evaluator.allowed(*ends, protocol, 9153)


def test_timeline_without_namespaces_still_knows_their_names() -> None:
    objects = (*deployed("web"), *deployed("far", namespace="other"))
    edge = an_edge(an_endpoint("far", namespace="other"), "web")
    found = generated(edge, objects=objects, captured=[key("web")])
    assert prove(found.edges, found.policies, a_timeline(*objects), decisions={}).failures == ()
