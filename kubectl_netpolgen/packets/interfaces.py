"""The interfaces that a pcapng section describes: their link type, and the unit of their clock.

Format: draft-ietf-opsawg-pcapng, 4.2. The lengths of options are believed only inside their block.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MOST_INTERFACES = 1 << 16
"""Of one file, over all its sections; more would be a way to fill the memory."""

_SECOND = 1_000_000_000
_MICROSECONDS = 6
_FIXED = 8
_OPTION_HEAD = 4
_END, _NAME, _RESOLUTION, _OFFSET = 0, 2, 9, 14
_BASE_TWO = 0x80
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Interface:
    """Where packets were seen, as one interface description block tells it."""

    link_type: int
    snap_length: int = 0
    """Bytes that are kept of a frame; 0 for all."""
    name: str = ""
    """As the capturing system calls it, at most 64 characters; hostile text."""
    numerator: int = 1000
    denominator: int = 1
    """One unit of a packet's time is numerator / denominator nanoseconds."""
    offset: int = 0
    """Nanoseconds that are added to every time."""

    def nanoseconds(self, units: int) -> int:
        """A packet's time since the epoch; what is finer than a nanosecond is cut off."""
        return units * self.numerator // self.denominator + self.offset


def read_interface(block: bytes, byte_order: str) -> Interface:
    """Read the body of an interface description block: 8 fixed bytes, then options.

    An option that makes no sense is passed over, and the options end where one claims more than there is.
    """
    link_type, snap_length = struct.unpack_from(f"{byte_order}HxxI", block)
    name, offset = "", 0
    numerator, denominator = _unit(_MICROSECONDS)
    at = _FIXED
    while at + _OPTION_HEAD <= len(block):
        code, length = struct.unpack_from(f"{byte_order}HH", block, at)
        value = block[at + _OPTION_HEAD : at + _OPTION_HEAD + length]
        if code == _END or len(value) < length:
            break
        if code == _NAME:
            name = value[: 4 * _LONGEST_NAME].decode("utf-8", "replace")[:_LONGEST_NAME]
        elif code == _RESOLUTION and length == 1:
            numerator, denominator = _unit(value[0])
        elif code == _OFFSET and length == 8:
            offset = struct.unpack(f"{byte_order}q", value)[0] * _SECOND
        at += _OPTION_HEAD + (length + 3 & ~3)
    return Interface(link_type, snap_length, name, numerator, denominator, offset)


def _unit(resolution: int) -> tuple[int, int]:
    """Nanoseconds in one unit, as a fraction; 10^resolution of them are a second, or 2^ with the top bit."""
    exponent = resolution & ~_BASE_TWO
    if resolution & _BASE_TWO:
        return _SECOND, 1 << exponent
    return (10 ** (9 - exponent), 1) if exponent <= 9 else (1, 10 ** (exponent - 9))
