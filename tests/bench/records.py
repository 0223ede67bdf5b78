"""A reader of the pcap files made here, so that what is made is judged by nothing that is measured on it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

NANOSECONDS = b"\x4d\x3c\xb2\xa1"


class Record(NamedTuple):
    """One frame of a file."""

    time: int
    """Nanoseconds since the epoch."""
    length: int
    """On the wire."""
    frame: bytes


def records(capture: bytes) -> Iterator[Record]:
    """The frames of a little-endian pcap file."""
    unit, at = (1 if capture[:4] == NANOSECONDS else 1000), 24
    while at < len(capture):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", capture, at)
        at += 16 + captured
        yield Record(seconds * 10**9 + fraction * unit, length, capture[at - captured : at])
