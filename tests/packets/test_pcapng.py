from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.foreign import NotACapture
from kubectl_netpolgen.packets.interfaces import MOST_INTERFACES
from kubectl_netpolgen.packets.pcap import CHUNK, LONGEST_FRAME
from kubectl_netpolgen.packets.pcapng import LATEST, LONGEST_BLOCK, Block, Blocks, check_start, is_pcapng
from tests.packets.factories import START, Packet
from tests.packets.factories_pcapng import (
    ENHANCED,
    IF_TSOFFSET,
    IF_TSRESOL,
    NAMES,
    OBSOLETE,
    STATISTICS,
    a_block,
    a_packet,
    a_pcapng,
    a_section,
    a_simple_packet,
    an_interface,
)

HEADER = a_section() + an_interface()


class Dribbling(io.BytesIO):
    """A pipe that hands out a few bytes at a time."""

    step = 1

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, self.step))


def read(content: bytes, *, step: int = 0) -> tuple[list[Block], Blocks]:
    source = Dribbling(content) if step else io.BytesIO(content)
    if isinstance(source, Dribbling):
        source.step = step
    blocks = Blocks(source)
    return list(blocks), blocks


def frames(found: list[Block]) -> list[bytes]:
    return [buffer[start:end] for buffer, start, end, _, _, _ in found]


def times(found: list[Block]) -> list[int]:
    return [block[3] for block in found]


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("resolution", [6, 9])
def test_frames_times_and_lengths_are_read_in_both_byte_orders(byte_order: str, resolution: int) -> None:
    packet = Packet(b"\x45" + bytes(30), time=START + 123_456_789, captured=21)
    found, blocks = read(a_pcapng([packet], byte_order=byte_order, resolution=resolution))
    ((_, start, end, time, wire, interface),) = found
    assert time == START + (123_456_789 if resolution == 9 else 123_456_000)
    assert (end - start, wire, interface) == (21, 45, 0)
    assert (blocks.count, blocks.truncated, blocks.interfaces[0].link_type) == (1, None, 1)


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.integers(0, (1 << 63) // 1000)), max_size=8),
    st.sampled_from("<>"),
    st.integers(1, 90),
)
def test_what_is_written_is_read_whatever_the_pipe_gives_at_a_time(
    sent: list[tuple[bytes, int]], byte_order: str, step: int
) -> None:
    content = a_section(byte_order=byte_order) + an_interface(byte_order=byte_order)
    content += b"".join(a_packet(frame, units=units, byte_order=byte_order) for frame, units in sent)
    found, blocks = read(content, step=step)
    assert list(zip(frames(found), times(found), strict=True)) == [
        (frame, min(units * 1000, LATEST)) for frame, units in sent
    ]
    assert (blocks.count, blocks.truncated) == (len(sent), None)


def test_sections_bring_their_own_byte_order_and_interfaces() -> None:
    first = HEADER + an_interface(link=113) + a_packet(b"a", interface=1)
    second = (
        a_section(byte_order=">")
        + an_interface(link=276, byte_order=">")
        + a_packet(b"bb", interface=0, byte_order=">")
    )
    found, blocks = read(first + second + first)
    assert frames(found) == [b"a", b"bb", b"a"]
    assert [block[5] for block in found] == [1, 2, 4]
    assert [interface.link_type for interface in blocks.interfaces] == [1, 113, 276, 1, 113]


