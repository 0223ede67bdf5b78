"""Rules for exactly the edges: grouped where the ports are equal, never crossed."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.rules import NumberedRule, Unresolved, build_rules, policy_ports
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, Peer, PolicyPort, PolicyType, Rule
from tests.factories import a_pod, a_port, a_timeline, a_workload, address, an_edge, an_external, an_unknown
from tests.generation.factories import deployed, pods, tcp

OUT, IN = PolicyType.EGRESS, PolicyType.INGRESS


def rules_of(
    *edges: Edge, direction: PolicyType = OUT
) -> tuple[tuple[NumberedRule, ...], tuple[Unresolved, ...]]:
    """The rules for edges between web, api and db."""
    peers = Peers(a_timeline(*deployed("web", "api", "db")), {})
    return build_rules(edges, direction, namespace="shop", peers=peers)


def block(cidr: str) -> Peer:
    """A peer by address."""
    return Peer(ip_block=IPBlock(cidr))


def test_egress_names_the_server_and_ingress_the_client() -> None:
    edge = an_edge("web", "api")
    assert rules_of(edge)[0] == (NumberedRule(Rule((pods("api"),), tcp(8080)), (edge.id,)),)
    assert rules_of(edge, direction=IN)[0] == (NumberedRule(Rule((pods("web"),), tcp(8080)), (edge.id,)),)


def test_ports_of_one_peer_are_one_rule() -> None:
    edges = an_edge(port=80), an_edge(port=443), an_edge(port=53, protocol=Protocol.UDP), an_edge(port=53)
    ((rule,), _) = rules_of(*edges)
    assert rule.rule.ports == (*tcp(53, 80, 443), PolicyPort(Protocol.UDP, 53))
    assert rule.edges == tuple(sorted(edge.id for edge in edges))


def test_peers_with_equal_ports_share_a_rule() -> None:
    ((rule,), _) = rules_of(an_edge(server="db"), an_edge(server="api"))
    assert rule.rule == Rule((pods("api"), pods("db")), tcp(8080))


def test_peers_with_other_ports_are_never_crossed() -> None:
    (rules, _) = rules_of(an_edge(port=80), an_edge(port=443), an_edge(server="db", port=443))
    assert [item.rule for item in rules] == [
        Rule((pods("api"),), tcp(80, 443)),
        Rule((pods("db"),), tcp(443)),
    ]


def test_two_edges_of_one_peer_are_one_peer() -> None:
    one, two = an_external("203.0.113.10", "a.test"), an_external("203.0.113.10", "b.test")
    ((rule,), _) = rules_of(an_edge(server=one, port=443), an_edge(server=two, port=443))
    assert rule.rule == Rule((block("203.0.113.10/32"),), tcp(443))


def test_api_server_is_reached_on_every_one_of_its_ports() -> None:
    edge = an_edge(
        server=Endpoint(EndpointKind.API_SERVER),
        port=6443,
        addresses=(address("10.96.0.1"), address("172.18.0.2")),
        ports=(443, 6443),
    )
    ((rule,), _) = rules_of(edge)
    assert rule.rule == Rule((block("10.96.0.1/32"), block("172.18.0.2/32")), tcp(443, 6443))


def test_decided_ports_are_the_rules_and_names_sort_among_numbers() -> None:
    edge = an_edge("web", an_unknown(), 5432)
    said = Decision(edge.id, Verdict.ACCEPT, pods("db"), ports=("postgres", 10000, 5433))
    peers = Peers(a_timeline(*deployed("web", "db")), {edge.id: said})
    ((rule,), _) = build_rules([edge], OUT, namespace="shop", peers=peers)
    assert rule.rule == Rule((pods("db"),), (*tcp(5433, 10000), PolicyPort(port="postgres")))


def test_incomplete_decision_is_told_from_none() -> None:
    edge = an_edge("web", an_unknown())
    peers = Peers(a_timeline(), {edge.id: Decision(edge.id, Verdict.ACCEPT, pods("db"))})
    assert [item.decided for item in build_rules([edge], OUT, namespace="shop", peers=peers)[1]] == [True]
    assert [item.decided for item in rules_of(edge)[1]] == [False]


def test_edge_whose_peer_nobody_can_name_is_unresolved_and_the_rest_is_ruled() -> None:
    unknown = an_edge(server=an_unknown())
    rules, unresolved = rules_of(unknown, an_edge())
    assert [item.rule.peers for item in rules] == [(pods("api"),)]
    assert [(item.edge, item.direction) for item in unresolved] == [(unknown, OUT)]


def test_pods_come_before_addresses() -> None:
    ((rule,), _) = rules_of(an_edge(server=an_external()), an_edge(server="db"), an_edge(server="api"))
    assert rule.rule.peers == (pods("api"), pods("db"), block("203.0.113.10/32"))


EDGES = st.lists(
    st.builds(
        an_edge,
        server=st.sampled_from(["api", "db", "web", an_external(), an_external("2001:db8::1"), an_unknown()]),
        port=st.sampled_from([53, 80, 443, 8080]),
        protocol=st.sampled_from(Protocol),
    ),
    unique_by=lambda edge: edge.id,
    max_size=10,
)


@given(EDGES, st.integers())
def test_order_of_edges_does_not_matter(edges: list[Edge], seed: int) -> None:
    shuffled = list(edges)
    random.Random(seed).shuffle(shuffled)
    first, second = rules_of(*edges), rules_of(*shuffled)
    assert first[0] == second[0]
    assert {item.edge.id for item in first[1]} == {item.edge.id for item in second[1]}


@given(EDGES)
def test_rules_say_the_edges_and_nothing_else(edges: list[Edge]) -> None:
    rules, unresolved = rules_of(*edges)
    said = {
        (peer, port.protocol, number)
        for item in rules
        for peer in item.rule.peers
        for port in item.rule.ports
        if isinstance(port.port, int)
        for number in range(port.port, (port.end_port or port.port) + 1)
    }
    missing = {item.edge.id for item in unresolved}

    def peer_of(edge: Edge) -> Any:
        if edge.server.kind is EndpointKind.EXTERNAL:
            return block(f"{edge.server.address}/{128 if ':' in edge.server.address else 32}")
        return pods(edge.server.name)

    assert said == {(peer_of(edge), edge.protocol, edge.port) for edge in edges if edge.id not in missing}
    assert {edge for item in rules for edge in item.edges} == {edge.id for edge in edges} - missing


def test_ports_side_by_side_are_a_range_and_two_or_gaps_are_none() -> None:
    numbers = [*range(30000, 30006), 40000, 40001, 50000, 50002]
    ((rule,), _) = rules_of(
        *(an_edge(port=number) for number in numbers), an_edge(port=30000, protocol=Protocol.UDP)
    )
    assert rule.rule.ports == (
        PolicyPort(Protocol.TCP, 30000, end_port=30005),
        *tcp(40000, 40001, 50000, 50002),
        PolicyPort(Protocol.UDP, 30000),
    )


@given(st.sets(st.integers(1, 40), max_size=20), st.sets(st.integers(1, 40), max_size=5))
def test_ranges_allow_the_ports_and_no_other(numbers: set[int], others: set[int]) -> None:
    ports: list[tuple[Protocol, int | str]] = [(Protocol.TCP, number) for number in sorted(numbers)]
    ports += [(Protocol.UDP, number) for number in sorted(others)]
    said = [
        (port.protocol, number)
        for port in policy_ports(ports)
        if isinstance(port.port, int)
        for number in range(port.port, (port.end_port or port.port) + 1)
    ]
    assert said == ports
    assert all(
        port.end_port is None or port.end_port >= port.port + 2
        for port in policy_ports(ports)
        if isinstance(port.port, int)
    )


def during_a_rollout() -> tuple[Any, ...]:
    """The Deployment api, of which the old pod has its port http at 8080 and the new one at 9090."""
    old, new = (
        a_pod(f"api-{number}", f"10.244.1.1{number}", ports=(a_port(port, "http"),))
        for number, port in enumerate((8080, 9090))
    )
    return (*deployed("web"), a_workload("api"), old, new)


def test_port_that_differs_by_pod_is_written_by_its_name() -> None:
    peers = Peers(a_timeline(*during_a_rollout()), {})
    edges = [an_edge(port=port, port_name="http") for port in (8080, 9090)]
    for direction, peer in ((OUT, "api"), (IN, "web")):
        ((rule,), _) = build_rules(edges, direction, namespace="shop", peers=peers)
        assert rule.rule == Rule((pods(peer),), (PolicyPort(Protocol.TCP, "http"),))
    # a port beside it has no part in the name, and a name that is the same number everywhere adds nothing
    assert peers.port_of(an_edge(port=7070, port_name="http")) == 7070
    assert peers.port_of(an_edge(port=8080)) == 8080
    assert peers.port_of(an_edge("api", "web", port=8080, port_name="http")) == 8080
