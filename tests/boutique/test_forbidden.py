"""The forbidden pairs: enough, of every kind, none an edge, and all of them possible without policies."""

from __future__ import annotations

from tests.e2e.boutique.edges import all_edges
from tests.e2e.boutique.forbidden import CANARIES, ELSEWHERE, FEW_PAIRS, ForbiddenPair, forbidden_pairs
from tests.e2e.boutique.player import Listen
from tests.e2e.boutique.workloads import OUTSIDER, UNDECLARED_PORT, Workload, boutique

BY_NAME = {workload.name: workload for workload in boutique(outside=True)} | {
    ELSEWHERE + workload.name: workload for workload in OUTSIDER
}


def tcp_families(workload: Workload, port: int) -> set[int]:
    """Return the families on which a workload's pod accepts TCP on this port."""
    listens = (*workload.listens, Listen(UNDECLARED_PORT))
    found = [item for item in listens if item.port == port and item.protocol != "udp"]
    return {family for item in found for family in ((4, 6) if item.families == "dual" else (4,))}


def test_there_are_enough_of_every_kind() -> None:
    pairs = forbidden_pairs(outside=True)

    assert len(forbidden_pairs(outside=False)) >= 25
    assert len(pairs) == len(set(pairs))
    assert {pair.family for pair in pairs} == {4, 6}
    assert any(pair.client.startswith(ELSEWHERE) for pair in pairs)
    assert any(pair.target.startswith(ELSEWHERE) for pair in pairs)
    assert {pair.client for pair in pairs} <= set(BY_NAME)


def test_none_is_an_edge() -> None:
    edges = {(edge.client, edge.server, edge.port) for edge in all_edges(outside=True)}

    assert {(pair.client, pair.target, pair.port) for pair in forbidden_pairs(outside=True)} & edges == set()


def test_every_pod_that_is_asked_would_accept() -> None:
    for pair in {*forbidden_pairs(outside=True), *FEW_PAIRS, *CANARIES}:
        if pair.is_pod:
            assert pair.family in tcp_families(BY_NAME[pair.target], pair.port), str(pair)


def test_only_clients_that_may_resolve_are_asked_by_name() -> None:
    for pair in forbidden_pairs(outside=True):
        if pair.by_name:
            assert BY_NAME[pair.client].calls, f"without any call there is no DNS either: {pair}"


def test_what_is_a_pod_and_what_is_an_address() -> None:
    assert ForbiddenPair("a", "redis-cart", 1).is_pod
    assert ForbiddenPair("a", "outsider/server", 1).is_pod
    assert not ForbiddenPair("a", "203.0.113.20", 1).is_pod
    assert not ForbiddenPair("a", "2001:db8::20", 1, 6).is_pod
    assert not ForbiddenPair("a", "api.example.test", 1).is_pod
