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
_ORDER_AT, _VERSION_AT = 8, 12
_HEAD = 12
"""Type, length, and behind a section header the byte order: what must be there to know a block."""
_SECTION, _INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_ENHANCED_LEAST = 32
_LEAST = {
    _SECTION: SECTION_HEADER_LENGTH,
    _INTERFACE: 20,
    _OBSOLETE: 32,
    _SIMPLE: 16,
    _ENHANCED: _ENHANCED_LEAST,
}
_FRAME_AT, _SIMPLE_FRAME_AT = 28, 12
_TRAILER = 4
_DROPPED_AT_ONCE = 256 << 10
_LONGEST_KEPT = 1 << 20
"""The bound for blocks that are read and not passed over: a frame, and options of three times its length."""


def is_pcapng(start: bytes) -> bool:
    """True when a file that begins like this is pcapng, or would be if it were not cut in its header."""
    order = start[_ORDER_AT:_HEAD]
    return start[:4] == _MAGIC and (len(order) < 4 or order in _BYTE_ORDERS)


def check_start(start: bytes, path: Path | str) -> None:
    """NotACapture when a file that begins like this is no pcapng, or not one whole section header of it."""
    if not is_pcapng(start):
        raise foreign_file(path, start)
    if len(start) < SECTION_HEADER_LENGTH:
        raise cut_header(path, len(start), SECTION_HEADER_LENGTH)


class _Stop(Exception):
    """What ends the reading at a block, as the rest of a sentence; it never leaves this module."""


def _damage(what: str) -> _Stop:
    return _Stop(f"{what}; it and all behind it are lost")


