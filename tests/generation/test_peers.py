"""Endpoints to peers: by selector where there is one, by address where that is honest, else by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kubectl_netpolgen.generation.peers import Peers, Resolution, address_peer, decided_ports, pods_peer
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.policy import IPBlock, Peer
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    a_pod,
    a_timeline,
    a_workload,
    address,
    an_edge,
    an_endpoint,
    an_external,
    an_unknown,
)
from tests.generation.factories import deployed, pods

API_SERVER = Endpoint(EndpointKind.API_SERVER)
NODE = Endpoint(EndpointKind.NODE, name="node-1")
PODS = deployed("web", "api")
DECIDED = Peer(ip_block=IPBlock("10.0.0.0/8"))


def peers_of(
    edge: Edge,
    *,
    end: Endpoint | None = None,
    decided: Peer | None = None,
    ports: tuple[int | str, ...] = (),
    objects: Sequence[KubernetesObject] = PODS,
) -> Resolution:
    """The peers for the edge's server, or another end, in a policy of the namespace shop."""
    decisions = {edge.id: Decision(edge.id, Verdict.ACCEPT, decided, ports=ports)} if decided or ports else {}
    return Peers(a_timeline(*objects), decisions).of(edge, end or edge.server, namespace="shop")


def blocks(*cidrs: str) -> tuple[Peer, ...]:
    """Peers of these CIDRs."""
    return tuple(Peer(ip_block=IPBlock(cidr)) for cidr in cidrs)


def test_workload_of_the_same_namespace_is_its_pods_alone() -> None:
    assert peers_of(an_edge()).peers == (pods("api"),)


def test_workload_of_another_namespace_needs_both_selectors_in_one_peer() -> None:
    far = an_endpoint("api", namespace="payments")
    found = peers_of(an_edge(server=far), objects=(a_workload("api", namespace="payments"),))
    assert found.peers == (
        Peer(
            pod_selector=labels_selector({"app": "api"}),
            namespace_selector=labels_selector({"kubernetes.io/metadata.name": "payments"}),
        ),
    )


def test_workload_without_usable_labels_is_never_an_empty_selector() -> None:
    bare = a_pod("one", owner=None, labels={})
    found = peers_of(an_edge(server=an_endpoint("one", owner_kind="Pod")), objects=(bare,))
    assert found.peers == ()
    assert "no label" in found.reason


@pytest.mark.parametrize(
    ("text", "cidr"), [("203.0.113.10", "203.0.113.10/32"), ("2001:db8::10", "2001:db8::10/128")]
)
def test_outside_is_exactly_its_address(text: str, cidr: str) -> None:
    assert peers_of(an_edge(server=an_external(text))).peers == blocks(cidr)


def test_host_network_workload_is_the_addresses_of_its_nodes() -> None:
    pod = a_pod("agent-1", host_network=True, host_addresses=(address("172.18.0.2"), address("fc00::2")))
    edge = an_edge(server=an_endpoint("agent", host_network=True))
    assert peers_of(edge, objects=(pod,)).peers == blocks("172.18.0.2/32", "fc00::2/128")
    assert "not known" in peers_of(edge, objects=()).reason


def test_node_is_all_of_its_addresses() -> None:
    server = an_edge(server=NODE, addresses=(address("172.18.0.2"), address("10.1.1.1")))
    assert peers_of(server).peers == blocks("10.1.1.1/32", "172.18.0.2/32")
    client = an_edge(NODE, "web")
    node = Node("node-1", (address("fc00::2"),))
    assert peers_of(client, end=client.client, objects=(*deployed("web"), node)).peers == blocks(
        "172.18.0.2/32", "fc00::2/128"
    )
    assert "not known" in peers_of(client, end=client.client, objects=()).reason


def test_api_server_is_its_service_and_its_endpoints() -> None:
    edge = an_edge(
        server=API_SERVER, addresses=(address("10.96.0.1"), address("172.18.0.2")), ports=(443, 6443)
    )
    assert peers_of(edge).peers == blocks("10.96.0.1/32", "172.18.0.2/32")


def test_api_server_by_one_endpoint_alone_is_good_enough() -> None:
    edge = an_edge(server=API_SERVER, port=6443, addresses=(address("172.18.0.2"),))
    assert peers_of(edge).peers == blocks("172.18.0.2/32")


def test_api_server_without_readable_endpoints_is_unresolved() -> None:
    found = peers_of(an_edge(server=API_SERVER, port=443, addresses=()))
    assert found.peers == ()
    assert "not readable" in found.reason


def test_private_address_of_nobody_never_becomes_a_block_by_itself() -> None:
    found = peers_of(an_edge(server=an_unknown("10.9.8.7", names=("api.shop.svc",))))
    assert found.peers == ()
    assert "10.9.8.7 (api.shop.svc)" in found.reason


def test_service_without_endpoints_is_unresolved() -> None:
    service = Endpoint(EndpointKind.SERVICE, namespace="shop", name="empty")
    assert "shop/Service/empty has no endpoints" in peers_of(an_edge(server=service)).reason


