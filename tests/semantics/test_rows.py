"""Rows say what one pair after the other would: the same ports, every peer once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.rows import Piece, Rows, both, by_ports, partition
from tests.semantics.factories import policies
from tests.semantics.test_compiled import CLUSTERS, NAMESPACES, members_of
from tests.semantics.test_tier_rules import TIERS

MASKS = st.integers(0, 255)
PIECES = st.lists(st.tuples(MASKS, MASKS), max_size=6)


def ports_of(pieces: list[Piece] | tuple[Piece, ...], peer: int) -> int:
    found = 0
    for ports, peers in pieces:
        if peers >> peer & 1:
            found |= ports
    return found


@given(PIECES)
def test_a_partition_has_every_peer_once_with_all_of_its_ports(pairs: list[Piece]) -> None:
    found = partition(pairs)
    for peer in range(8):
        assert ports_of(found, peer) == ports_of(pairs, peer)
        assert sum(peers >> peer & 1 for _, peers in found) <= 1
    assert all(ports and peers for ports, peers in found)
    assert len({ports for ports, _ in found}) == len(found)


@given(PIECES, PIECES)
def test_what_two_have_in_common_is_so_for_every_peer(one: list[Piece], other: list[Piece]) -> None:
    first, second = partition(one), partition(other)
    found = both(first, second)
    for peer in range(8):
        assert ports_of(found, peer) == ports_of(first, peer) & ports_of(second, peer)
    assert found == partition(found)


def test_equal_ports_are_one_piece() -> None:
    assert by_ports([(2, 1), (1, 2), (2, 4)]) == ((1, 2), (2, 5))


@settings(max_examples=100)
@given(st.lists(policies(), max_size=4), CLUSTERS, NAMESPACES, st.just([]) | TIERS)
def test_a_row_is_that_class_with_each_other(
    found: list[NetworkPolicy],
    cluster: tuple[Pod, ...],
    namespaces: dict[str, dict[str, str]],
    tiers: list[TierPolicy],
) -> None:
    compiled = Compiled(found, members_of(cluster), namespaces, tiers=tiers)
    rows, count = Rows(compiled), len(compiled.classes.members)
    for client in range(count):
        row = rows.of(client)
        assert [ports_of(row, server) for server in range(count)] == [
            compiled.between(client, server) for server in range(count)
        ]
        assert rows.of(client) is row
