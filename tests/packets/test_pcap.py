from __future__ import annotations

import io
import random
import struct
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.foreign import NotACapture
from kubectl_netpolgen.packets.pcap import CHUNK, LONGEST_FRAME, Record, Records, Stretch, read_header
from kubectl_netpolgen.packets.read_ahead import read_windows
from kubectl_netpolgen.packets.source import ByteSource
from tests.packets.factories import START, Packet, a_pcap

PATH = Path("pod.pcap")


def read(source: bytes | ByteSource) -> tuple[list[Record], Records]:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    records = Records(stream, read_header(stream, PATH))
    return list(records), records


def frames(found: list[Record]) -> list[bytes]:
    return [buffer[start:end] for buffer, start, end, _, _ in found]


class Dribbling:
    """A pipe that hands out a few bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        self._content = io.BytesIO(content)
        self._step = step

    def read(self, size: int, /) -> bytes:
        return self._content.read(min(size, self._step))


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_times_and_lengths_are_read_in_both_byte_orders_and_units(byte_order: str, nanoseconds: bool) -> None:
    packet = Packet(b"\x45" + bytes(30), time=START + 123_456_789, captured=20)
    found, records = read(a_pcap([packet], byte_order=byte_order, nanoseconds=nanoseconds))
    ((_, start, end, time, wire),) = found
    assert time == START + (123_456_789 if nanoseconds else 123_456_000)
    assert (end - start, wire) == (20, 45)
    assert (records.count, records.truncated) == (1, None)


def test_the_flag_bits_above_the_link_type_are_not_part_of_it() -> None:
    header = read_header(io.BytesIO(a_pcap([], link=0x3000_0001)), PATH)
    assert header.link_type == 1


def test_a_header_alone_is_an_empty_capture() -> None:
    found, records = read(a_pcap([]))
    assert (found, records.count, records.truncated) == ([], 0, None)


@pytest.mark.parametrize("length", range(24))
def test_a_header_cut_short_is_no_capture(length: int) -> None:
    with pytest.raises(NotACapture) as caught:
        read(a_pcap([])[:length])
    assert PATH.name in caught.value.message


@pytest.mark.parametrize("version", [(3, 0), (2, 5), (0, 0), (1, 2)])
def test_a_version_that_nobody_defined_is_read_and_noted(version: tuple[int, int]) -> None:
    content = a_pcap([bytes(60)], version=version)
    found, records = read(content)
    assert (frames(found), records.truncated) == ([bytes(60)], None)
    note = read_header(io.BytesIO(content), PATH).note
    assert note.startswith(f"pcap version {version[0]}.{version[1]} is not defined")
    assert read_header(io.BytesIO(a_pcap([])), PATH).note == ""


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_the_longer_records_of_a_patched_libpcap_are_read(byte_order: str) -> None:
    sent = [b"a", b"", bytes(CHUNK // 20), b"d"]
    content = a_pcap(sent, byte_order=byte_order, modified=True)
    assert read_header(io.BytesIO(content), PATH).record_header == 24
    found, records = read(content)
    assert (frames(found), records.truncated) == (sent, None)
    _, records = read(content[:-9])
    assert records.truncated is not None
    assert records.truncated.endswith("is lost: its header ends 8 bytes early")


def test_seconds_have_no_sign_and_a_fraction_may_be_more_than_a_second() -> None:
    content = bytearray(a_pcap([b"a"]))
    content[24:32] = struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF)
    ((_, _, _, time, _),), _ = read(bytes(content))
    assert time == 0xFFFFFFFF * 1_000_000_000 + 0xFFFFFFFF * 1000


def test_swapped_lengths_of_old_writers_are_put_right() -> None:
    content = bytearray(a_pcap([bytes(60)], version=(2, 2)))
    content[32:40] = struct.pack("<II", 100, 60)
    ((_, start, end, _, wire),), records = read(bytes(content))
    assert (end - start, wire, records.truncated) == (60, 100, None)
    _, records = read(bytes(content[:-3]))
    assert records.truncated == "record 1 at byte 24 is lost: it ends 3 bytes early"


def test_a_cut_record_is_told_and_everything_before_it_kept() -> None:
    content = a_pcap([bytes(60), bytes(70)])
    found, records = read(content[:-12])
    assert len(found) == records.count == 1
    assert records.truncated == "record 2 at byte 100 is lost: it ends 12 bytes early"


def test_a_cut_record_header_is_told() -> None:
    content = a_pcap([bytes(60), bytes(70)])
    _, records = read(content[:107])
    assert records.truncated == "record 2 at byte 100 is lost: its header ends 9 bytes early"


def test_a_length_that_no_capture_holds_stops_the_reading() -> None:
    content = a_pcap([bytes(60)]) + b"\xff" * 37
    found, records = read(content)
    assert len(found) == 1
    assert records.truncated is not None
    assert records.truncated == (
        "record 2 at byte 100 claims 4294967295 bytes, more than any capture holds (262144); "
        "it and all behind it are lost"
    )


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("modified", [False, True])
def test_every_prefix_keeps_the_records_before_the_cut(byte_order: str, modified: bool) -> None:
    sent = [b"a", b"", b"c" * 17]
    content = a_pcap(sent, byte_order=byte_order, modified=modified)
    ends = [24]
    for frame in sent:
        ends.append(ends[-1] + (24 if modified else 16) + len(frame))
    for length in range(24, len(content) + 1):
        found, records = read(content[:length])
        whole = sum(end <= length for end in ends[1:])
        assert (frames(found), records.count) == (sent[:whole], whole)
        if length in ends:
            assert records.truncated is None
        else:
            assert records.truncated is not None
            assert records.truncated.startswith(f"record {whole + 1} at byte {ends[whole]} is lost: it")


def test_records_across_the_ends_of_chunks_stay_whole() -> None:
    sent = [bytes((number % 256,)) * (200_000 + number) for number in range(2 * CHUNK // 200_000 + 2)]
    found, records = read(a_pcap(sent))
    assert frames(found) == sent
    assert records.truncated is None


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 30))
def test_short_reads_change_nothing(sent: list[bytes], step: int) -> None:
    found, records = read(Dribbling(a_pcap(sent), step))
    assert frames(found) == sent
    assert (records.count, records.truncated) == (len(sent), None)


@given(st.binary(max_size=200))
def test_bytes_behind_a_good_header_never_raise(rest: bytes) -> None:
    found, records = read(a_pcap([]) + rest)
    consumed = sum(end - start + 16 for _, start, end, _, _ in found)
    assert consumed <= len(rest)
    assert (records.truncated is None) == (consumed == len(rest))


def walked(
    content: bytes, chunk: int, *, in_windows: bool
) -> tuple[list[tuple[int, bytes]], int, str | None]:
    """What a loop over stretches reads: numbers and records; their count; and what is lost."""
    source = io.BytesIO(content)
    header = read_header(source, Path("a.pcap"))

    def windows(offset: int, step: int, size: int) -> Generator[tuple[bytes, int], None, None]:
        yield from read_windows(
            lambda at, most: content[at : at + most], offset, step=step, size=size, padding=8
        )

    records = Records(source, header, windows if in_windows else None)
    found: list[tuple[int, bytes]] = []

    def count(stretch: Stretch, number: int) -> tuple[int, int]:
        buffer, position, limit, size = stretch
        assert len(buffer) >= size + 8
        before = len(found)
        while position < limit and position + 16 <= size:
            (captured,) = struct.unpack_from("<I", buffer, position + 8)
            stop = position + 16 + captured
            if captured > LONGEST_FRAME or stop > size:
                break
            found.append((number + len(found) - before, buffer[position:stop]))
            position = stop
        return len(found) - before, position

    records.walk(count, chunk=chunk, padding=8)
    return found, records.count, records.truncated


@pytest.mark.parametrize("longest", [200, 60_000, LONGEST_FRAME])
def test_windows_hold_what_joined_pieces_hold_wherever_the_file_ends(longest: int) -> None:
    chance = random.Random(longest)
    sizes = [chance.randrange(longest) for _ in range(1_200_000 // longest + 3)]
    content = bytearray(a_pcap([Packet(bytes(size), START + size) for size in sizes]))
    for _ in range(12):
        cut = chance.randrange(24, len(content))
        cases = [bytes(content), bytes(content[:cut])]
        damaged = bytearray(content)
        damaged[cut : cut + 4] = b"\xff" * len(damaged[cut : cut + 4])
        cases.append(bytes(damaged))
        for case in cases:
            chunk = chance.choice([100_000, 300_000, 1 << 20])
            assert walked(case, chunk, in_windows=True) == walked(case, chunk, in_windows=False)
