"""What clients and resolvers say over and over in a chunk: each is read where it is first said, and counted
each time.

What a half says while its beginning is still being put together is no request and no hello; such rows are
left out by whoever follows the half.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.packets.columns.decode import Numbers, Packets
from kubectl_netpolgen.packets.columns.hellos import find_server_names
from kubectl_netpolgen.packets.columns.keys import context_of
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.hostnames import read_host_name
from kubectl_netpolgen.packets.signals import ASKS, REPLIES

_PORT, _SHIFT, _MULTICAST = np.uint64(0xFFFF), np.uint64(16), np.uint64(5353)
_TRANSACTION = 2
"""Bytes of a DNS message that differ each time it is sent."""


class _Repeats:
    """Rows in groups that say the same, and each group's first row."""

    def __init__(
        self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers, begin: Numbers, end: Numbers
    ) -> None:
        self._tally = tally
        self._buffer = buffer
        self._packets = packets
        self._rows = rows
        self._begin, self._end = begin, end
        self._group: Numbers = np.arange(rows.size)
        self._leaders = self._group
        """The first of each group, by its place among the rows."""

    @property
    def leaders(self) -> Numbers:
        """The first row of each group."""
        return self._rows[self._leaders]

    def _unite(self, said: Iterable[Hashable]) -> None:
        """Put the rows into groups by what each says."""
        groups: dict[Hashable, int] = {}
        found = [groups.setdefault(item, len(groups)) for item in said]
        self._group = np.array(found, np.int64)
        # groups are numbered as they appear: a row is its group's first where the numbers reach a new height
        height = np.maximum.accumulate(self._group)
        self._leaders = np.flatnonzero(np.diff(height, prepend=-1))

    def _payloads(self) -> list[bytes]:
        """What each row says."""
        buffer = self._buffer
        stretches = zip(self._begin.tolist(), self._end.tolist(), strict=True)
        return [buffer[begin:end] for begin, end in stretches]

    def _times(self, chosen: Numbers | slice) -> tuple[Numbers, Numbers, Numbers]:
        """For each group how often it is among the chosen rows, and when first and last."""
        size = self._leaders.size
        time, group = self._packets.time[self._rows[chosen]], self._group[chosen]
        first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
        np.minimum.at(first, group, time)
        np.maximum.at(last, group, time)
        return np.bincount(group, minlength=size), first, last

    def _spoken(self, column: Numbers) -> list[int]:
        """A number of each group's first row, as Python wants it."""
        found: list[int] = column[self._leaders].tolist()
        return found

    def _key(self, row: int) -> bytes:
        transport = int(self._packets.transport[row])
        return self._buffer[transport - (32 if self._packets.six[row] else 8) : transport + 4]


class Questions(_Repeats):
    """Messages from and to a port of DNS over UDP."""

    def __init__(self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers) -> None:
        begin, end = packets.payload[rows], packets.end[rows]
        super().__init__(tally, buffer, packets, rows, np.minimum(begin + _TRANSACTION, end), end)
        word = packets.keys.word[rows]
        multicast = (word & _PORT == _MULTICAST) | (word >> _SHIFT & _PORT == _MULTICAST)
        if not tally.keys:
            # announcements are read another way, and payloads without a whole number are none
            odd = multicast | (end - begin < _TRANSACTION)
            said: list[Hashable] = list(self._payloads())
            for place in np.flatnonzero(odd).tolist():
                said[place] = place
            self._unite(said)
        counts, first, last = self._times(slice(None))
        self._groups = list(
            zip(
                self._spoken(begin),
                self._spoken(end),
                self._spoken(multicast),
                first.tolist(),
                last.tolist(),
                counts.tolist(),
                strict=True,
            )
        )
        self._signals = [0] * self._leaders.size

    def hear(self, number: int) -> None:
        """Read what a group says, for all of its rows."""
        begin, end, multicast, first, last, count = self._groups[number]
        payload, names = self._buffer[begin:end], self._tally.payloads.names
        if multicast:
            names.hear_announcement(payload, first, last=last, count=count)
            return
        if self._tally.keys:
            heard = names.hear(payload, first)
            response = None if heard is None else heard.response
            if heard is not None:
                row = int(self._rows[self._leaders[number]])
                context = context_of(int(self._packets.keys.word[row]))
                self._tally.table.mark(context, self._key(row)).more.ask(heard.key)
        else:
            response = names.tell(payload, first, last, count)
        if response is not None:
            self._signals[number] = REPLIES if response else ASKS

    def settle(self) -> None:
        """Tell the signals of all rows."""
        self._packets.signals[self._rows] |= np.array(self._signals, np.int64)[self._group]


