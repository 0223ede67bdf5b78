"""pcapng files built block by block; `a_pcapng` joins them behind a section header."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

from tests.packets.factories import ETHERNET, START, Packet, a_frame

MAGIC = 0x1A2B3C4D
SECTION, INTERFACE, OBSOLETE, SIMPLE, NAMES, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14
MICROSECONDS, NANOSECONDS = 6, 9


def a_block(kind: int, body: bytes, *, byte_order: str = "<", length: int | None = None) -> bytes:
    """Any block, padded, with its length at both ends or another one at its beginning."""
    body += bytes(-len(body) % 4)
    true_length = 12 + len(body)
    head = struct.pack(f"{byte_order}II", kind, true_length if length is None else length)
    return head + body + struct.pack(f"{byte_order}I", true_length)


def a_section(*, byte_order: str = "<", version: tuple[int, int] = (1, 0)) -> bytes:
    """A section header block without a length of the section."""
    return a_block(SECTION, struct.pack(f"{byte_order}IHHq", MAGIC, *version, -1), byte_order=byte_order)


def an_interface(
    *,
    link: int = ETHERNET,
    snap_length: int = 0,
    options: Mapping[int, bytes] | None = None,
    byte_order: str = "<",
) -> bytes:
    """An interface description block; without options, its times are microseconds."""
    body = struct.pack(f"{byte_order}HHI", link, 0, snap_length)
    for code, value in (options or {}).items():
        body += struct.pack(f"{byte_order}HH", code, len(value)) + value + bytes(-len(value) % 4)
    if options:
        body += bytes(4)
    return a_block(INTERFACE, body, byte_order=byte_order)


def a_packet(
    frame: bytes,
    *,
    interface: int = 0,
    units: int = START // 1000,
    wire: int | None = None,
    captured: int | None = None,
    options: bytes = b"",
    kind: int = ENHANCED,
    drops: int = 7,
    byte_order: str = "<",
) -> bytes:
    """An enhanced packet block, or the obsolete one with its smaller interface and a count of drops."""
    first = (
        struct.pack(f"{byte_order}I", interface)
        if kind == ENHANCED
        else struct.pack(f"{byte_order}HH", interface, drops)
    )
    fixed = struct.pack(
        f"{byte_order}IIII",
        units >> 32,
        units & 0xFFFFFFFF,
        len(frame) if captured is None else captured,
        len(frame) if wire is None else wire,
    )
    return a_block(kind, first + fixed + frame + bytes(-len(frame) % 4) + options, byte_order=byte_order)


def a_simple_packet(frame: bytes, *, wire: int | None = None, byte_order: str = "<") -> bytes:
    """A simple packet block: no time, no interface, no captured length."""
    length = struct.pack(f"{byte_order}I", len(frame) if wire is None else wire)
    return a_block(SIMPLE, length + frame, byte_order=byte_order)


def a_pcapng(
    packets: Iterable[Packet | bytes],
    *,
    link: int = ETHERNET,
    byte_order: str = "<",
    resolution: int = MICROSECONDS,
) -> bytes:
    """One section with one interface; bytes among the packets are taken as ready frames."""
    options = {} if resolution == MICROSECONDS else {IF_TSRESOL: bytes((resolution,))}
    parts = [
        a_section(byte_order=byte_order),
        an_interface(link=link, options=options, byte_order=byte_order),
    ]
    for packet in packets:
        if isinstance(packet, bytes):
            frame, packet = packet, Packet(packet)
        else:
            frame = a_frame(packet, link=link)
        units = packet.time * 10**resolution // 10**9
        kept = frame[: packet.captured]
        parts.append(a_packet(kept, units=units, wire=len(frame), byte_order=byte_order))
    return b"".join(parts)
