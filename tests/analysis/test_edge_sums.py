"""Sightings of all vantage points joined: stable ids, counts from one side, the stronger word."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.edge_sums import EdgeSums
from kubectl_netpolgen.analysis.edges import edge_order
from kubectl_netpolgen.analysis.evidence import flow_evidence
from kubectl_netpolgen.analysis.flow_table import FlowTable, table_of
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.sightings import Sighting, Vantage
from kubectl_netpolgen.model.edge import Confidence, Edge, Endpoint, EndpointKind, Evidence, Role
from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import EndpointSlice, Node, SliceEndpoint
from tests.factories import (
    NOON,
    SECOND,
    a_flow,
    a_network,
    a_pod,
    a_service,
    a_service_port,
    a_timeline,
    address,
    an_endpoint,
    an_external,
    networks_of,
)

API_SERVER = Endpoint(EndpointKind.API_SERVER)


def a_sighting(vantage: Vantage = Vantage.SERVER, **changes: Any) -> Sighting:
    """web to api, seen from one side."""
    return Sighting(
        **{
            "client": an_endpoint("web"),
            "server": an_endpoint("api"),
            "protocol": Protocol.TCP,
            "port": 8080,
            "vantage": vantage,
            "outcome": Outcome.ESTABLISHED,
            "direction": Direction.SYN,
            "connections": 3,
            "bytes": 3000,
            "first": NOON,
            "last": NOON + SECOND,
            "evidence": Evidence(f"captures/{vantage.value}", "tcp", 10),
            **changes,
        }
    )


def joined(*sightings: Sighting, identities: Identities | None = None) -> tuple[Edge, ...]:
    """The edges of sightings in a cluster that nobody could read."""
    sums = EdgeSums(FlowTable())
    sums.add(sightings)
    return sums.edges(identities or Identities(a_timeline(), {}))


def test_both_vantage_points_are_one_edge_counted_once() -> None:
    (edge,) = joined(a_sighting(Vantage.CLIENT, connections=2, bytes=9000), a_sighting(Vantage.SERVER))
    assert (edge.connections, edge.bytes) == (3, 3000)
    assert [item.file for item in edge.evidence] == ["captures/client", "captures/server"]


def test_counts_of_several_pods_at_one_side_add_up() -> None:
    (edge,) = joined(
        a_sighting(connections=1, bytes=100, client_pod="u1", server_pod="s1"),
        a_sighting(connections=2, bytes=50, client_pod="u2", server_pod="s1"),
        a_sighting(Vantage.CLIENT, connections=1, bytes=70, client_pod="u1"),
    )
    assert (edge.connections, edge.bytes) == (3, 150)
    assert (edge.client_pods, edge.server_pods) == (("u1", "u2"), ("s1",))


def test_sockets_alone_have_no_counts() -> None:
    (edge,) = joined(a_sighting(Vantage.SOCKETS, connections=0, bytes=0, direction=Direction.LISTEN))
    assert (edge.connections, edge.bytes) == (None, None)
    assert edge.confidence is Confidence.HIGH
    assert [item.file for item in edge.evidence] == ["captures/sockets"]


def test_sockets_add_what_they_know_and_no_evidence_beside_packets() -> None:
    (edge,) = joined(
        a_sighting(outcome=Outcome.UNKNOWN, direction=Direction.HEURISTIC),
        a_sighting(Vantage.SOCKETS, direction=Direction.LISTEN, first=NOON - SECOND),
    )
    assert (edge.outcome, edge.direction, edge.confidence) == (
        Outcome.ESTABLISHED,
        Direction.LISTEN,
        Confidence.HIGH,
    )
    assert [item.file for item in edge.evidence] == ["captures/server"]
    assert edge.first == NOON


def test_one_success_makes_the_edge_real() -> None:
    (edge,) = joined(a_sighting(outcome=Outcome.REFUSED), a_sighting(Vantage.CLIENT))
    assert edge.outcome is Outcome.ESTABLISHED


def test_tcp_and_udp_on_one_port_are_two_edges() -> None:
    assert len(joined(a_sighting(), a_sighting(protocol=Protocol.UDP), a_sighting(port=8081))) == 3


def test_names_of_an_outside_address_are_gathered() -> None:
    first, second = (an_external("203.0.113.10", name) for name in ("b.test", "a.test"))
    (edge,) = joined(a_sighting(server=first), a_sighting(server=second))
    assert edge.server.names == ("a.test", "b.test")
    assert edge.addresses == ("203.0.113.10",)


def test_edge_is_a_probe_only_when_nothing_but_probes_made_it() -> None:
    probe, other = a_sighting(role=Role.PROBE), a_sighting()
    assert joined(probe, probe)[0].role is Role.PROBE
    assert joined(probe, other)[0].role is None


def test_role_of_an_end_is_kept_when_any_sighting_knew_it() -> None:
    dns = an_endpoint("api", role=Role.DNS)
    (edge,) = joined(a_sighting(), a_sighting(Vantage.CLIENT, server=dns))
    assert edge.server.role is Role.DNS


def test_api_server_has_all_addresses_and_ports_once_its_endpoints_are_known() -> None:
    service = a_service(
        "kubernetes", "10.96.0.1", namespace="default", selector={}, ports=(a_service_port(443, 6443),)
    )
    piece = EndpointSlice(
        "default", "k", "kubernetes", (SliceEndpoint((address("172.18.0.2"),)),), (("", Protocol.TCP, 6443),)
    )
    (edge,) = joined(
        a_sighting(server=API_SERVER, port=6443), identities=Identities(a_timeline(service, piece), {})
    )
    assert edge.addresses == ("10.96.0.1", "172.18.0.2")
    assert edge.ports == (443, 6443)


def test_api_server_behind_an_unreadable_service_has_no_addresses_that_a_rule_could_use() -> None:
    service = a_service(
        "kubernetes", namespace="default", addresses=(address("10.96.0.1"), address("fd00:96::1"))
    )
    networks = networks_of(a_network(api_server=(address("10.96.0.1"), 443)))
    (edge,) = joined(
        a_sighting(server=API_SERVER, port=443), identities=Identities(a_timeline(service), networks)
    )
    assert edge.addresses == ()


def test_node_has_its_own_addresses_and_those_its_pods_report() -> None:
    pod = a_pod(host_addresses=(address("172.18.0.2"), address("fc00::2")))
    timeline = a_timeline(pod, Node("node-1", (address("172.18.0.2"), address("10.1.1.1"))))
    (edge,) = joined(
        a_sighting(server=Endpoint(EndpointKind.NODE, name="node-1")), identities=Identities(timeline, {})
    )
    assert edge.addresses == ("10.1.1.1", "172.18.0.2", "fc00::2")


SIGHTINGS = st.lists(
    st.builds(
        a_sighting,
        st.sampled_from(Vantage),
        client=st.sampled_from(["a", "b"]).map(an_endpoint),
        server=st.sampled_from(
            [an_endpoint("a"), an_external("203.0.113.10", "x.test"), an_external("203.0.113.10")]
        ),
        outcome=st.sampled_from(Outcome),
        direction=st.sampled_from(Direction),
        connections=st.integers(0, 5),
        bytes=st.integers(0, 5),
        first=st.integers(0, 9),
        role=st.sampled_from([None, Role.DNS]),
        port_name=st.sampled_from(["", "http"]),
        client_pod=st.sampled_from(["", "u1", "u2"]),
    ),
    max_size=8,
)


@given(SIGHTINGS, st.randoms(use_true_random=False))
def test_order_of_sightings_does_not_matter(sightings: list[Sighting], random: Any) -> None:
    shuffled = list(sightings)
    random.shuffle(shuffled)
    edges = joined(*sightings)
    assert joined(*shuffled) == edges
    assert list(edges) == sorted(edges, key=edge_order)


def test_rows_of_flows_become_evidence_in_the_order_of_files() -> None:
    flows = [a_flow(capture="captures/b"), a_flow(capture="captures/a", server_port=8080)]
    sums = EdgeSums(table_of(flows))
    sums.add(a_sighting(evidence=row) for row in (0, 1, 0))
    (edge,) = sums.edges(Identities(a_timeline(), {}))
    assert list(edge.evidence) == [flow_evidence(flows[1]), flow_evidence(flows[0])]


def test_edges_that_were_seen_are_known_by_their_keys() -> None:
    sums = EdgeSums(FlowTable())
    sums.add([a_sighting(), a_sighting(Vantage.SOCKETS, port=9)])
    assert a_sighting().edge in sums and a_sighting(port=9).edge in sums
    assert a_sighting(port=10).edge not in sums
