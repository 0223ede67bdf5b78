"""Lanes find exactly the records that the plain walk finds, or step aside."""

from __future__ import annotations

import random
import struct

import pytest

from kubectl_netpolgen.packets.columns.walk import find_records
from kubectl_netpolgen.packets.pcap import FileHeader, Stretch


def some_records(seed: int, count: int, *, byte_order: str = "<", mean: int = 300) -> bytes:
    chance = random.Random(seed)
    parts = []
    for number in range(count):
        size = min(int(chance.expovariate(1 / mean)) + 14, 60000)
        body = chance.randbytes(size)
        parts.append(
            struct.pack(f"{byte_order}IIII", 1_700_000_000 + number // 500, number % 500, size, size)
        )
        parts.append(body)
    return b"".join(parts)


def plainly(buffer: bytes, byte_order: str, ahead: int = 16) -> tuple[list[int], int]:
    found, position = [], 0
    while position + ahead <= len(buffer):
        (captured,) = struct.unpack_from(f"{byte_order}I", buffer, position + 8)
        if captured > 256 << 10 or position + ahead + captured > len(buffer):
            break
        found.append(position)
        position += ahead + captured
    return found, position


def whole(buffer: bytes) -> Stretch:
    return Stretch(buffer, 0, len(buffer), len(buffer))


def a_header(byte_order: str = "<") -> FileHeader:
    return FileHeader(byte_order, 1000, 1, lengths_may_be_swapped=False)


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize(("count", "mean"), [(0, 300), (3, 300), (12000, 300), (40000, 60), (400, 9000)])
def test_the_records_are_those_of_the_plain_walk(byte_order: str, count: int, mean: int) -> None:
    buffer = some_records(count, count, byte_order=byte_order, mean=mean)
    for cut in (len(buffer), max(0, len(buffer) - 7)):
        offsets, position = find_records(Stretch(buffer, 0, cut, cut), a_header(byte_order))
        assert (offsets.tolist(), position) == plainly(buffer[:cut], byte_order)


@pytest.mark.parametrize("seed", range(5))
def test_damage_in_the_middle_stops_it_where_the_plain_walk_stops(seed: int) -> None:
    buffer = bytearray(some_records(seed, 12000))
    chance = random.Random(seed)
    at = plainly(bytes(buffer), "<")[0][chance.randrange(12000)]
    buffer[at + 8 : at + 12] = chance.randbytes(4)
    offsets, position = find_records(whole(bytes(buffer)), a_header())
    assert (offsets.tolist(), position) == plainly(bytes(buffer), "<")


def test_packets_that_hold_records_do_not_mislead_it() -> None:
    inside = some_records(1, 60)
    record = struct.pack("<IIII", 1_700_000_000, 0, len(inside), len(inside)) + inside
    buffer = record * 120
    offsets, position = find_records(whole(buffer), a_header())
    assert (offsets.tolist(), position) == plainly(buffer, "<")


def test_records_of_nothing_are_found_too() -> None:
    buffer = struct.pack("<IIII", 1_700_000_000, 0, 0, 0) * 100_000
    offsets, position = find_records(whole(buffer), a_header())
    assert (offsets.tolist(), position) == plainly(buffer, "<")


@pytest.mark.parametrize(("count", "mean"), [(200, 300), (12000, 300), (400, 9000)])
def test_a_stretch_has_the_records_that_begin_in_it_and_end_where_they_may(count: int, mean: int) -> None:
    buffer = some_records(count, count, mean=mean)
    everything, _ = plainly(buffer, "<")
    begin, limit = everything[count // 10], everything[-count // 10] - 5
    size = everything[-count // 20]
    offsets, position = find_records(Stretch(buffer, begin, limit, size), a_header())
    expected = [offset for offset in everything if begin <= offset < limit]
    assert offsets.tolist() == expected
    assert position == everything[everything.index(expected[-1]) + 1]
    # the last that begins in it is not whole when the stretch ends before it does
    offsets, position = find_records(Stretch(buffer, begin, limit, position - 1), a_header())
    assert (offsets.tolist(), position) == (expected[:-1], expected[-1])
