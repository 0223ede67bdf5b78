"""The classic capture file: a header of 24 bytes, then records of a header and a frame each.

Format: draft-ietf-opsawg-pcap and libpcap's sf-pcap.c. A capture whose writer was killed ends in the middle
of a record; everything before the cut is kept and the cut is told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kubectl_netpolgen.packets.foreign import cut_header, foreign_file
from kubectl_netpolgen.packets.source import ByteSource, fill

HEADER_LENGTH = 24
RECORD_HEADER_LENGTH = 16
LONG_RECORD_HEADER_LENGTH = 24
"""Kuznetzov's patched libpcap adds an interface index, a protocol and a packet type; they are passed over."""
CHUNK = 4 << 20
LONGEST_FRAME = 256 << 10
"""libpcap's MAXIMUM_SNAPLEN; a longer captured length is damage, and must not size an allocation."""

_LENGTHS_AT = 8
# magic number as it lies in the file -> struct byte order, nanoseconds in one unit of the fraction,
# length of a record header
_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, RECORD_HEADER_LENGTH),
    b"\xa1\xb2\xc3\xd4": (">", 1000, RECORD_HEADER_LENGTH),
    b"\x4d\x3c\xb2\xa1": ("<", 1, RECORD_HEADER_LENGTH),
    b"\xa1\xb2\x3c\x4d": (">", 1, RECORD_HEADER_LENGTH),
    b"\x34\xcd\xb2\xa1": ("<", 1000, LONG_RECORD_HEADER_LENGTH),
    b"\xa1\xb2\xcd\x34": (">", 1000, LONG_RECORD_HEADER_LENGTH),
}
_LINK_TYPE_MASK = 0xFFFF
"""The upper bits hold the frame check sequence's length and flags."""

Record = tuple[bytes, int, int, int, int]
"""(buffer, start and end of the captured frame in it, nanoseconds since the epoch, length on the wire)."""


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
    record_header: int = RECORD_HEADER_LENGTH
    """Bytes before each frame: 16 or 24."""
    note: str = ""
    """What is odd about the file and was read all the same."""


def is_pcap(start: bytes) -> bool:
    """True when a file that begins like this is a classic capture."""
    return start[:4] in _MAGICS


def read_header(source: ByteSource, path: Path | str) -> FileHeader:
    """Read the file header; NotACapture names what else the file is."""
    start = b""
    while len(start) < HEADER_LENGTH:
        more = source.read(HEADER_LENGTH - len(start))
        if not more:
            break
        start += more
    if not is_pcap(start):
        raise foreign_file(path, start)
    if len(start) < HEADER_LENGTH:
        raise cut_header(path, len(start), HEADER_LENGTH)
    byte_order, nanoseconds, record_header = _MAGICS[start[:4]]
    major, minor = struct.unpack_from(f"{byte_order}HH", start, 4)
    (link_type,) = struct.unpack_from(f"{byte_order}I", start, 20)
    known = major == 2 and minor <= 4
    return FileHeader(
        byte_order,
        nanoseconds,
        link_type & _LINK_TYPE_MASK,
        known and minor < 4,
        record_header,
        "" if known else f"pcap version {major}.{minor} is not defined; the file was read as version 2.4",
    )


Windows = Callable[[int, int, int], Generator["tuple[bytes, int]", None, None]]
"""Pieces of the file from an offset on, each a step behind the last; the first one shorter than a size is the
last. Each is a buffer and how much of it was read; a short one has more behind it, of whatever value."""


class Stretch(NamedTuple):
    """Part of a capture, and which of its records are meant."""

    buffer: bytes
    begin: int
    """Where the first record begins."""
    limit: int
    """Before which place records begin."""
    size: int
    """Before which place they end."""


