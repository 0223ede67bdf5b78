"""Rows come back whole, from memory or from disk, with what the other code counted of the same halves."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.packets.columns.keys import keys_of
from kubectl_netpolgen.packets.columns.rows import Notes, Rows
from kubectl_netpolgen.packets.columns.storage import Part, Storage
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.table import Context, HalfTable, reverse

RAW = [bytes((10, 0, 0, number)) + bytes((10, 0, 1, 1)) + bytes((0, number, 0, 80)) for number in range(40)]


def a_row(raw: bytes, *, packets: int = 1, number: int | None = None) -> tuple[Rows, Notes]:
    keys = keys_of([raw], TCP)

    def one(value: int) -> NDArray[np.int64]:
        return np.array([value], np.int64)

    rows = Rows(keys, *map(one, (packets, 60 * packets, 5, 9, 1, 0)))
    notes = Notes(*(np.zeros(0, np.uint64) for _ in range(3)))
    if number is not None:
        notes = Notes(keys.group, np.zeros(1, np.uint64), np.array([number], np.uint64))
    return rows, notes


def told(parts: list[Part]) -> dict[bytes, int]:
    """Packets by what tells halves apart."""
    found: dict[bytes, int] = {}
    for part in parts:
        for *key, packets in zip(
            *(column.tolist() for column in part.rows.keys), part.rows.packets.tolist(), strict=True
        ):
            assert repr(key).encode() not in found
            found[repr(key).encode()] = packets
    return found


@given(st.lists(st.integers(0, 39), max_size=60), st.integers(1, 50))
@settings(deadline=None)
def test_what_went_in_comes_out_added_up(which: list[int], most: int) -> None:
    roomy, tight = Storage(HalfTable()), Storage(HalfTable(), most=most)
    for storage in (roomy, tight):
        for number in which:
            storage.add(*a_row(RAW[number]))
            storage.relieve()
    expected = told(list(roomy.parts()))
    assert sum(expected.values()) == len(which)
    assert told(list(tight.parts())) == expected == told(list(tight.parts()))
    tight.close()


def test_both_directions_are_in_one_part() -> None:
    storage = Storage(HalfTable(), most=1)
    for raw in RAW:
        storage.add(*a_row(raw))
        storage.add(*a_row(reverse(raw)))
        storage.relieve()
    halves = [part.rows.size for part in storage.parts()]
    assert sum(halves) == 80
    assert all(size % 2 == 0 for size in halves)
    storage.close()


def test_what_the_other_code_counted_adds_to_the_row_and_is_at_its_aside() -> None:
    for most in (1000, 1):
        halves = HalfTable()
        half = halves.half(Context(TCP), RAW[0])
        half.count(3, 100)
        half.open(77)
        half.call(PeerName("a.test", NameSource.SNI))
        halves.mark(Context(UDP), RAW[1]).signals = 64
        storage = Storage(halves, most=most)
        storage.add(*a_row(RAW[0], packets=2, number=78))
        storage.relieve()
        parts = list(storage.parts())
        rows = [(part, row) for part in parts for row in range(part.rows.size)]
        packets = sorted(int(part.rows.packets[row]) for part, row in rows)
        assert packets == [0, 3]
        part, row = next((part, row) for part, row in rows if part.rows.packets[row])
        columns = part.rows
        assert (columns.bytes[row], columns.first[row], columns.last[row]) == (220, 3, 9)
        assert list(part.asides[columns.aside[row] - 1].names) == [("a.test", "sni")]
        assert sorted(part.notes.number.tolist()) == [77, 78]
        storage.close()


def test_nothing_is_one_part_with_nothing() -> None:
    (part,) = Storage(HalfTable()).parts()
    assert (part.rows.size, part.notes.group.size, part.asides) == (0, 0, [])
