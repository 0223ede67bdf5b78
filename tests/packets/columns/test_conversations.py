"""Columns are judged as pairs are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.packets.columns.conversations import numbers_by_half, orient
from kubectl_netpolgen.packets.columns.storage import Storage
from kubectl_netpolgen.packets.conversations import connection_numbers, pair_halves
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.sums import DIRECTION_RANKS, OUTCOME_RANKS
from kubectl_netpolgen.packets.table import Context, End, HalfTable, destination_end, reverse, source_end

PORTS = (53, 80, 40000, 50051)
ends = st.tuples(st.integers(1, 3), st.sampled_from(PORTS), st.integers(1, 3), st.sampled_from(PORTS))
halves = st.lists(
    st.tuples(
        st.sampled_from([TCP, UDP]),
        st.booleans(),
        ends,
        st.integers(0, 255),
        st.lists(st.integers(0, 9), max_size=3),
        st.lists(st.integers(0, 3), max_size=4),
    ),
    max_size=12,
)


def a_key(one: int, port: int, other: int, to: int, *, six: bool) -> bytes:
    fill = bytes(15 if six else 3)
    return fill + bytes((one,)) + fill + bytes((other,)) + port.to_bytes(2, "big") + to.to_bytes(2, "big")


@given(halves, st.sets(st.integers(0, 11)))
@settings(max_examples=200, deadline=None)
def test_the_verdicts_are_those_of_the_pairs(
    content: list[tuple[int, bool, tuple[int, int, int, int], int, list[int], list[int]]], chosen: set[int]
) -> None:
    table = HalfTable()
    proven: set[End] = set()
    for number, (protocol, six, where, signals, times, numbers) in enumerate(content):
        key = a_key(*where, six=six)
        half = table.half(Context(protocol), key)
        for time in times:
            half.count(time, 60)
        half.signals |= signals
        for value in numbers:
            half.open(value)
            half.accept(value + 1)
        if number in chosen:
            proven.add((protocol, source_end(key)))
            proven.add((protocol, destination_end(reverse(key))))
    pairs = sorted(
        (
            pair.client.packets,
            pair.server.packets,
            DIRECTION_RANKS[pair.verdict.direction],
            OUTCOME_RANKS[pair.verdict.outcome],
            max(1, len(connection_numbers(pair.client, pair.server))),
            int.from_bytes(pair.key[-2:], "big"),
        )
        for rows in table.parts()
        for pair in pair_halves(rows, frozenset(proven))
    )
    (part,) = Storage(table).parts()
    found = orient(part, frozenset(proven))
    columns = (
        found.of(part.rows.packets, found.client, 0),
        found.of(part.rows.packets, found.server, 0),
        found.direction,
        found.outcome,
        found.connections,
        found.word & 0xFFFF,
    )
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == pairs


@pytest.mark.parametrize("six", [False, True])
def test_the_numbers_of_a_half_are_told_apart_by_who_began(six: bool) -> None:
    table = HalfTable()
    half = table.half(Context(TCP), a_key(1, 40000, 2, 80, six=six))
    half.count(0, 60)
    for number in (5, 6):
        half.open(number)
    half.accept(7)
    (part,) = Storage(table).parts()
    rows = part.rows.packets.nonzero()[0]
    assert numbers_by_half(part, rows) == {(0, 0): {5, 6}, (0, 1): {7}}
