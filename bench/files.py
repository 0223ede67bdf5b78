"""The formats of capture files that frames are written in: pcap with either resolution, and pcapng."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.hosts import Integers
from bench.payloads import Place

Table = npt.NDArray[Any]
Fields = list[tuple[str, str]]

EPOCH = 1_700_000_000_000_000_000
"""When every capture starts, in nanoseconds."""
PCAP: Fields = [("seconds", "<u4"), ("fraction", "<u4"), ("captured", "<u4"), ("length", "<u4")]
PCAPNG: Fields = [("type", "<u4"), ("total", "<u4"), ("interface", "<u4"), ("high", "<u4"), ("low", "<u4")]
PCAPNG += [("captured", "<u4"), ("length", "<u4")]
PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
MICROSECONDS_MAGIC, NANOSECONDS_MAGIC = 0xA1B2C3D4, 0xA1B23C4D


class Framing(IntEnum):
    """Link types, by their numbers in capture files."""

    ETHERNET = 1
    RAW = 101
    SLL = 113
    SLL2 = 276


@dataclass(frozen=True)
class FileFormat:
    """What a capture file is."""

    framing: Framing = Framing.ETHERNET
    snap: int = 262_144
    """How many bytes of a frame are kept."""
    nanoseconds: bool = False
    pcapng: bool = False
    """With microseconds, the resolution of a pcapng interface that says nothing of it."""

    @property
    def fields(self) -> Fields:
        """The header of a record."""
        return PCAPNG if self.pcapng else PCAP

    def heading(self) -> bytes:
        """What the file begins with."""
        if self.pcapng:
            section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
            return section + struct.pack("<IIHHII", 1, 20, self.framing, 0, self.snap, 20)
        magic = NANOSECONDS_MAGIC if self.nanoseconds else MICROSECONDS_MAGIC
        return struct.pack("<IHHiIII", magic, 2, 4, 0, 0, self.snap, self.framing)

    def stamp(self, records: Table, times: Integers, lengths: Integers) -> None:
        """Fill in the records' headers: times in nanoseconds behind `EPOCH`, lengths on the wire."""
        captured = np.minimum(lengths, self.snap)
        records["captured"], records["length"] = captured, lengths
        if self.pcapng:
            microseconds = (EPOCH + times) // 1000
            records["type"] = 6
            records["total"] = 32 + (captured + 3) // 4 * 4
            records["high"], records["low"] = microseconds >> 32, microseconds & 0xFFFFFFFF
            return
        records["seconds"] = (EPOCH + times) // 1_000_000_000
        records["fraction"] = times % 1_000_000_000 // (1 if self.nanoseconds else 1000)

    def records(self, headers: Table, payload: Place, octets: bytes) -> Iterator[bytes]:
        """Whole records, one a row: its header, the frame's headers, the payload; cut at the snap length.

        `headers` starts with the field `record`, already stamped.
        """
        width, own = headers.dtype.itemsize, headers["record"].dtype.itemsize
        text = headers.tobytes()
        captured = headers["record"]["captured"].astype(np.int64)
        shown = np.minimum(captured, width - own)
        begins = np.arange(len(headers)) * width
        columns = [begins, begins + own + shown, payload.start, payload.start + captured - shown]
        joined = (text[a:b] + octets[c:d] for a, b, c, d in zip(*(x.tolist() for x in columns), strict=True))
        if not self.pcapng:
            return joined
        totals = headers["record"]["total"].tobytes()
        sizes = captured.tolist()
        return (record + PADDING[sizes[i] & 3] + totals[4 * i : 4 * i + 4] for i, record in enumerate(joined))
