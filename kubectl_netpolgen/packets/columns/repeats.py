"""DNS messages and HTTP requests of a chunk: each is read where it is first said, and counted each time.

What a half says while its beginning is still being put together is no request; such rows are left out by
whoever follows the half.
"""

from __future__ import annotations

import numpy as np

from kubectl_netpolgen.model.flow import PeerName
from kubectl_netpolgen.packets.columns.contents import group_contents
from kubectl_netpolgen.packets.columns.decode import Numbers, Packets
from kubectl_netpolgen.packets.columns.keys import Words, context_of, hash_columns
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.signals import ASKS, REPLIES

_PORT, _SHIFT, _MULTICAST = np.uint64(0xFFFF), np.uint64(16), np.uint64(5353)
_TRANSACTION = 2
"""Bytes of a DNS message that differ each time it is sent."""


class _Repeats:
    """Rows whose payloads are the same, and each group's first row."""

    def __init__(self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers) -> None:
        self._tally = tally
        self._buffer = buffer
        self._packets = packets
        self._rows = rows
        self._group: Numbers = np.arange(rows.size)
        self.leaders = rows

    def _unite(self, starts: Numbers, apart: Words) -> None:
        """Put the rows into groups by the bytes from these places on, and by a number."""
        found = group_contents(self._buffer, starts, self._packets.end[self._rows], apart)
        self._group = found.group
        self.leaders = self._rows[found.leaders]

    def _times(self, chosen: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """For each group how often it is among the chosen rows, and when first and last."""
        size = self.leaders.size
        time, group = self._packets.time[self._rows[chosen]], self._group[chosen]
        first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
        np.minimum.at(first, group, time)
        np.maximum.at(last, group, time)
        return np.bincount(group, minlength=size), first, last

    def _payload(self, row: int) -> bytes:
        return self._buffer[int(self._packets.payload[row]) : int(self._packets.end[row])]

    def _key(self, row: int) -> bytes:
        transport = int(self._packets.transport[row])
        return self._buffer[transport - (32 if self._packets.six[row] else 8) : transport + 4]


class Questions(_Repeats):
    """Messages from and to a port of DNS over UDP."""

    def __init__(self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers) -> None:
        super().__init__(tally, buffer, packets, rows)
        word = packets.keys.word[rows]
        self._multicast = (word & _PORT == _MULTICAST) | (word >> _SHIFT & _PORT == _MULTICAST)
        if not tally.keys and rows.size:
            starts = np.minimum(packets.payload[rows] + _TRANSACTION, packets.end[rows])
            # announcements are read another way, and payloads without a whole number stand alone
            apart = self._multicast.astype(np.uint64) << np.uint64(1)
            apart |= packets.end[rows] - packets.payload[rows] < _TRANSACTION
            self._unite(starts, apart)
        self._signals = np.zeros(self.leaders.size, np.int64)
        self._number_of = {row: number for number, row in enumerate(self.leaders.tolist())}
        self._counts, self._first, self._last = self._times(np.arange(rows.size))

    def hear(self, row: int) -> None:
        """Read what a group's first row says, for all of them."""
        number = self._number_of[row]
        payload, names = self._payload(row), self._tally.payloads.names
        first, last, count = int(self._first[number]), int(self._last[number]), int(self._counts[number])
        if self._multicast[np.searchsorted(self._rows, row)]:
            names.hear_announcement(payload, first, last=last, count=count)
            return
        if self._tally.keys:
            heard = names.hear(payload, first)
            response = None if heard is None else heard.response
            if heard is not None:
                context = context_of(int(self._packets.keys.word[row]))
                self._tally.table.mark(context, self._key(row)).more.ask(heard.key)
        else:
            response = names.tell(payload, first, last, count)
        if response is not None:
            self._signals[number] = REPLIES if response else ASKS

    def settle(self) -> None:
        """Tell the signals of all rows."""
        self._packets.signals[self._rows] |= self._signals[self._group]


class Requests(_Repeats):
    """Payloads that begin like an HTTP request."""

    def __init__(self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers) -> None:
        super().__init__(tally, buffer, packets, rows)
        if rows.size:
            self._unite(packets.payload[rows], _servers(packets, rows))
        self._left_out = np.zeros(rows.size, bool)
        self._number_of = {row: number for number, row in enumerate(self.leaders.tolist())}
        self._names: dict[int, PeerName] = {}
        self._leader_counted = np.zeros(self.leaders.size, bool)

    def leave_out(self, row: int) -> None:
        """A row that belongs to what is being put together."""
        place = int(np.searchsorted(self._rows, row))
        if place < self._rows.size and self._rows[place] == row:
            self._left_out[place] = True

    def hear(self, row: int) -> None:
        """Read what a group's first row says, once, so that names are heard in the order of the file."""
        if self._left_out[np.searchsorted(self._rows, row)]:
            return
        number = self._number_of[row]
        name = self._tally.payloads.hear_request(
            self._key(row), self._payload(row), int(self._packets.time[row])
        )
        self._leader_counted[number] = True
        if name is not None:
            self._names[number] = name

    def settle(self) -> list[tuple[int, PeerName]]:
        """Count the other rows; what every row that was not left out called its receiver."""
        kept = np.flatnonzero(~self._left_out)
        counts, first, last = self._times(kept)
        counts -= self._leader_counted
        heard = self._tally.payloads
        for number in np.flatnonzero(counts).tolist():
            if self._leader_counted[number] and number not in self._names:
                continue
            row = int(self.leaders[number])
            name = heard.hear_request(
                self._key(row),
                self._payload(row),
                int(first[number]),
                last=int(last[number]),
                count=int(counts[number]),
            )
            if name is not None:
                self._names[number] = name
        rows, groups = self._rows[kept].tolist(), self._group[kept].tolist()
        names = self._names
        return [(row, names[group]) for row, group in zip(rows, groups, strict=True) if group in names]


def _servers(packets: Packets, rows: Numbers) -> Words:
    """A number for each row's receiver: only what was said to the same server is the same."""
    keys = packets.keys.take(rows)
    turned = (keys.group & np.uint64(1)).astype(bool)
    high = np.where(turned, keys.low_high, keys.high_high)
    low = np.where(turned, keys.low, keys.high)
    return hash_columns((high, low))
