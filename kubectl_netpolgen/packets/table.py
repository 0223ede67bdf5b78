"""The table of halves: every direction of every 5-tuple of a capture, of which memory holds a bounded part.

A table may be written to partitions at any moment and begun anew: halves add (`halves.py`), and both
directions of one 5-tuple go to the same partition. So what comes out does not depend on when that was.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from typing import NamedTuple
from zlib import crc32

from kubectl_netpolgen.model.flow import Tunnel
from kubectl_netpolgen.packets.halves import Half, Row, begin_half, half_of
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.spill import PARTITIONS, Partitions, pack_block, read_blocks
from kubectl_netpolgen.packets.verdicts import JUDGED, PROVING_RECEIVERS, PROVING_SENDERS

MOST_HALVES = 200_000
"""Halves that are held in memory, about 70 MB."""
MOST_PROVEN = 200_000
"""Server ends that are remembered; more than that is a scan of somebody who answers everywhere."""

_MAPPED = bytes(10) + b"\xff\xff"
_PORTS = 4

End = tuple[int, bytes]
"""Protocol, then address and port as they lie in a packet."""


class Context(NamedTuple):
    """What a 5-tuple is told apart by, besides its addresses and ports."""

    protocol: int
    vlan: int | None = None
    tunnel: Tunnel | None = None


Halves = dict[bytes, Half]
"""By addresses and ports as they lie in the packet: 12 bytes of IPv4 or 36 of IPv6."""
Rows = dict[Context, Halves]

_SERVES = (TCP, SCTP)


class HalfTable:
    """All halves of one capture."""

    def __init__(self, *, most: int = MOST_HALVES) -> None:
        self._most = most
        self._spilled: Partitions | None = None
        self._marked: Rows = {}
        self.tcp: Halves = {}
        self.udp: Halves = {}
        """The two that nearly every packet adds to; also in `rows`."""
        self.rows: Rows = {Context(TCP): self.tcp, Context(UDP): self.udp}

    def half(self, context: Context, key: bytes) -> Half:
        """The half of a packet that is about to be counted, made when it is not there."""
        return _half_in(self.rows, context, key)

    def mark(self, context: Context, key: bytes) -> Half:
        """The half that somebody else's packet speaks of; until one of its own comes, it is kept apart.

        So no half in `rows` is without packets, and the loop need not ask whether its times count.
        """
        found = self.rows.get(context, {}).get(key)
        return _half_in(self._marked, context, key) if found is None else found

    def relieve(self) -> None:
        """Write everything to disk if it has grown too large; called now and then, between packets."""
        if self.is_full():
            self.spill()

    def is_full(self) -> bool:
        """Whether there is more in memory than there should be."""
        return sum(map(len, self.rows.values())) + sum(map(len, self._marked.values())) >= self._most

    def contexts(self) -> list[Context]:
        """What the halves in memory are told apart by."""
        return list({**self.rows, **self._marked})

    def share(self, context: Context) -> Halves:
        """The halves of one context that are in memory, which stay."""
        halves = self.rows.get(context)
        if halves is None:
            halves = self.rows[context] = {}
        for key, half in self._marked.pop(context, {}).items():
            known = halves.get(key)
            if known is None:
                halves[key] = half
            else:
                known.add(half)
        return unmapped({context: halves})[context]

    def take(self, context: Context) -> Halves:
        """The same, and they stay no longer."""
        halves = self.share(context)
        taken = dict(halves)
        halves.clear()
        return taken

    def spill(self) -> None:
        """Write everything to disk."""
        if self._spilled is None:
            self._spilled = Partitions()
        blocks: list[list[tuple[object, ...]]] = [[] for _ in range(PARTITIONS)]
        for context, halves in (*self.rows.items(), *self._marked.items()):
            where = (context.protocol, context.vlan, context.tunnel and context.tunnel.value)
            for key, half in halves.items():
                blocks[partition_of(key)].append((where, key, half.as_row()))
            halves.clear()
        for number, block in enumerate(blocks):
            if block:
                self._spilled.append(number, pack_block(block))

    def parts(self) -> Iterator[Rows]:
        """The whole table, in parts that each hold both directions of what they hold."""
        if self._spilled is None:
            for context in list(self._marked):
                self.share(context)
            yield unmapped(self.rows)
            return
        self.spill()
        for number in range(PARTITIONS):
            rows: Rows = {}
            for block in read_blocks(self._spilled.open(number)):
                for where, key, row in block:
                    _add(rows, where, key, row)
            yield unmapped(rows)

    def proven(self) -> frozenset[End]:
        """Server ends that handshakes show."""
        found: set[End] = set()
        for rows in self.parts():
            note_proven(rows, found)
        return frozenset(found)

    def close(self) -> None:
        """Give the disk back."""
        if self._spilled is not None:
            self._spilled.close()


def note_proven(rows: Rows, found: set[End]) -> None:
    """Add the server ends that a part of the table shows."""
    for context, halves in rows.items():
        if context.protocol not in _SERVES:
            continue
        ends: set[bytes] = set()
        for key, half in halves.items():
            signals = half.signals & JUDGED
            if PROVING_SENDERS[signals] and half.packets:
                ends.add(source_end(key))
            if PROVING_RECEIVERS[signals] and half.packets:
                ends.add(destination_end(key))
        found.update((context.protocol, end) for end in ends)
    bound_proven(found)


def bound_proven(found: set[End]) -> None:
    """Keep so many ends as are allowed, always the same ones."""
    if len(found) > MOST_PROVEN:
        kept = nsmallest(MOST_PROVEN, found)
        found.clear()
        found.update(kept)


def _add(rows: Rows, where: tuple[int, int | None, str | None], key: bytes, row: Row) -> None:
    protocol, vlan, tunnel = where
    halves = rows.setdefault(Context(protocol, vlan, Tunnel(tunnel) if tunnel else None), {})
    known = halves.get(key)
    if known is None:
        halves[key] = half_of(row)
    else:
        known.add(half_of(row))


def _half_in(rows: Rows, context: Context, key: bytes) -> Half:
    halves = rows.get(context)
    if halves is None:
        halves = rows[context] = {}
    found = halves.get(key)
    if found is None:
        found = halves[key] = begin_half(key, 0)
    return found


def reverse(key: bytes) -> bytes:
    """The key of the packets that go the other way."""
    ports = len(key) - _PORTS
    middle = ports // 2
    return key[middle:ports] + key[:middle] + key[ports + 2 :] + key[ports : ports + 2]


def source_end(key: bytes) -> bytes:
    """Address and port of the sender."""
    ports = len(key) - _PORTS
    return key[: ports // 2] + key[ports : ports + 2]


def destination_end(key: bytes) -> bytes:
    """Address and port of the receiver."""
    ports = len(key) - _PORTS
    return key[ports // 2 : ports] + key[ports + 2 :]


def partition_of(key: bytes) -> int:
    """The same for both directions."""
    canonical = unmapped_key(key)
    return crc32(min(canonical, reverse(canonical))) % PARTITIONS


def unmapped_key(key: bytes) -> bytes:
    """The key of IPv4 packets when both addresses are IPv4 ones in IPv6 (RFC 4291, 2.5.5.2)."""
    if len(key) == 36 and key[:12] == _MAPPED and key[16:28] == _MAPPED:
        return key[12:16] + key[28:]
    return key


def unmapped(rows: Rows) -> Rows:
    """The rows with IPv4-mapped addresses written as the IPv4 addresses that they are."""
    for halves in rows.values():
        mapped = [key for key in halves if len(key) == 36 and unmapped_key(key) != key]
        for key in mapped:
            half = halves.pop(key)
            known = halves.get(unmapped_key(key))
            if known is None:
                halves[unmapped_key(key)] = half
            else:
                known.add(half)
    return rows
