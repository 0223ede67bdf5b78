"""One direction of one 5-tuple: what its packets add up to while a capture is read.

A half adds, in any order and from any parts of a capture, to the same result: counts add, times are the
earliest and the latest, signals are united, and of sets that could grow without end a fixed choice stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from heapq import nsmallest
from typing import Any, TypeVar

from kubectl_netpolgen.analysis.flows import MAX_KEYS, smallest_keys
from kubectl_netpolgen.model.flow import NameSource, PeerName

MOST_CONNECTIONS = 1024
"""Connections told apart on one 5-tuple, those of the smallest numbers; a port is reused far less often."""
MOST_NAMES = 32
"""Names of one conversation, the first in order; one connection may carry any number of HTTP requests."""

_MULTICAST_DNS = (5353).to_bytes(2, "big")
DNS_PORTS = frozenset(((53).to_bytes(2, "big"), _MULTICAST_DNS))
"""Of DNS and of multicast DNS, as they lie in a packet."""
_DNS_OCTETS = frozenset(port[1] for port in DNS_PORTS)
"""The last octets of these ports, which most others do not have."""
NO_NUMBER = -1
LISTENED = 1 << 16
"""A bit of a half's signals while it is counted: a port of DNS is at one of its ends."""
ANNOUNCED = 1 << 17
"""Another: that port is multicast DNS's, whose answers nobody asks for."""

Row = tuple[Any, ...]
"""A half as plain numbers, strings and tuples, for a temporary file."""


_FEW = 8
_T = TypeVar("_T")


class Extra:
    """What few halves have: kept apart, because every 5-tuple and direction has a half."""

    __slots__ = ("accepted", "duplicates", "fragment_bytes", "fragments", "opened", "questions")

    def __init__(self) -> None:
        self.duplicates = 0
        self.fragments = 0
        self.fragment_bytes = 0
        self.opened: Collection[int] = ()
        """Initial sequence numbers (SCTP: tags) of connections that this half opened, beside the first."""
        self.accepted: Collection[int] = ()
        """The same numbers of the peer's connections, as this half accepted them, beside the first."""
        self.questions: Collection[str] = ()
        """Keys of DNS messages."""

    def open(self, number: int) -> None:
        """Note the number of a connection that this half opened; a retransmission changes nothing."""
        self.opened = _with(self.opened, number)
        if len(self.opened) > 2 * MOST_CONNECTIONS:
            self.opened = smallest_numbers(self.opened)

    def accept(self, number: int) -> None:
        """Note the number of a connection that this half accepted."""
        self.accepted = _with(self.accepted, number)
        if len(self.accepted) > 2 * MOST_CONNECTIONS:
            self.accepted = smallest_numbers(self.accepted)

    def ask(self, key: str) -> None:
        """Note a DNS message; of very many those stay that the other vantage point keeps too."""
        self.questions = _with(self.questions, key)
        if len(self.questions) > 4 * MAX_KEYS:
            self.questions = set(smallest_keys(self.questions))

    def add(self, other: Extra) -> None:
        """Unite with what another part of the capture holds of the same half."""
        self.duplicates += other.duplicates
        self.fragments += other.fragments
        self.fragment_bytes += other.fragment_bytes
        self.opened = smallest_numbers({*self.opened, *other.opened})
        self.accepted = smallest_numbers({*self.accepted, *other.accepted})
        self.questions = set(smallest_keys((*self.questions, *other.questions)))


def _with(items: Collection[_T], item: _T) -> Collection[_T]:
    """The collection with one more: a tuple while it is short, since nearly all stay so."""
    if item in items:
        return items
    if isinstance(items, set):
        items.add(item)
        return items
    return (*items, item) if len(items) < _FEW else {*items, item}


