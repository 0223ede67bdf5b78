from __future__ import annotations

from itertools import permutations

import pytest

from kubectl_netpolgen.packets.fragments import MOST_PACKETS, Fragments, Identity
from kubectl_netpolgen.packets.network import UDP
from kubectl_netpolgen.packets.table import Context, HalfTable

HERE = Context(UDP)
KEY, OTHER = b"ccccsssspppp", b"ccccssssqqqq"


def an_identity(number: int = 1, *, vlan: int | None = None) -> Identity:
    return UDP, b"ccccssss", number.to_bytes(2, "big"), vlan, None


def counted(table: HalfTable, key: bytes = KEY, context: Context = HERE) -> tuple[int, int]:
    """Later fragments on a row, and their bytes."""
    extra = table.mark(context, key).more
    return extra.fragments, extra.fragment_bytes


@pytest.mark.parametrize("order", list(permutations(["first", 1000, 300])))
def test_later_fragments_count_on_the_row_of_the_first_in_any_order(order: tuple[str | int, ...]) -> None:
    table = HalfTable()
    fragments = Fragments(table)
    for item in order:
        if isinstance(item, int):
            fragments.add(an_identity(), item)
        else:
            fragments.begin(an_identity(), HERE, KEY)
    assert counted(table) == (2, 1300)
    assert fragments.attributed == 2


def test_they_are_in_no_other_count_of_the_row() -> None:
    table = HalfTable()
    half = table.half(HERE, KEY)
    half.count(5, 1514)
    fragments = Fragments(table)
    fragments.begin(an_identity(), HERE, KEY)
    fragments.add(an_identity(), 300)
    assert (half.packets, half.bytes, half.first, half.last) == (1, 1514, 5, 5)
    assert (half.more.fragments, half.more.fragment_bytes) == (1, 300)


def test_without_the_first_nobody_knows_whose_they_are() -> None:
    table = HalfTable()
    fragments = Fragments(table)
    fragments.add(an_identity(), 300)
    fragments.begin(an_identity(2), HERE, KEY)
    fragments.begin(an_identity(vlan=7), HERE, OTHER)
    assert fragments.attributed == 0
    assert counted(table) == counted(table, OTHER) == (0, 0)


def test_an_identification_that_comes_again_is_another_packet() -> None:
    table = HalfTable()
    fragments = Fragments(table)
    for key, size in ((KEY, 100), (OTHER, 200)):
        fragments.begin(an_identity(), HERE, key)
        fragments.add(an_identity(), size)
    assert (counted(table), counted(table, OTHER)) == ((1, 100), (1, 200))


def test_what_waited_is_counted_once() -> None:
    table = HalfTable()
    fragments = Fragments(table)
    fragments.add(an_identity(), 100)
    fragments.begin(an_identity(), HERE, KEY)
    fragments.begin(an_identity(), HERE, OTHER)
    assert (counted(table), counted(table, OTHER)) == ((1, 100), (0, 0))


def test_they_find_their_row_after_it_was_spilled() -> None:
    table = HalfTable()
    table.half(HERE, KEY).count(5, 1514)
    fragments = Fragments(table)
    fragments.begin(an_identity(), HERE, KEY)
    table.spill()
    fragments.add(an_identity(), 300)
    (found,) = [rows[HERE][KEY] for rows in table.parts() if HERE in rows]
    table.close()
    assert (found.packets, found.more.fragments, found.more.fragment_bytes) == (1, 1, 300)


@pytest.mark.parametrize("number", range(4))
def test_of_very_many_fragmented_packets_the_oldest_are_forgotten(number: int) -> None:
    table = HalfTable()
    fragments = Fragments(table)
    for other in range(MOST_PACKETS + 2):
        fragments.begin(an_identity(other), HERE, KEY)
    fragments.add(an_identity(number), 1)
    assert fragments.attributed == (number >= 2)


@pytest.mark.parametrize("number", range(4))
def test_of_very_many_that_wait_the_oldest_are_forgotten(number: int) -> None:
    table = HalfTable()
    fragments = Fragments(table)
    for other in range(MOST_PACKETS + 1):
        fragments.add(an_identity(other), 1)
    # one that gets more is no longer the oldest
    fragments.add(an_identity(1), 1)
    fragments.add(an_identity(MOST_PACKETS + 1), 1)
    fragments.begin(an_identity(number), HERE, KEY)
    assert fragments.attributed == {0: 0, 1: 2, 2: 0, 3: 1}[number]
