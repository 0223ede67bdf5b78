"""Names that a capture's DNS answers, TLS hellos and HTTP requests gave, each once, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from kubectl_netpolgen.model.flow import NameAnswer, NameSource, PeerName
from kubectl_netpolgen.model.network import Address, address_order
from kubectl_netpolgen.packets.dns import Message, read_announcement, read_message

MOST_ANSWERS = 50_000
_MOST_TEXT = 16 << 20
"""Characters of all names together: a hostile answer can spell one in a thousand characters."""

_MOST_REMEMBERED = 8192
_MOST_REMEMBERED_BYTES = 4 << 20
_LONGEST_REMEMBERED = 1232
"""Bytes; the EDNS size that resolvers agree on (DNS flag day 2020)."""

_MOST_PER_ADDRESS = 8
_ANY_ID = bytes(2)
_SOURCE_ORDER = tuple(NameSource)
_NO_ADDRESS = (-1, 0)

_Key = tuple[str, Address | None, tuple[str, ...], NameSource]


class Heard(NamedTuple):
    """What a DNS payload was about."""

    response: bool
    key: str
    """Transaction id and name: the same at both ends of a translated conversation."""


class _Sum:
    """When one answer was heard first and last, and how often."""

    __slots__ = ("count", "first", "last")

    def __init__(self, first: int, last: int, count: int) -> None:
        self.first, self.last, self.count = first, last, count

    def add(self, first: int, last: int, count: int) -> None:
        """Heard again; the order does not matter."""
        self.count += count
        if first < self.first:
            self.first = first
        if last > self.last:
            self.last = last


class _Read(NamedTuple):
    """What a payload said, so that the same one need not be read again."""

    response: bool
    name: str
    sums: tuple[_Sum, ...]


class Names:
    """Collects what each name stood for, from where it was read, when and how often.

    The result depends on the order of hearing only once there are more answers than room.
    """

    def __init__(self, *, most: int = MOST_ANSWERS) -> None:
        self._most = most
        self._text = 0
        self._sums: dict[_Key, _Sum] = {}
        # Clients ask the same few questions over and over: payloads without their id, already read.
        self._read: dict[bytes, _Read | None] = {}
        self._read_bytes = 0
        self.overflowed = False

    def hear(self, payload: bytes, time: int) -> Heard | None:
        """Read one DNS message, of UDP or of TCP without its length; None when it is none about one name."""
        read = self._take(payload, time, time, 1)
        if read is None:
            return None
        return Heard(read.response, f"d{payload[0]:02x}{payload[1]:02x}:{read.name}")

    def tell(self, payload: bytes, first: int, last: int, count: int = 1) -> bool | None:
        """`hear` for whoever needs no key, of what was said so often: whether it was a response, or None."""
        read = self._take(payload, first, last, count)
        return None if read is None else read.response

    def _take(self, payload: bytes, first: int, last: int, count: int) -> _Read | None:
        rest = payload[2:]
        if rest in self._read:
            read = self._read[rest]
            if read is not None:
                for known in read.sums:
                    known.add(first, last, count)
            return read
        message = _read_again(rest) if len(rest) <= _LONGEST_REMEMBERED else read_message(payload)
        read = None if message is None else self._enter(message, first)
        if read is not None and count > 1:
            for known in read.sums:
                known.add(first, last, count - 1)
        self._remember(rest, read)
        return read

    def hear_announcement(self, payload: bytes, first: int, *, last: int = 0, count: int = 1) -> None:
        """Read one payload of the multicast DNS port: addresses told unasked, or an ordinary answer."""
        announced = read_announcement(payload)
        if not announced:
            self.tell(payload, first, max(first, last), count)
        for name, address in announced:
            self._note((name, address, (), NameSource.DNS), first, max(first, last), count)

    def note(
        self, name: str, address: Address, source: NameSource, first: int, *, last: int = 0, count: int = 1
    ) -> PeerName:
        """Keep what a client called the server at an address, a name in the form of `read_host_name`."""
        self._note((name, address, (), source), first, max(first, last), count)
        return PeerName(name, source)

    def absorb(self, answers: Iterable[NameAnswer], *, overflowed: bool = False) -> None:
        """Add what another collection of the same capture gave."""
        self.overflowed |= overflowed
        for item in answers:
            key = (item.name, item.address, item.via, item.source)
            self._note(key, item.first, item.last, item.count)

    def collected(self) -> tuple[NameAnswer, ...]:
        """Every distinct answer, by name, address (none first), source and CNAMEs."""
        found = (
            NameAnswer(name, address, via, known.first, known.last, known.count, source)
            for (name, address, via, source), known in self._sums.items()
        )
        return tuple(sorted(found, key=answer_order))

    def by_address(self) -> Mapping[Address, tuple[str, ...]]:
        """The names that DNS gave for each address, the first eight by the alphabet."""
        found: dict[Address, set[str]] = {}
        for name, address, _, source in self._sums:
            if address is not None and source is NameSource.DNS:
                found.setdefault(address, set()).add(name)
        return {address: tuple(sorted(names)[:_MOST_PER_ADDRESS]) for address, names in found.items()}

    def _enter(self, message: Message, time: int) -> _Read:
        name = message.name
        keys: list[_Key] = [(name, address, via, NameSource.DNS) for address, via in message.answers]
        keys += [(name, None, (target,), NameSource.DNS) for target in message.services]
        if message.nonexistent:
            keys.append((name, None, (), NameSource.DNS))
        sums = (self._note(key, time, time, 1) for key in keys)
        return _Read(message.response, name, tuple(known for known in sums if known is not None))

    def _remember(self, rest: bytes, read: _Read | None) -> None:
        if len(rest) > _LONGEST_REMEMBERED:
            return
        if len(self._read) >= _MOST_REMEMBERED or self._read_bytes >= _MOST_REMEMBERED_BYTES:
            self._read.clear()
            self._read_bytes = 0
        self._read[rest] = read
        self._read_bytes += len(rest)

    def _note(self, key: _Key, first: int, last: int, count: int) -> _Sum | None:
        known = self._sums.get(key)
        if known is not None:
            known.add(first, last, count)
            return known
        text = len(key[0]) + sum(map(len, key[2]))
        if len(self._sums) >= self._most or self._text + text > _MOST_TEXT:
            self.overflowed = True
            return None
        self._text += text
        known = self._sums[key] = _Sum(first, last, count)
        return known


@lru_cache(maxsize=1024)
def _read_again(rest: bytes) -> Message | None:
    """What a message without its id says: pods ask the same, so that other files have it too."""
    return read_message(_ANY_ID + rest)


def answer_order(answer: NameAnswer) -> tuple[str, tuple[int, int], int, tuple[str, ...]]:
    """Where an answer stands among the others of its file: no two of one file share a place."""
    address = _NO_ADDRESS if answer.address is None else address_order(answer.address)
    return answer.name, address, _SOURCE_ORDER.index(answer.source), answer.via
