"""What clients say over and over in a batch: each is read where it is first said, and counted each time.

What a half says while its beginning is still being put together is no request and no hello; such rows are
left out by whoever follows the half.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.packets.columns.decode import Numbers, Packets
from kubectl_netpolgen.packets.columns.hellos import find_server_names
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.hostnames import read_host_name


class _Callers(ABC):
    """Rows in which clients call their servers by name, in groups that say the same to the same."""

    def __init__(
        self, tally: Tally, buffer: bytes, packets: Packets, rows: Numbers, begin: Numbers, end: Numbers
    ) -> None:
        self._tally = tally
        self._buffer = buffer
        self._packets = packets
        self._rows = rows
        groups: dict[tuple[bytes, int, int], int] = {}
        said = zip(self._payloads(begin, end), *_servers(packets, rows), strict=True)
        self._group: Numbers = np.array([groups.setdefault(item, len(groups)) for item in said], np.int64)
        self._leaders = first_of_each(self._group)
        """The first of each group, by its place among the rows."""
        self._stretches = list(zip(self._spoken(begin), self._spoken(end), strict=True))
        self._left_out = np.zeros(rows.size, bool)
        self._leader_counted = np.zeros(self._leaders.size, bool)
        self._names: dict[int, PeerName] = {}

    @property
    def leaders(self) -> Numbers:
        """The first row of each group."""
        return self._rows[self._leaders]

    def _payloads(self, begin: Numbers, end: Numbers) -> list[bytes]:
        buffer = self._buffer
        return [buffer[first:last] for first, last in zip(begin.tolist(), end.tolist(), strict=True)]

    def _spoken(self, column: Numbers) -> list[int]:
        """A number of each group's first row, as Python wants it."""
        found: list[int] = column[self._leaders].tolist()
        return found

    def _key(self, row: int) -> bytes:
        transport = int(self._packets.transport[row])
        return self._buffer[transport - (32 if self._packets.six[row] else 8) : transport + 4]

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
        kept, size = np.flatnonzero(~self._left_out), self._leaders.size
        counts, first, last = times_of_groups(self._group[kept], self._packets.time[self._rows[kept]], size)
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


def first_of_each(group: Numbers) -> Numbers:
    """Where each group comes first: groups are numbered as they appear, so there is a new height."""
    height = np.maximum.accumulate(group)
    return np.flatnonzero(np.diff(height, prepend=-1))


def times_of_groups(group: Numbers, time: Numbers, size: int) -> tuple[Numbers, Numbers, Numbers]:
    """For each of so many groups how often it is there, and when first and last."""
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, group, time)
    np.maximum.at(last, group, time)
    return np.bincount(group, minlength=size), first, last


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
