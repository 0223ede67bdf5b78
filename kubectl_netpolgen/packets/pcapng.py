"""The pcapng file: sections of blocks, each section with interfaces of its own.

Format: draft-ietf-opsawg-pcapng. What a block claims is checked before it is used: its length at both ends,
the length of the frame in it, the number of the interface. The first claim that cannot be true ends the
reading, since nothing tells where the next block would begin; what precedes it is kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from kubectl_netpolgen.packets.foreign import cut_header, foreign_file
from kubectl_netpolgen.packets.interfaces import MOST_INTERFACES, Interface, read_interface
from kubectl_netpolgen.packets.pcap import CHUNK, LONGEST_FRAME
from kubectl_netpolgen.packets.source import ByteSource, fill

SECTION_HEADER_LENGTH = 28
LONGEST_BLOCK = 16 << 20
"""libpcap's bound; a block that claims more is damage."""
LATEST = (1 << 63) - 1
"""The largest time, in nanoseconds; others are bent to 0 or to it, for nobody behind us expects more bits."""

Block = tuple[bytes, int, int, int, int, int]
"""A `Record` of pcap.py, and the number of its interface."""

_MAGIC = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_BYTE_ORDER_AT, _VERSION_AT = 8, 12
_HEAD = 12
"""Type, length, and behind a section header the byte order: what must be there to know a block."""
_SECTION, _INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_PACKETS = frozenset((_ENHANCED, _OBSOLETE))
_LEAST = {_SECTION: SECTION_HEADER_LENGTH, _INTERFACE: 20, _OBSOLETE: 32, _SIMPLE: 16, _ENHANCED: 32}
_FRAME_AT, _SIMPLE_FRAME_AT = 28, 12
_TRAILER = 4
_DROPPED_AT_ONCE = 256 << 10
_WIRE = {"<": struct.Struct("<I"), ">": struct.Struct(">I")}
_LONGEST_KEPT = 1 << 20
"""The bound for blocks that are read and not passed over: a frame, and options of three times its length."""


def is_pcapng(start: bytes) -> bool:
    """True when a file that begins like this is pcapng, or would be if it were not cut in its header."""
    order = start[_BYTE_ORDER_AT : _BYTE_ORDER_AT + 4]
    return start[:4] == _MAGIC and (len(order) < 4 or order in _BYTE_ORDERS)


def check_start(start: bytes, path: Path | str) -> None:
    """NotACapture when a file that begins like this is no pcapng, or not one whole section header of it."""
    if not is_pcapng(start):
        raise foreign_file(path, start)
    if len(start) < SECTION_HEADER_LENGTH:
        raise cut_header(path, len(start), SECTION_HEADER_LENGTH)


class _Damage(Exception):
    """A block that cannot be what it claims; it never leaves this module."""


