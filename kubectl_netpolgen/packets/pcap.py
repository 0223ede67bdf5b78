"""The classic capture file: a header of 24 bytes, then records of 16 bytes and a frame each.

Format: draft-ietf-opsawg-pcap and libpcap's sf-pcap.c. A capture whose writer was killed ends in the middle
of a record; everything before the cut is kept and the cut is told.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kubectl_netpolgen.packets.foreign import NotACapture, foreign_file

HEADER_LENGTH = 24
RECORD_HEADER_LENGTH = 16
CHUNK = 4 << 20
LONGEST_FRAME = 256 << 10
"""libpcap's MAXIMUM_SNAPLEN; a longer captured length is damage, and must not size an allocation."""

# magic number as it lies in the file -> struct byte order, nanoseconds in one unit of the fraction
_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_LINK_TYPE_MASK = 0xFFFF
"""The upper bits hold the frame check sequence's length and flags."""

Record = tuple[bytes, int, int, int, int]
"""(buffer, start and end of the captured frame in it, nanoseconds since the epoch, length on the wire)."""


class ByteSource(Protocol):
    """What is read from: any binary file object; short reads are fine."""

    def read(self, size: int, /) -> bytes | None: ...


@dataclass(frozen=True)
class FileHeader:
    """What the first 24 bytes say about the rest."""

    byte_order: str
    """`<` or `>`, as struct writes it."""
    nanoseconds: int
    """Nanoseconds in one unit of a record's fraction of a second: 1000 or 1."""
    link_type: int
    lengths_may_be_swapped: bool
    """Before version 2.4 writers disagreed on which of the two lengths comes first."""


def read_header(source: ByteSource, path: Path) -> FileHeader:
    """Read the file header; NotACapture names what else the file is."""
    start = b""
    while len(start) < HEADER_LENGTH:
        more = source.read(HEADER_LENGTH - len(start))
        if not more:
            break
        start += more
    if start[:4] not in _MAGICS:
        raise foreign_file(path, start)
    if len(start) < HEADER_LENGTH:
        raise NotACapture(
            f"{path} is no whole capture: its header ends after {len(start)} of {HEADER_LENGTH} bytes",
            way_out="copy the file again, or capture again",
        )
    byte_order, nanoseconds = _MAGICS[start[:4]]
    major, minor = struct.unpack_from(f"{byte_order}HH", start, 4)
    if major != 2 or minor > 4:
        raise NotACapture(
            f"{path} is a pcap file of version {major}.{minor}, and only 2.0 to 2.4 are defined",
            way_out="write it again with tcpdump -w",
        )
    (link_type,) = struct.unpack_from(f"{byte_order}I", start, 20)
    return FileHeader(byte_order, nanoseconds, link_type & _LINK_TYPE_MASK, minor < 4)


class Records:
    """The records of one capture, once through, in chunks of 4 MiB.

    After the iteration `count` is the number of whole records and `truncated` says why reading stopped
    before the end of the file, or is None.
    """

    def __init__(self, source: ByteSource, header: FileHeader) -> None:
        self._source = source
        self._header = header
        self.count = 0
        self.truncated: str | None = None

    def __iter__(self) -> Iterator[Record]:
        header, count, offset, rest = self._header, 0, HEADER_LENGTH, b""
        unpack = struct.Struct(f"{header.byte_order}IIII").unpack_from
        unit, swapped = header.nanoseconds, header.lengths_may_be_swapped
        try:
            while chunk := self._read():
                buffer = rest + chunk if rest else chunk
                position, end = 0, len(buffer)
                while position + RECORD_HEADER_LENGTH <= end:
                    seconds, fraction, captured, wire = unpack(buffer, position)
                    if swapped and captured > wire:
                        captured, wire = wire, captured
                    if captured > LONGEST_FRAME:
                        self.truncated = (
                            f"record {count + 1} at byte {offset + position} claims {captured} bytes, "
                            f"more than any capture holds ({LONGEST_FRAME})"
                        )
                        return
                    start = position + RECORD_HEADER_LENGTH
                    stop = start + captured
                    if stop > end:
                        break
                    count += 1
                    position = stop
                    yield buffer, start, stop, seconds * 1_000_000_000 + fraction * unit, wire
                rest = buffer[position:]
                offset += position
            if rest and self.truncated is None:
                self.truncated = self._cut(rest, count + 1, offset)
        finally:
            self.count = count

    def _read(self) -> bytes:
        try:
            return self._source.read(CHUNK) or b""
        except OSError as error:
            self.truncated = f"reading failed: {error.strerror or error}"
            return b""

    def _cut(self, rest: bytes, number: int, offset: int) -> str:
        if len(rest) < RECORD_HEADER_LENGTH:
            missing = RECORD_HEADER_LENGTH - len(rest)
            return f"the header of record {number} at byte {offset} ends {missing} bytes early"
        captured, wire = struct.unpack_from(f"{self._header.byte_order}II", rest, 8)
        if self._header.lengths_may_be_swapped:
            captured = min(captured, wire)
        missing = RECORD_HEADER_LENGTH + captured - len(rest)
        return f"record {number} at byte {offset} ends {missing} bytes early"