class Blocks:
    """The packets of one capture, once through, in chunks of 4 MiB.

    `interfaces` grows as they are described; a packet's number points into it, over all sections. After the
    iteration `count` is the number of packets and `truncated` says why reading stopped before the end of the
    file and what is lost, or is None. Offsets are in the decompressed file.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._order = ""
        self._first = 0
        """The number of the section's first interface."""
        self._clocks: list[tuple[int, int, int]] = []
        self.interfaces: list[Interface] = []
        self.count = 0
        self.truncated: str | None = None

    def __iter__(self) -> Iterator[Block]:
        buffer, position, offset, wanted = b"", 0, 0, _HEAD
        clocks, first, count, others = self._clocks, 0, 0, 0
        enhanced, last = struct.Struct("<IIIIIII").unpack_from, struct.Struct("<I").unpack_from
        try:
            while True:
                rest, offset = buffer[position:], offset + position
                buffer = fill(self._source, rest, wanted, chunk=CHUNK)
                position, end, wanted = 0, len(buffer), _HEAD
                if end == len(rest):
                    if rest:
                        raise self._cut(rest)
                    return
                while position + _HEAD <= end:
                    if position + _ENHANCED_LEAST <= end:
                        # nearly every block; whatever is wrong with one is found out further down
                        kind, length, interface, high, low, captured, wire = enhanced(buffer, position)
                        interface += first
                        stop = position + length
                        if (
                            kind == _ENHANCED
                            and captured + _ENHANCED_LEAST <= length <= _LONGEST_KEPT
                            and captured <= LONGEST_FRAME
                            and not length & 3
                            and stop <= end
                            and last(buffer, stop - _TRAILER)[0] == length
                            and interface < len(clocks)
                        ):
                            numerator, denominator, shift = clocks[interface]
                            time = (high << 32 | low) * numerator // denominator + shift
                            if not 0 <= time <= LATEST:
                                time = min(max(time, 0), LATEST)
                            start = position + _FRAME_AT
                            count += 1
                            position = stop
                            yield buffer, start, start + captured, time, wire, interface
                            continue
                    kind, length = self._measure(buffer, position)
                    stop = position + length
                    if stop - _TRAILER <= end < stop or (stop > end and kind in _LEAST):
                        wanted = length
                        break
                    if stop > end:
                        # of a block that is passed over, only the length at its end is still of interest
                        tail = self._pass_over(stop - _TRAILER - end, length)
                        offset += stop - _TRAILER
                        buffer, position, end = tail, _TRAILER, len(tail)
                    else:
                        packet = self._meet(kind, buffer, position, stop)
                        position = stop
                        if packet is not None:
                            count += 1
                            yield packet
                            continue
                        if kind == _SECTION:
                            enhanced = struct.Struct(f"{self._order}IIIIIII").unpack_from
                            last = struct.Struct(f"{self._order}I").unpack_from
                            first = self._first
                    others += 1
        except _Stop as why:
            self.truncated = f"block {count + others + 1} at byte {offset + position} {why}"
        finally:
            self.count = count

    def _measure(self, buffer: bytes, position: int) -> tuple[int, int]:
        """The type of the block that begins there, and its length, which can be true."""
        if buffer[position : position + 4] == _MAGIC:
            self._order = _BYTE_ORDERS.get(buffer[position + _ORDER_AT : position + _HEAD], "")
            if not self._order:
                raise _damage("is a section header without a byte order")
        elif not self._order:
            raise _damage("is no section header")
        kind, length = struct.unpack_from(f"{self._order}II", buffer, position)
        if length < _LEAST.get(kind, _HEAD) or length & 3 or length > LONGEST_BLOCK:
            raise _damage(f"claims {length} bytes, which no such block has")
        if kind in _LEAST and length > _LONGEST_KEPT:
            raise _damage(f"claims {length} bytes, more than any packet needs")
        return kind, length

    def _meet(self, kind: int, buffer: bytes, position: int, stop: int) -> Block | None:
        """Take in any block that is whole, of whatever kind; the packet, if it is one."""
        if buffer[stop - _TRAILER : stop] != buffer[position + 4 : position + 8]:
            raise _damage("does not end with the length that it begins with")
        if kind == _SECTION:
            major, minor = struct.unpack_from(f"{self._order}HH", buffer, position + _VERSION_AT)
            if major != 1:
                raise _damage(f"begins a section of version {major}.{minor}, and only 1 is defined")
            self._first = len(self.interfaces)
        elif kind == _INTERFACE:
            self._add(read_interface(buffer[position + 8 : stop - _TRAILER], self._order))
        elif kind == _SIMPLE:
            return self._meet_simple(buffer, position, stop)
        elif kind in (_ENHANCED, _OBSOLETE):
            form = "IIIII" if kind == _ENHANCED else "HxxIIII"
            fields = struct.unpack_from(f"{self._order}{form}", buffer, position + 8)
            interface, high, low, captured, wire = fields
            self._check(interface, captured, stop - position - _LEAST[kind])
            number, start = self._first + interface, position + _FRAME_AT
            time = self.interfaces[number].nanoseconds(high << 32 | low)
            return buffer, start, start + captured, min(max(time, 0), LATEST), wire, number
        return None

    def _meet_simple(self, buffer: bytes, position: int, stop: int) -> Block:
        """A packet without a time: the epoch says so, where another packet's time would not."""
        self._check(0, 0, 0)
        (wire,) = struct.unpack_from(f"{self._order}I", buffer, position + 8)
        room = stop - position - _LEAST[_SIMPLE]
        captured = min(wire, room, self.interfaces[self._first].snap_length or wire)
        self._check(0, captured, room)
        start = position + _SIMPLE_FRAME_AT
        return buffer, start, start + captured, 0, wire, self._first

    def _check(self, interface: int, captured: int, room: int) -> None:
        if self._first + interface >= len(self.interfaces):
            raise _damage(f"names interface {interface}, which is not described")
        if captured > min(room, LONGEST_FRAME):
            raise _damage(f"claims a frame of {captured} bytes, more than it may hold")

    def _add(self, interface: Interface) -> None:
        if len(self.interfaces) >= MOST_INTERFACES:
            raise _damage(f"is interface {MOST_INTERFACES + 1} of the file, and no more are kept")
        self.interfaces.append(interface)
        self._clocks.append((interface.numerator, interface.denominator, interface.offset))

    def _pass_over(self, lacking: int, length: int) -> bytes:
        """Drop what is lacking of a block before its trailer; the trailer, and what was read behind it."""
        while lacking and (dropped := self._source.read(min(lacking, _DROPPED_AT_ONCE))):
            lacking -= len(dropped)
        tail = b"" if lacking else fill(self._source, b"", _TRAILER, chunk=CHUNK)
        if len(tail) < _TRAILER:
            raise _Stop(f"is lost: it ends {lacking + _TRAILER - len(tail)} bytes early")
        if struct.unpack_from(f"{self._order}I", tail)[0] != length:
            raise _damage("does not end with the length that it begins with")
        return tail

    def _cut(self, rest: bytes) -> _Stop:
        if len(rest) < _HEAD:
            return _Stop(f"is lost: its header ends {_HEAD - len(rest)} bytes early")
        _, length = self._measure(rest, 0)
        return _Stop(f"is lost: it ends {length - len(rest)} bytes early")
