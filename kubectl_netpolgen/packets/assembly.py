"""Puts together what one end of a TCP connection said, when a ClientHello or a DNS message spans segments.

Only the start of a direction is of interest and only while something is missing, so that the bounds can be
small. What was captured first wins where segments overlap, which makes retransmissions harmless.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_netpolgen.packets.tls import begins_client_hello, read_client_hello

MOST_PENDING = 4096
_MOST_BYTES = 16 << 10
_MOST_SEGMENTS = 16
_MOST_BYTES_AT_ONCE = 16 << 20

_SEQUENCES = 1 << 32
_LENGTH = 2
_DNS_HEADER = 12


class Assembled(NamedTuple):
    """What a direction said, once it is known."""

    time: int
    """When it began: the time of the first segment."""
    server_name: str | None
    """The name in a ClientHello, or None for a DNS message."""
    message: bytes
    """A DNS message without its length, or nothing."""


class Unfinished(NamedTuple):
    """What began and never became whole."""

    key: bytes
    time: int
    payload: bytes
    """The bytes from the beginning to the first gap."""


class _Direction:
    """The pieces of one direction, by their distance from its beginning; none overlaps another."""

    __slots__ = ("base", "dns", "pieces", "segments", "size", "time")

    def __init__(self, base: int, time: int, *, dns: bool) -> None:
        self.base, self.time, self.dns = base, time, dns
        self.pieces: list[tuple[int, bytes]] = []
        self.segments = self.size = 0

    def add(self, at: int, payload: bytes) -> bool:
        """Keep what is new of a segment; False when nothing is."""
        end = at + len(payload)
        gaps = []
        reached = at
        for start, piece in self.pieces:
            if start >= end:
                break
            if start > reached:
                gaps.append((reached, start))
            reached = max(reached, start + len(piece))
        if reached < end:
            gaps.append((reached, end))
        for first, last in gaps:
            insort(self.pieces, (first, payload[first - at : last - at]))
            self.size += last - first
        return bool(gaps)

    def advance(self, used: int, time: int) -> None:
        """Begin anew behind what was used, with the segment of that time."""
        self.base = self.base + used & _SEQUENCES - 1
        self.pieces = [
            (max(0, start - used), piece[max(0, used - start) :])
            for start, piece in self.pieces
            if start + len(piece) > used
        ]
        self.size = sum(len(piece) for _, piece in self.pieces)
        self.segments, self.time = 1, time

    def joined(self) -> bytes:
        """The bytes from the beginning to the first gap."""
        parts = []
        reached = 0
        for start, piece in self.pieces:
            if start > reached:
                break
            parts.append(piece)
            reached += len(piece)
        return b"".join(parts)


class Assembly:
    """Waits for the rest of hellos and messages; the caller hands over segments in the order of the file.

    A caller needs to hand over only segments whose key is in `pending`, that `begins_client_hello` likes, or
    that come from or to a DNS port. A key names one direction of a connection: addresses and ports in order.
    """

    def __init__(self, *, most: int = MOST_PENDING) -> None:
        self._most = most
        self._bytes = 0
        self.pending: dict[bytes, _Direction] = {}
        self.dropped = 0
        """Beginnings that were given up: too many at once, too long, or cut by the snap length."""

    def segment(
        self, key: bytes, sequence: int, payload: bytes, time: int, *, dns: bool = False, cut: bool = False
    ) -> tuple[Assembled, ...]:
        """Take one segment's payload; what it made whole, in the order of the stream.

        `dns` says that the connection is to or from a DNS port; `cut` that the capture does not hold all of
        the payload, so that its end will never come.
        """
        known = self.pending.get(key)
        if known is not None:
            at = sequence - known.base & _SEQUENCES - 1
            at = at - _SEQUENCES if at >= _SEQUENCES >> 1 else at
            if -_MOST_BYTES < at < _MOST_BYTES:
                return self._continue(key, known, at, payload, time, cut=cut)
            if not known.dns and not begins_client_hello(payload, 0, len(payload)):
                return ()
            # the same addresses and ports, numbers from elsewhere: a new connection
            self._drop(key)
        return self._begin(key, sequence, payload, time, dns=dns, cut=cut)

    def unfinished(self) -> Iterator[Unfinished]:
        """What is still waited for, in the order in which it began."""
        for key, known in self.pending.items():
            yield Unfinished(key, known.time, known.joined())

    def _begin(
        self, key: bytes, sequence: int, payload: bytes, time: int, *, dns: bool, cut: bool
    ) -> tuple[Assembled, ...]:
        if dns:
            found, used, missing = _take_messages(payload, time)
        else:
            found, used, missing = _take_name(payload, time)
        if not missing:
            return found
        if cut or len(payload) - used > _MOST_BYTES:
            self.dropped += 1
            return found
        begun = _Direction(sequence + used & _SEQUENCES - 1, time, dns=dns)
        begun.segments = 1
        begun.add(0, payload[used:])
        self._bytes += begun.size
        self.pending[key] = begun
        while len(self.pending) > self._most or self._bytes > _MOST_BYTES_AT_ONCE:
            self._drop(next(iter(self.pending)))
        return found

    def _continue(
        self, key: bytes, known: _Direction, at: int, payload: bytes, time: int, *, cut: bool
    ) -> tuple[Assembled, ...]:
        if at < 0:
            at, payload = 0, payload[-at:]
        size = known.size
        if not payload or not known.add(at, payload):
            return ()
        known.segments += 1
        joined = known.joined()
        take = _take_messages if known.dns else _take_name
        found, used, missing = take(joined, known.time)
        if used:
            known.advance(used, time)
        self._bytes += known.size - size
        if not missing and not (known.dns and known.pieces):
            self._forget(key)
        elif cut or known.segments >= _MOST_SEGMENTS or known.size > _MOST_BYTES:
            self._drop(key)
        return found

    def _forget(self, key: bytes) -> None:
        self._bytes -= self.pending.pop(key).size

    def _drop(self, key: bytes) -> None:
        self._forget(key)
        self.dropped += 1


def _take_name(payload: bytes, time: int) -> tuple[tuple[Assembled, ...], int, bool]:
    """The name of a hello that begins the payload, nothing used, and whether more is needed to tell."""
    hello = read_client_hello(payload)
    if hello is None:
        return (), 0, False
    if hello.server_name is not None:
        return (Assembled(time, hello.server_name, b""),), 0, False
    return (), 0, hello.missing > 0


def _take_messages(payload: bytes, time: int) -> tuple[tuple[Assembled, ...], int, bool]:
    """The whole DNS messages at the start (RFC 1035, 4.2.2), their bytes, and whether another is begun."""
    found: list[Assembled] = []
    at, size = 0, len(payload)
    while at + _LENGTH <= size:
        length = payload[at] << 8 | payload[at + 1]
        if length < _DNS_HEADER:
            return tuple(found), size, False
        if at + _LENGTH + length > size:
            break
        found.append(Assembled(time, None, payload[at + _LENGTH : at + _LENGTH + length]))
        at += _LENGTH + length
    return tuple(found), at, at < size
