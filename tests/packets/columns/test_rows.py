"""Rows of the same half add as halves add."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.columns.keys import Keys, keys_of
from kubectl_netpolgen.packets.columns.rows import (
    Notes,
    Rows,
    add_rows,
    join_notes,
    join_rows,
    order_rows,
    pack_notes,
    pack_rows,
    unpack_notes,
    unpack_rows,
)
from kubectl_netpolgen.packets.network import TCP

RAW = [bytes(8) + bytes((0, number, 0, 80)) for number in range(4)] + [bytes(32) + b"\0\1\0\2"]
values = st.lists(st.tuples(st.integers(0, 4), *[st.integers(0, 1000)] * 6), min_size=1, max_size=30)


def some_rows(content: list[tuple[int, ...]]) -> Rows:
    keys = keys_of([RAW[which] for which, *_ in content], TCP)
    table = np.array([numbers for _, *numbers in content], np.int64)
    return Rows(keys, *(np.ascontiguousarray(table[:, column]) for column in range(6)))


def told(rows: Rows) -> list[tuple[int, ...]]:
    columns = [*rows.keys, *rows[1:]]
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


@given(values, st.integers(0, 30))
def test_adding_in_parts_is_adding_at_once(content: list[tuple[int, ...]], cut: int) -> None:
    whole = add_rows(some_rows(content))
    parts = [some_rows(part) for part in (content[:cut], content[cut:]) if part]
    assert told(add_rows(join_rows([add_rows(part) for part in parts]))) == told(whole)


@given(values)
def test_each_column_adds_in_its_own_way(content: list[tuple[int, ...]]) -> None:
    found = {row[:6]: row[6:] for row in told(add_rows(some_rows(content)))}
    assert len(found) == len({which for which, *_ in content})
    for which in {which for which, *_ in content}:
        members = [numbers for member, *numbers in content if member == which]
        columns = list(zip(*members, strict=True))
        signals = 0
        for value in columns[4]:
            signals |= value
        key = tuple(int(column[0]) for column in keys_of([RAW[which]], TCP))
        ways = (sum, sum, min, max, None, max)
        expected = tuple(
            signals if way is None else way(column) for way, column in zip(ways, columns, strict=True)
        )
        assert found[key] == expected


@given(values)
def test_rows_come_back_from_bytes(content: list[tuple[int, ...]]) -> None:
    rows = some_rows(content)
    assert told(unpack_rows(pack_rows(rows) + pack_rows(rows))) == sorted(told(rows) * 2)


def test_nothing_adds_to_nothing() -> None:
    assert unpack_rows(b"").size == 0
    assert add_rows(unpack_rows(b"")).size == 0
    assert unpack_notes(b"").group.size == 0


def test_keys_of_the_same_hash_stay_apart() -> None:
    keys = keys_of(RAW * 2, TCP)
    confused = Keys(*keys[:5], np.zeros(len(RAW) * 2, np.uint64))
    order = order_rows(confused)
    assert order.begins.size == len(RAW)
    for begin, end in zip(order.begins, [*order.begins[1:], len(RAW) * 2], strict=True):
        assert len({RAW[row % len(RAW)] for row in order.rows[begin:end]}) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 5)), min_size=1))
def test_a_number_is_noted_once(content: list[tuple[int, int, int]]) -> None:
    table = np.array(content, np.uint64)
    notes = Notes(*(np.ascontiguousarray(table[:, column]) for column in range(3)))
    joined = join_notes([notes, unpack_notes(pack_notes(notes))])
    assert sorted(zip(*(column.tolist() for column in joined), strict=True)) == sorted(set(content))


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from([0, 1, 2, 3, 1 << 30, 1 << 63])), max_size=30))
def test_hashes_that_differ_in_lost_bits_only_are_told_apart(content: list[tuple[int, int]]) -> None:
    # the sort of few rows looks at the upper bits and the direction; everything else decides afterwards
    numbers = np.array([number for number, _ in content], np.uint64)
    groups = np.array([group for _, group in content], np.uint64)
    order = order_rows(Keys(numbers, numbers, numbers, numbers, numbers, groups))
    members = [content[at] for at in order.rows.tolist()]
    runs = np.split(np.arange(len(content)), order.begins[1:]) if content else []
    assert len(runs) == len(set(content))
    for run in runs:
        assert len({members[at] for at in run.tolist()}) == 1
        assert sorted(order.rows[run].tolist()) == order.rows[run].tolist()