class _Callers(_Repeats, ABC):
    """Rows in which clients call their servers by name."""

    def __init__(
        self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers, begin: Numbers, end: Numbers
    ) -> None:
        super().__init__(tally, buffer, packets, rows, begin, end)
        self._unite(zip(self._payloads(), *_servers(packets, rows), strict=True))
        self._stretches = list(zip(self._spoken(begin), self._spoken(end), strict=True))
        self._left_out = np.zeros(rows.size, bool)
        self._leader_counted = np.zeros(self._leaders.size, bool)
        self._names: dict[int, PeerName] = {}

    def leave_out(self, row: int) -> None:
        """A row that belongs to what is being put together."""
        place = int(np.searchsorted(self._rows, row))
        if place < self._rows.size and self._rows[place] == row:
            self._left_out[place] = True

    def hear(self, number: int) -> None:
        """Read what a group's first row says, once, so that names are heard in the order of the file."""
        place = self._leaders[number]
        if self._left_out[place]:
            return
        self._leader_counted[number] = True
        row = int(self._rows[place])
        name = self._read(number, row, int(self._packets.time[row]))
        if name is not None:
            self._names[number] = name

    def settle(self) -> list[tuple[int, PeerName]]:
        """Count the other rows; what every row that was not left out called its receiver."""
        kept = np.flatnonzero(~self._left_out)
        counts, first, last = self._times(kept)
        counts -= self._leader_counted
        for number in np.flatnonzero(counts).tolist():
            if self._leader_counted[number] and number not in self._names:
                continue
            row = int(self._rows[self._leaders[number]])
            name = self._read(
                number, row, int(first[number]), last=int(last[number]), count=int(counts[number])
            )
            if name is not None:
                self._names[number] = name
        rows, groups = self._rows[kept].tolist(), self._group[kept].tolist()
        names = self._names
        return [(row, names[group]) for row, group in zip(rows, groups, strict=True) if group in names]

    @abstractmethod
    def _read(self, number: int, row: int, first: int, *, last: int = 0, count: int = 1) -> PeerName | None:
        """Tell what a group says, as said so often."""


class Requests(_Callers):
    """Payloads that begin like an HTTP request."""

    def __init__(self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers) -> None:
        super().__init__(tally, buffer, packets, rows, packets.payload[rows], packets.end[rows])

    def _read(self, number: int, row: int, first: int, *, last: int = 0, count: int = 1) -> PeerName | None:
        begin, end = self._stretches[number]
        payload = self._buffer[begin:end]
        return self._tally.payloads.hear_request(self._key(row), payload, first, last=last, count=count)


class Hellos(_Callers):
    """Payloads of TLS clients whose name was found, by that name; the others are `unread`."""

    def __init__(self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers) -> None:
        octets = np.frombuffer(buffer, np.uint8)
        found = find_server_names(octets, packets.payload[rows], packets.end[rows])
        order = np.argsort(found.row)
        named = rows[found.row[order]]
        super().__init__(tally, buffer, packets, named, found.begin[order], found.end[order])
        self._hosts = [read_host_name(buffer[begin:end], addresses=True) for begin, end in self._stretches]
        readable = np.array([host is not None for host in self._hosts], bool)
        self._left_out |= ~readable[self._group]
        unread: NDArray[np.bool_] = np.ones(rows.size, bool)
        unread[found.row[order[~self._left_out]]] = False
        self.unread: Numbers = rows[unread]
        """Rows for whoever reads hellos one by one."""

    def _read(self, number: int, row: int, first: int, *, last: int = 0, count: int = 1) -> PeerName | None:
        host = self._hosts[number]
        assert host is not None
        payloads = self._tally.payloads
        return payloads.call(self._key(row), host, NameSource.SNI, first, last=last, count=count)


def _servers(packets: Packets, rows: Numbers) -> tuple[list[int], list[int]]:
    """Each row's receiver: only what was said to the same server is the same."""
    keys = packets.keys.take(rows)
    turned = (keys.group & np.uint64(1)).astype(bool)
    high, low = np.where(turned, keys.low_high, keys.high_high), np.where(turned, keys.low, keys.high)
    return high.tolist(), low.tolist()