class Blocks:
    """The packets of one capture, once through, in chunks of 4 MiB.

    `interfaces` grows as they are described; a packet's number points into it, over all sections. After the
    iteration `count` is the number of packets and `truncated` says why reading stopped before the end of the
    file and what is lost, or is None. Offsets are in the decompressed file.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.interfaces: list[Interface] = []
        self.count = 0
        self.truncated: str | None = None

    def __iter__(self) -> Iterator[Block]:
        buffer, position, offset, wanted = b"", 0, 0, _HEAD
        order, head, fields = "<", struct.Struct("<II"), struct.Struct("<IIIII")
        interfaces, clocks = self.interfaces, list[tuple[int, int, int]]()
        number = count = first = 0
        try:
            while True:
                rest, offset = buffer[position:], offset + position
                buffer = fill(self._source, rest, wanted, chunk=CHUNK)
                position, end, wanted = 0, len(buffer), _HEAD
                if end == len(rest):
                    if rest:
                        self.truncated = _cut(rest, number + 1, offset, head)
                    return
                while position + _HEAD <= end:
                    kind, length = head.unpack_from(buffer, position)
                    if kind == _SECTION:
                        order = _byte_order(buffer, position)
                        head, fields = struct.Struct(f"{order}II"), struct.Struct(f"{order}IIIII")
                        kind, length = head.unpack_from(buffer, position)
                    elif not number:
                        raise _Damage("is no section header")
                    kept = kind in _LEAST
                    if length < (_LEAST[kind] if kept else _HEAD) or length & 3 or length > LONGEST_BLOCK:
                        raise _Damage(f"claims {length} bytes, which no such block has")
                    stop = position + length
                    if stop > end:
                        if kept and length > _LONGEST_KEPT:
                            raise _Damage(f"claims {length} bytes, more than any packet needs")
                        if kept or stop - end <= _TRAILER:
                            wanted = length
                            break
                        # of a block that is passed over, only the length at its end is still of interest
                        missing = _pass_over(self._source, stop - _TRAILER - end)
                        trailer = b"" if missing else fill(self._source, b"", _TRAILER, chunk=CHUNK)
                        if len(trailer) < _TRAILER:
                            missing += _TRAILER - len(trailer)
                            self.truncated = _lost(number + 1, offset + position, missing)
                            return
                        if trailer[:_TRAILER] != buffer[position + 4 : position + 8]:
                            raise _Damage("does not end with the length that it begins with")
                        buffer, offset, position, end = (
                            trailer,
                            offset + stop - _TRAILER,
                            _TRAILER,
                            len(trailer),
                        )
                        number += 1
                        continue
                    if buffer[stop - _TRAILER : stop] != buffer[position + 4 : position + 8]:
                        raise _Damage("does not end with the length that it begins with")
                    if kind in _PACKETS:
                        interface, high, low, captured, wire = fields.unpack_from(buffer, position + 8)
                        if kind == _OBSOLETE:
                            # 16 bits, and behind them 16 of a count of drops
                            interface = interface & 0xFFFF if order == "<" else interface >> 16
                        start = position + _FRAME_AT
                        interface += first
                        if interface >= len(clocks):
                            raise _Damage(f"names interface {interface - first}, which is not described")
                        if captured > LONGEST_FRAME or captured > length - _LEAST[kind]:
                            raise _Damage(f"claims a frame of {captured} bytes, more than it holds")
                        numerator, denominator, shift = clocks[interface]
                        time = (high << 32 | low) * numerator // denominator + shift
                        if not 0 <= time <= LATEST:
                            time = min(max(time, 0), LATEST)
                        count += 1
                        yield buffer, start, start + captured, time, wire, interface
                    elif kind == _SIMPLE:
                        if first >= len(clocks):
                            raise _Damage("needs an interface, and none is described")
                        (wire,) = _WIRE[order].unpack_from(buffer, position + 8)
                        captured = min(wire, length - 16, interfaces[first].snap_length or wire)
                        if captured > LONGEST_FRAME:
                            raise _Damage(f"claims a frame of {captured} bytes, more than any capture holds")
                        start = position + _SIMPLE_FRAME_AT
                        count += 1
                        # such a block has no time: the epoch says so, where another packet's time would not
                        yield buffer, start, start + captured, 0, wire, first
                    elif kind == _INTERFACE:
                        if len(interfaces) >= MOST_INTERFACES:
                            raise _Damage(
                                f"is interface {MOST_INTERFACES + 1} of the file, and no more are kept"
                            )
                        found = read_interface(buffer[position + 8 : stop - _TRAILER], order)
                        interfaces.append(found)
                        clocks.append((found.numerator, found.denominator, found.offset))
                    elif kind == _SECTION:
                        _check_version(buffer, position, order)
                        first = len(interfaces)
                    number += 1
                    position = stop
        except _Damage as damage:
            self.truncated = (
                f"block {number + 1} at byte {offset + position} {damage}; it and all behind it are lost"
            )
        finally:
            self.count = count


def _byte_order(buffer: bytes, position: int) -> str:
    magic = buffer[position + _BYTE_ORDER_AT : position + _BYTE_ORDER_AT + 4]
    if magic not in _BYTE_ORDERS:
        raise _Damage("is a section header without a byte order")
    return _BYTE_ORDERS[magic]


def _check_version(buffer: bytes, position: int, order: str) -> None:
    major, minor = struct.unpack_from(f"{order}HH", buffer, position + _VERSION_AT)
    if major != 1:
        raise _Damage(f"begins a section of version {major}.{minor}, and only 1 is defined")


def _pass_over(source: ByteSource, length: int) -> int:
    """Read and drop so many bytes; what is missing of them at the end of the file."""
    while length and (dropped := source.read(min(length, _DROPPED_AT_ONCE))):
        length -= len(dropped)
    return length


def _cut(rest: bytes, number: int, offset: int, head: struct.Struct) -> str:
    if len(rest) < _HEAD:
        return f"block {number} at byte {offset} is lost: its header ends {_HEAD - len(rest)} bytes early"
    _, length = head.unpack_from(rest)
    return _lost(number, offset, length - len(rest))


def _lost(number: int, offset: int, missing: int) -> str:
    return f"block {number} at byte {offset} is lost: it ends {missing} bytes early"