@pytest.mark.parametrize(
    "end",
    [
        an_unknown(),
        an_external(),
        NODE,
        API_SERVER,
        Endpoint(EndpointKind.SERVICE, namespace="shop", name="x"),
    ],
)
def test_decision_names_the_end_that_is_no_workload(end: Endpoint) -> None:
    found = peers_of(an_edge(server=end), decided=DECIDED, ports=(6443,))
    assert found == Resolution((DECIDED,), ports=(6443,), decided=True)


PODS_DECIDED = Peer(pod_selector=labels_selector({"app": "db"}))
INCOMPLETE = [
    (an_unknown("10.96.0.9"), PODS_DECIDED),
    (NODE, PODS_DECIDED),
    (an_external(), PODS_DECIDED),
    (Endpoint(EndpointKind.SERVICE, namespace="shop", name="x"), PODS_DECIDED),
    (API_SERVER, PODS_DECIDED),
    (API_SERVER, DECIDED),
]


@pytest.mark.parametrize(("server", "peer"), INCOMPLETE)
def test_pods_behind_what_may_be_a_service_need_their_own_port(server: Endpoint, peer: Peer) -> None:
    edge = an_edge(server=server)
    found = peers_of(edge, decided=peer)
    assert (found.peers, found.decided) == ((), True)
    assert "Service" in found.reason
    given = peers_of(edge, decided=peer, ports=(5433,))
    assert given == Resolution((peer,), ports=(5433,), decided=True)


@pytest.mark.parametrize("server", [an_unknown(), an_external(), NODE])
def test_decided_block_has_the_port_that_was_dialled(server: Endpoint) -> None:
    assert peers_of(an_edge(server=server), decided=DECIDED) == Resolution((DECIDED,), decided=True)


def test_address_out_of_a_nodes_pod_range_is_a_pods_own_and_its_port_too() -> None:
    edge = an_edge(server=an_unknown("10.244.2.9"))
    objects = (*PODS, Node("node-2", pod_ranges=("10.244.2.0/24",)))
    assert peers_of(edge, decided=PODS_DECIDED, objects=objects).peers == (PODS_DECIDED,)


def test_api_server_with_readable_endpoints_needs_no_port_to_be_said() -> None:
    edge = an_edge(server=API_SERVER, addresses=(address("172.18.0.2"),), ports=(443, 6443))
    assert peers_of(edge, decided=DECIDED).peers == (DECIDED,)


def test_decided_client_needs_no_port_since_the_servers_is_seen() -> None:
    edge = an_edge(an_unknown(), "web")
    assert peers_of(edge, end=edge.client, decided=PODS_DECIDED, ports=(1,)) == Resolution(
        (PODS_DECIDED,), decided=True
    )


def test_ports_alone_change_a_server_that_is_known() -> None:
    found = peers_of(an_edge(server=an_external(), port=443), ports=(8443,))
    assert found == Resolution(blocks("203.0.113.10/32"), ports=(8443,), decided=True)
    assert not peers_of(an_edge(server=an_unknown()), ports=(8443,)).peers


def test_named_port_of_a_block_is_refused() -> None:
    found = peers_of(an_edge(server=an_unknown()), decided=DECIDED, ports=("pg", 1))
    assert found.peers == ()
    assert "pg" in found.reason


def test_only_a_peer_names_an_end() -> None:
    edge = an_edge(server=an_unknown())
    for decision, named in (
        (Decision(edge.id, Verdict.ACCEPT, DECIDED), True),
        (Decision(edge.id, Verdict.ACCEPT, ports=(1,)), False),
    ):
        assert Peers(a_timeline(), {edge.id: decision}).names(edge) is named
    assert not Peers(a_timeline(), {}).names(edge)


def test_ports_of_a_known_workload_stay() -> None:
    decision = Decision("x", Verdict.ACCEPT, ports=(1,))
    assert decided_ports(an_edge(), decision) == ()
    assert decided_ports(an_edge(server=an_unknown()), decision) == (1,)
    assert decided_ports(an_edge(server=an_unknown()), None) == ()


def test_decision_leaves_the_end_that_is_a_workload_alone() -> None:
    edge = an_edge(an_unknown(), "web")
    assert peers_of(edge, end=edge.client, decided=DECIDED).peers == (DECIDED,)
    assert peers_of(edge, end=edge.server, decided=DECIDED).peers == (pods("web"),)
    both = an_edge()
    assert peers_of(both, decided=DECIDED).peers == (pods("api"),)


def test_decision_speaks_for_a_workload_that_no_label_tells() -> None:
    bare = a_pod("one", owner=None, labels={})
    edge = an_edge(server=an_endpoint("one", owner_kind="Pod"))
    assert peers_of(edge, decided=DECIDED, objects=(bare,)).peers == (DECIDED,)


def test_decision_without_a_peer_changes_no_peer() -> None:
    edge = an_edge()
    decisions = {edge.id: Decision(edge.id, Verdict.ACCEPT)}
    found = Peers(a_timeline(*deployed("api")), decisions).of(edge, edge.server, namespace="shop")
    assert found.peers == (pods("api"),)


def test_peers_are_made_of_canonical_parts() -> None:
    assert address_peer(address("2001:DB8:0::1")).ip_block == IPBlock("2001:db8::1/128")
    selector = LabelSelector((("app", "x"),))
    assert replace(pods_peer(selector, "a", "b"), namespace_selector=None) == pods_peer(selector, "a", "a")
