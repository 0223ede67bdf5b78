"""What an edge is called: stable, and of nothing but its ends, protocol and port."""

from __future__ import annotations

from dataclasses import replace

from kubectl_netpolgen.analysis.edges import accepted, edge_id, edge_order, failed, uncertain
from kubectl_netpolgen.model.edge import Role
from kubectl_netpolgen.model.flow import SEEN_OUTCOMES, Outcome
from kubectl_netpolgen.model.network import Protocol
from tests.factories import an_edge, an_endpoint


def test_ids_are_stable_across_releases_and_runs() -> None:
    assert edge_id(an_endpoint("web"), an_endpoint("api"), Protocol.TCP, 8080) == "065d27bb4599"


def test_id_says_who_whom_and_where_and_nothing_else() -> None:
    edge = an_edge()
    renamed = replace(edge.server, names=("api.test",), role=Role.DNS, host_network=True)
    assert edge_id(edge.client, renamed, Protocol.TCP, 8080) == edge.id
    others = {
        edge_id(edge.server, edge.client, Protocol.TCP, 8080),
        edge_id(edge.client, edge.server, Protocol.UDP, 8080),
        edge_id(edge.client, edge.server, Protocol.TCP, 8081),
        edge_id(edge.client, replace(edge.server, owner_kind="StatefulSet"), Protocol.TCP, 8080),
        edge_id(edge.client, replace(edge.server, namespace="other"), Protocol.TCP, 8080),
        edge.id,
    }
    assert len(others) == 6
    assert all(len(item) == 12 for item in others)


def test_hostile_names_have_ids_too() -> None:
    assert len(edge_id(an_endpoint("\ud800\x00"), an_endpoint("'\""), Protocol.TCP, 1)) == 12


def test_edges_are_sorted_by_client_server_protocol_and_port() -> None:
    edges = [
        an_edge(client=an_endpoint("a"), server=an_endpoint("b"), port=9),
        an_edge(client=an_endpoint("a"), server=an_endpoint("b"), protocol=Protocol.UDP, port=1),
        an_edge(client=an_endpoint("a"), server=an_endpoint("c"), port=1),
        an_edge(client=an_endpoint("b"), server=an_endpoint("a"), port=1),
    ]
    turned = list(reversed(edges))
    assert sorted(turned, key=edge_order) == edges


def test_edges_are_accepted_failed_or_uncertain() -> None:
    kinds = {
        outcome: (accepted(edge), failed(edge), uncertain(edge))
        for outcome in SEEN_OUTCOMES
        for edge in (an_edge(outcome=outcome),)
    }
    declared = an_edge(outcome=Outcome.DECLARED)
    assert not (accepted(declared) or failed(declared) or uncertain(declared))
    assert all(sum(kind) == 1 for kind in kinds.values())
    assert not accepted(an_edge(role=Role.PROBE))
    assert accepted(an_edge(role=Role.DNS))
