"""One direction of one 5-tuple: what its packets add up to while a capture is read."""

from __future__ import annotations

from kubectl_netpolgen.analysis.flows import MAX_KEYS, smallest_keys

MOST_CONNECTIONS = 1024
"""Connections told apart on one 5-tuple; a source port is reused far less often while one capture lasts."""


class Half:
    """Packets from one address and port to another, of one protocol.

    A plain class with slots, because there is one for every 5-tuple and direction and every packet
    updates one.
    """

    __slots__ = ("accepted", "bytes", "first", "last", "opened", "packets", "questions", "signals")

    def __init__(self, time: int) -> None:
        self.packets = 0
        self.bytes = 0
        self.first = time
        self.last = time
        self.signals = 0
        """Bits of `packets.signals`."""
        self.opened: tuple[int, ...] = ()
        """Initial sequence numbers (SCTP: tags) of the connections that this half opened."""
        self.accepted: tuple[int, ...] = ()
        """The same numbers of the peer's connections, as this half accepted them."""
        self.questions: list[str] | None = None
        """Keys of DNS messages, in a bounded number; None where the ports say that there are none."""

    def count(self, time: int, wire: int) -> None:
        """Add one packet; times may go backwards."""
        self.packets += 1
        self.bytes += wire
        if time > self.last:
            self.last = time
        elif time < self.first:
            self.first = time

    def open(self, number: int) -> None:
        """Note the number of a connection that this half opened; a retransmission changes nothing."""
        if number not in self.opened and len(self.opened) < MOST_CONNECTIONS:
            self.opened += (number,)

    def accept(self, number: int) -> None:
        """Note the number of a connection that this half accepted."""
        if number not in self.accepted and len(self.accepted) < MOST_CONNECTIONS:
            self.accepted += (number,)

    def ask(self, key: str) -> None:
        """Note a DNS message; of very many those stay that the other vantage point keeps too."""
        if self.questions is None:
            self.questions = []
        self.questions.append(key)
        if len(self.questions) > 4 * MAX_KEYS:
            self.questions = list(smallest_keys(self.questions))