class Half:
    """Packets from one address and port to another, of one protocol.

    A plain class with slots, because there is one for every 5-tuple and direction and every packet
    updates one. It may have no packets at all: an ICMP error may come before what it quotes.
    """

    __slots__ = ("accepted", "bytes", "extra", "first", "last", "names", "opened", "packets", "signals")

    def __init__(self, time: int = 0) -> None:
        self.packets = 0
        self.bytes = 0
        self.first = time
        self.last = time
        self.signals = 0
        """Bits of `packets.signals`."""
        self.opened = NO_NUMBER
        """The number of the first connection that this half opened; few have more than one."""
        self.accepted = NO_NUMBER
        self.names: Collection[tuple[str, str]] = ()
        """What the sender called the receiver, and where that was read."""
        self.extra: Extra | None = None

    def count(self, time: int, wire: int) -> None:
        """Add one packet; times may go backwards."""
        if not self.packets:
            self.first = self.last = time
        self.packets += 1
        self.bytes += wire
        if time > self.last:
            self.last = time
        elif time < self.first:
            self.first = time

    def open(self, number: int) -> None:
        """Note the number of a connection that this half opened; a retransmission changes nothing."""
        if self.opened < 0:
            self.opened = number
        elif number != self.opened:
            self.more.open(number)

    def accept(self, number: int) -> None:
        """Note the number of a connection that this half accepted."""
        if self.accepted < 0:
            self.accepted = number
        elif number != self.accepted:
            self.more.accept(number)

    def call(self, name: PeerName) -> None:
        """Note what the receiver was called."""
        # the enumeration's `value` is a call into Python
        self.names = _with(self.names, (name.name, name.source._value_))
        if len(self.names) > 2 * MOST_NAMES:
            self.names = set(nsmallest(MOST_NAMES, self.names))

    @property
    def openings(self) -> Collection[int]:
        """The numbers of all connections that it opened, as far as they were kept."""
        first = () if self.opened < 0 else (self.opened,)
        return first if self.extra is None else (*first, *self.extra.opened)

    @property
    def acceptances(self) -> Collection[int]:
        """The numbers of all that it accepted."""
        first = () if self.accepted < 0 else (self.accepted,)
        return first if self.extra is None else (*first, *self.extra.accepted)

    @property
    def more(self) -> Extra:
        """The extra, made when first asked for."""
        if self.extra is None:
            self.extra = Extra()
        return self.extra

    def add(self, other: Half) -> None:
        """Unite with what another part of the capture holds of the same half."""
        if other.packets:
            if self.packets:
                self.first, self.last = min(self.first, other.first), max(self.last, other.last)
            else:
                self.first, self.last = other.first, other.last
        self.packets += other.packets
        self.bytes += other.bytes
        self.signals |= other.signals
        if other.opened >= 0:
            self.open(other.opened)
        if other.accepted >= 0:
            self.accept(other.accepted)
        if other.names:
            self.names = set(nsmallest(MOST_NAMES, {*self.names, *other.names}))
        if other.extra is not None:
            self.more.add(other.extra)

    def as_row(self) -> Row:
        """The half as plain values; `half_of` reads them back."""
        row: Row = (
            *(self.packets, self.bytes, self.first, self.last),
            *(self.signals, self.opened, self.accepted, tuple(self.names)),
        )
        extra = self.extra
        if extra is None:
            return row
        return (
            *row,
            extra.duplicates,
            extra.fragments,
            extra.fragment_bytes,
            tuple(extra.opened),
            tuple(extra.accepted),
            tuple(extra.questions),
        )


def begin_half(key: bytes, time: int) -> Half:
    """The half of a key that has not been met yet."""
    half = Half(time)
    if (key[-1] in _DNS_OCTETS or key[-3] in _DNS_OCTETS) and is_dns(key):
        announced = _MULTICAST_DNS in (key[-4:-2], key[-2:])
        half.signals = LISTENED | ANNOUNCED if announced else LISTENED
    return half


def is_dns(key: bytes) -> bool:
    """Whether a port of DNS is at either end of a key: addresses and ports as they lie in the packet."""
    return key[-4:-2] in DNS_PORTS or key[-2:] in DNS_PORTS


def half_of(row: Row) -> Half:
    """The half that `as_row` wrote."""
    half = Half()
    half.packets, half.bytes, half.first, half.last = row[:4]
    half.signals, half.opened, half.accepted, half.names = row[4:8]
    if len(row) > 8:
        extra = half.more
        extra.duplicates, extra.fragments, extra.fragment_bytes = row[8:11]
        extra.opened, extra.accepted, extra.questions = row[11:14]
    return half


def smallest_numbers(numbers: Collection[int]) -> Collection[int]:
    """At most 1,024 of them, the smallest: the same ones whatever the order of reading."""
    return numbers if len(numbers) <= MOST_CONNECTIONS else set(nsmallest(MOST_CONNECTIONS, numbers))


def names_in_order(names: Iterable[tuple[str, str]]) -> tuple[PeerName, ...]:
    """At most 32 names, sorted."""
    # many conversations have the same few
    return _in_order(frozenset(names))


@lru_cache(maxsize=4096)
def _in_order(names: frozenset[tuple[str, str]]) -> tuple[PeerName, ...]:
    return tuple(PeerName(name, NameSource(source)) for name, source in nsmallest(MOST_NAMES, names))
