"""The keys of halves as columns: both ends in order, so that a conversation's two directions stand together.

A key is five numbers: the lower and the higher address, each of 64 bits twice, and a word of VLAN, family,
protocol and ports. The direction is a bit beside them. What is grouped by is a hash of all that; whoever
groups looks at the numbers too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.table import Context

Words = NDArray[np.uint64]

_SIX = 1 << 40
_VLAN_SHIFT = 41
_MULTIPLIERS = tuple(
    np.uint64(number)
    for number in (
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
    )
)
_DIRECTION = np.uint64(1)


class Keys(NamedTuple):
    """Columns of halves' keys, in the order of the ends."""

    low_high: Words
    """The upper 64 bits of the lower end's address; 0 for IPv4."""
    low: Words
    high_high: Words
    high: Words
    word: Words
    """VLAN and one (from bit 41), family (40), protocol (32 to 39), the lower end's port, the higher's."""
    group: Words
    """A hash of the others, and in its lowest bit whether the packets go from the higher end to the lower."""

    def take(self, index: NDArray[np.int64]) -> Keys:
        """Some of the rows."""
        return Keys(*(column[index] for column in self))


def order_ends(
    source_high: Words, source: Words, destination_high: Words, destination: Words, word: Words
) -> Keys:
    """Keys from packets' sources and destinations; `word` has their ports in that order."""
    source_port, destination_port = (word >> np.uint64(16)) & np.uint64(0xFFFF), word & np.uint64(0xFFFF)
    same = (source_high == destination_high) & (source == destination)
    turned = (
        (source_high > destination_high)
        | ((source_high == destination_high) & (source > destination))
        | (same & (source_port > destination_port))
    )
    upper = word >> np.uint64(32) << np.uint64(32)
    swapped = upper | destination_port << np.uint64(16) | source_port
    columns = (
        np.where(turned, destination_high, source_high),
        np.where(turned, destination, source),
        np.where(turned, source_high, destination_high),
        np.where(turned, source, destination),
        np.where(turned, swapped, word),
    )
    return Keys(*columns, hash_columns(columns) & ~_DIRECTION | turned.astype(np.uint64))


def hash_columns(columns: Sequence[Words]) -> Words:
    """One number for each row; rows that differ may have the same."""
    mixed: Words = np.zeros(columns[0].size, np.uint64)
    for column, multiplier in zip(columns, _MULTIPLIERS, strict=False):
        mixed = (mixed ^ column) * multiplier
        mixed ^= mixed >> np.uint64(29)
    mixed *= _MULTIPLIERS[1]
    mixed ^= mixed >> np.uint64(32)
    return mixed


def word_of(protocol: int, *, six: bool, vlan: int | None = None) -> int:
    """The upper part of a key's word."""
    tagged = 0 if vlan is None else vlan + 1
    return tagged << _VLAN_SHIFT | (_SIX if six else 0) | protocol << 32


def vlan_bits(vlan: NDArray[np.int64]) -> Words:
    """The part of a key's word that tells the VLAN; -1 for none."""
    bits = (vlan + 1).astype(np.uint64)
    bits <<= np.uint64(_VLAN_SHIFT)
    return bits


def unmap(
    source_high: Words, source: Words, destination_high: Words, destination: Words, word: Words
) -> None:
    """Write IPv4-mapped addresses as the IPv4 ones that they are, in place (`table.unmapped_key`)."""
    prefix = np.uint64(0xFFFF)
    mapped = (
        (source_high == 0)
        & (destination_high == 0)
        & (source >> np.uint64(32) == prefix)
        & (destination >> np.uint64(32) == prefix)
        & (word & np.uint64(_SIX) != 0)
    )
    if mapped.any():
        source[mapped] &= np.uint64(0xFFFFFFFF)
        destination[mapped] &= np.uint64(0xFFFFFFFF)
        word[mapped] &= ~np.uint64(_SIX)


def keys_of(raw: Sequence[bytes], protocol: int, vlan: int | None = None) -> Keys:
    """Keys from halves' keys as they lie in packets."""
    count = len(raw)
    padded = b"".join(key if len(key) == 36 else bytes(12) + key[:4] + bytes(12) + key[4:] for key in raw)
    table = np.frombuffer(padded, np.uint8).reshape(count, 36)
    words = np.ascontiguousarray(table[:, :32]).view(">u8").astype(np.uint64)
    ports = np.ascontiguousarray(table[:, 32:]).view(">u4").astype(np.uint64)[:, 0]
    six = np.fromiter((len(key) == 36 for key in raw), bool, count)
    families = (
        np.uint64(word_of(protocol, six=True, vlan=vlan)),
        np.uint64(word_of(protocol, six=False, vlan=vlan)),
    )
    word = np.where(six, *families) | ports
    one, two, three, four = (np.ascontiguousarray(words[:, column]) for column in range(4))
    unmap(one, two, three, four, word)
    return order_ends(one, two, three, four, word)


def raw_key(row: Sequence[int], *, turned: bool) -> bytes:
    """The key as it lies in packets from the lower end to the higher, or the other way when turned."""
    low_high, low, high_high, high, word = row
    if word & _SIX:
        one = low_high.to_bytes(8, "big") + low.to_bytes(8, "big")
        other = high_high.to_bytes(8, "big") + high.to_bytes(8, "big")
    else:
        one, other = low.to_bytes(4, "big"), high.to_bytes(4, "big")
    low_port, high_port = (word >> 16 & 0xFFFF).to_bytes(2, "big"), (word & 0xFFFF).to_bytes(2, "big")
    return other + one + high_port + low_port if turned else one + other + low_port + high_port


def context_of(word: int) -> Context:
    """Protocol and VLAN of a key's word."""
    tagged = word >> _VLAN_SHIFT
    return Context(word >> 32 & 0xFF, tagged - 1 if tagged else None)
