"""Payloads that clients send over and over: read once, then counted, and told to `names` in one go.

Names add up whatever the order, so that only the first of a kind has to be told in its place.
"""

from __future__ import annotations

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.payloads import Payloads
from kubectl_netpolgen.packets.signals import ASKS, REPLIES

MOST_REMEMBERED = 4096
"""Payloads of each kind."""
LONGEST_REMEMBERED = 1232
"""Bytes; the EDNS size that resolvers agree on (DNS flag day 2020), and more than most requests have."""
_ID = 2
"""The transaction id before all else that a DNS message says."""


class Message:
    """A DNS message of UDP, by all but its id."""

    __slots__ = ("count", "first", "last", "payload", "signal")

    def __init__(self, payload: bytes, signal: int, time: int) -> None:
        self.payload = payload
        self.signal = signal
        self.first = self.last = time
        self.count = 0
        """How often it was met since it was told."""


class Request:
    """A request to one server."""

    __slots__ = ("count", "first", "key", "last", "name", "names")

    def __init__(self, key: bytes, name: PeerName | None, time: int) -> None:
        self.key = key
        self.name = name
        self.names = () if name is None else ((name.name, name.source._value_),)
        self.first = self.last = time
        self.count = 0


class Repeated:
    """What was read of one capture, and is not yet told in full."""

    def __init__(self, payloads: Payloads, *, most: int = MOST_REMEMBERED) -> None:
        self._payloads = payloads
        self._most = most
        self.messages: dict[bytes, Message] = {}
        """By all behind the id; who finds one here counts it."""
        self._requests: dict[tuple[bytes, bytes], Request] = {}

    def hear(self, payload: bytes, time: int) -> int:
        """Read a DNS message that is not among `messages`; its signal, or 0."""
        response = self._payloads.names.tell(payload, time, time)
        signal = 0 if response is None else REPLIES if response else ASKS
        if len(payload) <= LONGEST_REMEMBERED:
            if len(self.messages) >= self._most:
                self._settle_messages()
            self.messages[payload[_ID:]] = Message(payload, signal, time)
        return signal

    def request(self, half: Half, key: bytes, payload: bytes, time: int) -> None:
        """Read a payload of TCP that begins like a request, and note what it calls its receiver."""
        kind = (key[4:8] if len(key) == 12 else key[16:32], payload)
        known = self._requests.get(kind)
        if known is None:
            known = Request(key, self._payloads.hear_request(key, payload, time), time)
            if len(payload) <= LONGEST_REMEMBERED:
                if len(self._requests) >= self._most:
                    self._settle_requests()
                self._requests[kind] = known
        else:
            known.count += 1
            if time > known.last:
                known.last = time
            elif time < known.first:
                known.first = time
        if not half.names:
            half.names = known.names
        elif known.name is not None:
            half.call(known.name)

    def settle(self) -> None:
        """Tell what is not yet told."""
        self._settle_messages()
        self._settle_requests()

    def _settle_messages(self) -> None:
        for known in self.messages.values():
            if known.count:
                self._payloads.names.tell(known.payload, known.first, known.last, known.count)
        self.messages.clear()

    def _settle_requests(self) -> None:
        for known in self._requests.values():
            if known.count and known.name is not None:
                name = known.name.name
                self._payloads.call(
                    known.key, name, NameSource.HTTP, known.first, last=known.last, count=known.count
                )
        self._requests.clear()
