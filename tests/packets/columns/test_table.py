"""The table of columns answers every question as the table of halves does."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kubectl_netpolgen.packets.columns.table import ColumnTable
from kubectl_netpolgen.packets.engines import PairTable, Table
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.network import TCP
from kubectl_netpolgen.packets.sums import FlowOrder, FlowSum
from kubectl_netpolgen.packets.table import Context, HalfTable, Rows
from tests.packets.columns.captures import read_with, some_traffic
from tests.packets.columns.test_storage import RAW, a_row
from tests.packets.factories import a_pcap


def added(sums: Iterable[tuple[FlowOrder, FlowSum]]) -> dict[FlowOrder, tuple[object, ...]]:
    found: dict[FlowOrder, FlowSum] = {}
    for order, total in sums:
        found[order] = found[order].add(total) if order in found else total
    return {order: total.as_row() for order, total in found.items()}


def shapes(parts: Iterable[Rows]) -> dict[tuple[Context, bytes], tuple[object, ...]]:
    def shape(half: Half) -> tuple[object, ...]:
        return half.packets, half.bytes, half.first, half.last, half.signals & 0xFFFF, set(half.openings)

    return {
        (context, key): shape(half)
        for rows in parts
        for context, halves in rows.items()
        for key, half in halves.items()
    }


def tables() -> tuple[Table, Table]:
    """The same halves, once in columns and once as objects."""
    columns, halves = ColumnTable(HalfTable()), HalfTable()
    for number, raw in enumerate(RAW):
        for connection in range(number % 3 + 1):
            rows, notes = a_row(raw, number=connection)
            columns.add(rows, notes)
            half = halves.half(Context(TCP), raw)
            half.packets += 1
            half.bytes += 60
            half.first, half.last, half.signals = 5, 9, 1
            half.open(connection)
    return columns, PairTable(halves)


def test_flows_halves_and_pairs_are_the_same() -> None:
    columns, halves = tables()
    assert shapes(columns.parts()) == shapes(halves.parts())
    assert added(columns.sums(frozenset())) == added(halves.sums(frozenset()))
    one = sorted((pair.key, pair.verdict) for pair in columns.pairs(frozenset()))
    assert one == sorted((pair.key, pair.verdict) for pair in halves.pairs(frozenset()))


def test_a_flow_has_as_many_client_ports_and_connections_as_were_seen() -> None:
    columns, _ = tables()
    found = added(columns.sums(frozenset()))
    assert len(found) == len(RAW)
    assert sum(int(str(row[0])) for row in found.values()) == len(RAW)
    assert sum(int(str(row[9])) for row in found.values()) == sum(
        number % 3 + 1 for number in range(len(RAW))
    )


@pytest.mark.parametrize("most", [10, 10**6])
def test_the_ends_that_handshakes_prove_are_the_same(most: int) -> None:
    content = a_pcap(some_traffic(11, 100))
    exact, fast = read_with("exact", content), read_with("fast", content, most=most)
    assert exact.proven
    assert fast.proven == exact.proven


def test_an_empty_table_has_nothing() -> None:
    table = ColumnTable(HalfTable())
    assert (shapes(table.parts()), added(table.sums(frozenset())), table.proven()) == ({}, {}, frozenset())
    table.close()