def test_an_interface_of_the_section_before_is_not_described() -> None:
    found, blocks = read(HEADER + a_packet(b"a") + a_section() + a_packet(b"b"))
    assert frames(found) == [b"a"]
    assert blocks.truncated == (
        f"block 5 at byte {len(HEADER) + 36 + 28} names interface 0, which is not described; "
        "it and all behind it are lost"
    )


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_the_obsolete_packet_has_a_smaller_interface_number(byte_order: str) -> None:
    content = a_section(byte_order=byte_order) + an_interface(byte_order=byte_order) * 2
    content += a_packet(b"old", interface=1, kind=OBSOLETE, drops=0xFFFF, byte_order=byte_order)
    found, blocks = read(content)
    assert (frames(found), times(found), found[0][5]) == ([b"old"], [START // 1000 * 1000], 1)
    assert blocks.truncated is None


def test_a_simple_packet_has_no_time_and_is_of_the_sections_first_interface() -> None:
    content = HEADER + a_section() + an_interface(snap_length=8) + an_interface()
    found, _ = read(content + a_simple_packet(bytes(8), wire=60) + a_simple_packet(b"abc"))
    assert [(end - start, time, wire, number) for _, start, end, time, wire, number in found] == [
        (8, 0, 60, 1),
        (3, 0, 3, 1),
    ]


def test_a_simple_packet_never_reaches_beyond_its_block() -> None:
    found, _ = read(HEADER + a_simple_packet(bytes(8), wire=0xFFFFFFFF))
    assert frames(found) == [bytes(8)]
    _, blocks = read(a_section() + a_simple_packet(b"abcd"))
    assert blocks.truncated is not None
    assert "names interface 0, which is not described" in blocks.truncated


@pytest.mark.parametrize(
    ("options", "units", "time"),
    [
        ({IF_TSRESOL: b"\x00"}, 7, 7_000_000_000),
        ({IF_TSRESOL: b"\x0c"}, (1 << 63) + 999, 9_223_372_036_854_776),
        ({IF_TSRESOL: b"\x8a"}, 1025, 1_000_976_562),
        ({IF_TSOFFSET: struct.pack("<q", 1_700_000_000)}, 5, START + 5_000),
        ({IF_TSOFFSET: struct.pack("<q", -1)}, 5, 0),
        ({IF_TSRESOL: b"\x00"}, (1 << 64) - 1, LATEST),
        ({IF_TSRESOL: b"\xff"}, (1 << 64) - 1, 0),
    ],
)
def test_times_are_scaled_exactly_and_bent_into_63_bits(
    options: dict[int, bytes], units: int, time: int
) -> None:
    found, _ = read(a_section() + an_interface(options=options) + a_packet(b"a", units=units))
    assert times(found) == [time]


def test_other_blocks_and_options_of_packets_are_passed_over() -> None:
    other = [a_block(kind, bytes(20)) for kind in (NAMES, STATISTICS, 0x0BAD, 0xFFFFFFFF)]
    found, blocks = read(HEADER + b"".join(other) + a_packet(b"a", options=b"\xff" * 9) + other[0])
    assert (frames(found), blocks.truncated) == ([b"a"], None)


def test_a_large_foreign_block_is_passed_over_without_being_held() -> None:
    large = a_block(0x0BAD, bytes(LONGEST_BLOCK - 12))
    source = io.BytesIO(HEADER + a_packet(b"a") + large + a_packet(b"b") + large[:-1])
    del large
    blocks = Blocks(source)
    tracemalloc.start()
    found = frames(list(blocks))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [b"a", b"b"]
    assert blocks.truncated is not None
    assert blocks.truncated.endswith("is lost: it ends 1 bytes early")
    assert peak < 3 * CHUNK


@pytest.mark.parametrize("edge", range(-40, 41, 4))
def test_blocks_across_the_ends_of_chunks_are_passed_over_whole(edge: int) -> None:
    content = HEADER + a_block(0x0BAD, bytes(CHUNK - len(HEADER) - 12 + edge)) + a_packet(b"a") * 3
    found, blocks = read(content)
    assert (frames(found), blocks.truncated) == ([b"a"] * 3, None)


def test_packets_across_the_ends_of_chunks_stay_whole() -> None:
    sent = [bytes((number,)) * (200_000 + number) for number in range(2 * CHUNK // 200_000 + 2)]
    found, blocks = read(a_pcapng(sent))
    assert (frames(found), blocks.truncated) == (sent, None)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (a_block(0x0BAD, bytes(8), length=16), "does not end with the length that it begins with"),
        (a_block(0x0BAD, bytes(8), length=8), "claims 8 bytes, which no such block has"),
        (a_block(0x0BAD, bytes(8), length=22), "claims 22 bytes, which no such block has"),
        (a_block(0x0BAD, bytes(8), length=LONGEST_BLOCK + 4), "claims 16777220 bytes, which no such block"),
        (a_block(ENHANCED, bytes(16)), "claims 28 bytes, which no such block has"),
        (a_block(ENHANCED, bytes(20), length=2 << 20), "claims 2097152 bytes, more than any packet needs"),
        (a_packet(b"ab", captured=5), "claims a frame of 5 bytes, more than it may hold"),
        (a_packet(bytes(LONGEST_FRAME + 4)), "claims a frame of 262148 bytes, more than it may hold"),
        (a_simple_packet(bytes(LONGEST_FRAME + 4)), "claims a frame of 262148 bytes"),
        (a_packet(b"ab", interface=0xFFFFFFFF), "names interface 4294967295, which is not described"),
        (a_section(version=(2, 0)), "begins a section of version 2.0, and only 1 is defined"),
        (b"\x0a\x0d\x0d\x0a" + bytes(60), "is a section header without a byte order"),
    ],
)
def test_a_claim_that_cannot_be_true_ends_the_reading_and_keeps_what_precedes(block: bytes, why: str) -> None:
    before = HEADER + a_packet(b"a")
    found, blocks = read(before + block + a_packet(b"b"))
    assert frames(found) == [b"a"]
    assert blocks.truncated is not None
    assert blocks.truncated.startswith(f"block 4 at byte {len(before)} {why}")
    assert blocks.truncated.endswith("; it and all behind it are lost")


def test_a_passed_over_block_that_ends_with_another_length_is_damage() -> None:
    content = bytearray(HEADER + a_packet(b"a") + a_block(0x0BAD, bytes(2 * CHUNK)) + a_packet(b"b"))
    content[-40] ^= 1
    found, blocks = read(bytes(content))
    assert frames(found) == [b"a"]
    assert blocks.truncated is not None
    assert "block 4 at byte 84 does not end with the length" in blocks.truncated


def test_interfaces_without_end_do_not_fill_the_memory() -> None:
    _, blocks = read(a_section() + an_interface() * (MOST_INTERFACES + 1))
    assert len(blocks.interfaces) == MOST_INTERFACES
    assert blocks.truncated is not None


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_every_prefix_keeps_the_packets_before_the_cut(byte_order: str) -> None:
    sent = [b"a", b"", b"c" * 17]
    content = a_pcapng(sent, byte_order=byte_order) + a_block(NAMES, bytes(9), byte_order=byte_order)
    ends = [28]
    while ends[-1] < len(content):
        ends.append(ends[-1] + struct.unpack_from(f"{byte_order}I", content, ends[-1] + 4)[0])
    for length in range(28, len(content) + 1):
        found, blocks = read(content[:length])
        whole = sum(end <= length for end in ends[2:5])
        assert frames(found) == sent[:whole]
        if length in ends:
            assert blocks.truncated is None
        else:
            start = max(end for end in ends if end < length)
            assert blocks.truncated is not None
            assert blocks.truncated.startswith(f"block {ends.index(start) + 2} at byte {start} is lost: it")


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=20),
    st.integers(0, 300),
    st.integers(1, 60),
)
def test_damage_anywhere_never_raises_and_is_the_same_in_steps_of_any_size(
    changes: list[tuple[int, int]], length: int, step: int
) -> None:
    content = bytearray(
        a_pcapng([b"frame", b"another frame"])
        + a_block(NAMES, bytes(40))
        + a_simple_packet(b"abc")
        + a_packet(b"old", kind=OBSOLETE)
    )
    for at, value in changes:
        content[at % len(content)] = value
    found, blocks = read(bytes(content[:length]))
    for buffer, start, end, time, _, interface in found:
        assert 0 <= start <= end <= len(buffer)
        assert 0 <= time <= LATEST
        assert interface < len(blocks.interfaces)
    again, other = read(bytes(content[:length]), step=step)
    assert (frames(again), times(again), other.truncated) == (frames(found), times(found), blocks.truncated)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_a_section_header_cut_short_is_no_capture(byte_order: str) -> None:
    header = a_section(byte_order=byte_order)
    check_start(header, Path("pod.pcap"))
    for length in range(4, 28):
        assert is_pcapng(header[:length])
        with pytest.raises(NotACapture, match=f"after {length} of 28 bytes"):
            check_start(header[:length], Path("pod.pcap"))


def test_a_text_that_begins_with_the_same_line_ends_is_no_capture() -> None:
    assert not is_pcapng(b"\n\r\r\n and so on")
    with pytest.raises(NotACapture, match="begins like text"):
        check_start(b"\n\r\r\n and so on", Path("pod.pcap"))
    _, blocks = read(b"\x00" * 28)
    assert blocks.truncated == "block 1 at byte 0 is no section header; it and all behind it are lost"