class Records:
    """The records of one capture, once through, in chunks of 4 MiB.

    After the iteration `count` is the number of whole records and `truncated` says why reading stopped
    before the end of the file and what is lost, or is None. Offsets are in the decompressed file.
    """

    def __init__(self, source: ByteSource, header: FileHeader, windows: Windows | None = None) -> None:
        self._source = source
        self._windows = windows
        self._header = header
        self.count = 0
        self.truncated: str | None = None

    def __iter__(self) -> Iterator[Record]:
        header, count, offset, rest = self._header, 0, HEADER_LENGTH, b""
        unpack = struct.Struct(f"{header.byte_order}IIII").unpack_from
        unit, swapped, ahead = header.nanoseconds, header.lengths_may_be_swapped, header.record_header
        wanted = ahead
        try:
            while len(buffer := fill(self._source, rest, wanted, chunk=CHUNK)) > len(rest):
                position, end, wanted = 0, len(buffer), ahead
                while position + ahead <= end:
                    seconds, fraction, captured, wire = unpack(buffer, position)
                    if swapped and captured > wire:
                        captured, wire = wire, captured
                    if captured > LONGEST_FRAME:
                        self.truncated = self._impossible(count + 1, offset + position, captured)
                        return
                    start = position + ahead
                    stop = start + captured
                    if stop > end:
                        wanted = stop - position
                        break
                    count += 1
                    position = stop
                    yield buffer, start, stop, seconds * 1_000_000_000 + fraction * unit, wire
                rest = buffer[position:]
                offset += position
            if rest:
                self.truncated = self._cut(rest, count + 1, offset)
        finally:
            self.count = count

    def walk(
        self,
        count: Callable[[Stretch, int], tuple[int, int]],
        *,
        chunk: int = CHUNK,
        padding: int = 0,
        windows: Windows | None = None,
    ) -> None:
        """Hand the file over in stretches, for a loop that reads records by itself.

        `count` takes a stretch and the number of its first record; it returns how many whole records it read
        and where the first that it did not read begins: behind the stretch's last, or one that is not whole,
        or claims more than `LONGEST_FRAME`. Behind each stretch are so many bytes more, of whatever value.
        """
        windows = windows or self._windows
        if windows is not None and padding:
            with closing(windows(HEADER_LENGTH, chunk, chunk + _overlap(padding))) as pieces:
                self._walk_windows(count, pieces, chunk, padding)
            return
        offset, rest, wanted, zeros = HEADER_LENGTH, b"", self._header.record_header, bytes(padding)
        while True:
            buffer = fill(self._source, rest, wanted, chunk=chunk, padding=zeros)
            size = len(buffer) - padding
            if size <= len(rest):
                break
            found, position = count(Stretch(buffer, 0, size, size), self.count)
            self.count += found
            rest = buffer[position:size]
            offset += position
            wanted = self._header.record_header
            if len(rest) >= wanted:
                captured, _ = self._lengths(rest)
                if captured > LONGEST_FRAME:
                    break
                wanted += captured
        if rest:
            self._end(rest, offset)

    def _walk_windows(
        self,
        count: Callable[[Stretch, int], tuple[int, int]],
        windows: Iterator[tuple[bytes, int]],
        chunk: int,
        padding: int,
    ) -> None:
        """Nothing is joined here: a record that begins in a chunk ends in its window."""
        base, begin = HEADER_LENGTH, 0
        for buffer, length in windows:
            last = length < chunk + _overlap(padding)
            size = length if last else length - padding
            limit = size if last else chunk
            found, position = count(Stretch(buffer, begin, limit, size), self.count)
            self.count += found
            if position < limit:
                self._end(buffer[position:size], base + position)
                return
            base, begin = base + chunk, position - chunk

    def _end(self, rest: bytes, offset: int) -> None:
        """Say what the record at the end of reading lacks."""
        if len(rest) >= self._header.record_header:
            captured, _ = self._lengths(rest)
            if captured > LONGEST_FRAME:
                self.truncated = self._impossible(self.count + 1, offset, captured)
                return
        self.truncated = self._cut(rest, self.count + 1, offset)

    def _lengths(self, record: bytes) -> tuple[int, int]:
        captured, wire = struct.unpack_from(f"{self._header.byte_order}II", record, _LENGTHS_AT)
        if self._header.lengths_may_be_swapped and captured > wire:
            return wire, captured
        return captured, wire

    def _impossible(self, number: int, offset: int, captured: int) -> str:
        return (
            f"record {number} at byte {offset} claims {captured} bytes, "
            f"more than any capture holds ({LONGEST_FRAME}); it and all behind it are lost"
        )

    def _cut(self, rest: bytes, number: int, offset: int) -> str:
        header = self._header
        if len(rest) < header.record_header:
            missing = header.record_header - len(rest)
            return f"record {number} at byte {offset} is lost: its header ends {missing} bytes early"
        missing = header.record_header + self._lengths(rest)[0] - len(rest)
        return f"record {number} at byte {offset} is lost: it ends {missing} bytes early"


def _overlap(padding: int) -> int:
    """How much longer than a chunk a window is, so that no record that begins in the chunk is cut."""
    return LONGEST_FRAME + LONG_RECORD_HEADER_LENGTH + padding
