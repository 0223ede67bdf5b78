"""DNS over UDP: a message that was said before need not be read again, only counted.

Clients ask the same few questions over and over, so nearly all that is left to do is to find each message in
a dictionary; counts and times are added up as columns and told at the end.
"""

from __future__ import annotations

import numpy as np

from kubectl_netpolgen.packets.columns.batches import Batch
from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.columns.keys import context_of
from kubectl_netpolgen.packets.columns.repeats import first_of_each, times_of_groups
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.signals import ASKS, REPLIES

_PORT, _SHIFT, _MULTICAST = np.uint64(0xFFFF), np.uint64(16), np.uint64(5353)
_TRANSACTION = 2
"""Bytes of a message that differ each time it is sent."""
_ANY_TRANSACTION = bytes(_TRANSACTION)
MOST_MESSAGES = 8192
_MOST_BYTES = 4 << 20


class Messages:
    """What messages said, as long as a file is read.

    Names are heard first in the order of the file, which decides where there are too many; what is only
    counted again may be told later.
    """

    def __init__(self, tally: Tally, *, most: int = MOST_MESSAGES) -> None:
        self._tally = tally
        self._most = most
        self._groups: dict[bytes, int] = {}
        self._bytes = 0
        self._signals: list[int] = []
        """What each message adds to the half that said it."""
        self._waiting: list[tuple[Numbers, Numbers]] = []
        """Groups and times of messages that were read before."""

    def open(self, batch: Batch, rows: Numbers) -> Questions:
        """The messages of a batch."""
        if len(self._groups) >= self._most or self._bytes >= _MOST_BYTES:
            self.settle()
        return Questions(self, self._tally, batch, rows)

    def settle(self) -> None:
        """Tell what is still to be counted, and forget all messages."""
        if self._waiting:
            size = len(self._groups)
            group, time = (np.concatenate(columns) for columns in zip(*self._waiting, strict=True))
            counts, first, last = (column.tolist() for column in times_of_groups(group, time, size))
            for message, number in self._groups.items():
                if counts[number]:
                    self.tell(_ANY_TRANSACTION + message, first[number], last[number], counts[number])
        self._groups.clear()
        self._signals.clear()
        self._waiting.clear()
        self._bytes = 0

    def number(self, messages: list[bytes]) -> tuple[Numbers, int]:
        """The group of each message, and how many groups there were before."""
        groups, before = self._groups, len(self._groups)
        found = np.array([groups.setdefault(message, len(groups)) for message in messages], np.int64)
        self._signals += [0] * (len(groups) - before)
        return found, before

    def hear(self, group: int, payload: bytes, first: int, last: int, count: int) -> None:
        """Read a message that was not read before."""
        self._bytes += len(payload)
        self._signals[group] = self.tell(payload, first, last, count)

    def tell(self, payload: bytes, first: int, last: int, count: int) -> int:
        """Bring a message to the names; the signal of the half that said it."""
        response = self._tally.payloads.names.tell(payload, first, last, count)
        return _signal(response)

    def wait(self, group: Numbers, time: Numbers) -> None:
        """Count messages that were read before, some time."""
        if group.size:
            self._waiting.append((group, time))

    def signals_of(self, group: Numbers) -> Numbers:
        """What messages add to the halves that said them."""
        return np.array(self._signals, np.int64)[group]


class Questions:
    """The messages of one batch, from and to a port of DNS over UDP; each new one is visited once."""

    def __init__(self, messages: Messages, tally: Tally, batch: Batch, rows: Numbers) -> None:
        self._messages = messages
        self._tally = tally
        self._batch = batch
        packets = batch.packets
        begin, end, word = packets.payload[rows], packets.end[rows], packets.keys.word[rows]
        multicast = (word & _PORT == _MULTICAST) | (word >> _SHIFT & _PORT == _MULTICAST)
        # announcements are read another way, and a payload without a whole number is no message
        alone = multicast | (end - begin < _TRANSACTION)
        if tally.keys:
            alone[:] = True
        self._alone = rows[alone]
        self._multicast = multicast[alone].tolist()
        self._rows, begin, end = rows[~alone], begin[~alone], end[~alone]
        stretches = zip((begin + _TRANSACTION).tolist(), end.tolist(), strict=True)
        buffer = batch.buffer
        self._group, self._before = messages.number([buffer[first:last] for first, last in stretches])
        new = np.flatnonzero(self._group >= self._before)
        number = self._group[new] - self._before
        leaders = new[first_of_each(number)]
        times = times_of_groups(number, packets.time[self._rows[new]], leaders.size)
        columns = (self._group[leaders], begin[leaders], end[leaders], *times)
        self._new = list(zip(*(column.tolist() for column in columns), strict=True))
        self.visited: Numbers = np.concatenate((self._alone, self._rows[leaders]))
        """The rows to visit, each by its place here."""
        known = np.flatnonzero(self._group < self._before)
        messages.wait(self._group[known], packets.time[self._rows[known]])

    def hear(self, number: int) -> None:
        """Read what one of the rows to visit says."""
        alone = self._alone.size
        if number < alone:
            self._hear_alone(int(self._alone[number]), multicast=self._multicast[number])
            return
        group, begin, end, count, first, last = self._new[number - alone]
        self._messages.hear(group, self._batch.buffer[begin:end], first, last, count)

    def settle(self) -> None:
        """Tell the signals of all rows but those that stand alone, which have theirs."""
        self._batch.packets.signals[self._rows] |= self._messages.signals_of(self._group)

    def _hear_alone(self, row: int, *, multicast: bool) -> None:
        packets, names = self._batch.packets, self._tally.payloads.names
        payload = self._batch.buffer[int(packets.payload[row]) : int(packets.end[row])]
        time = int(packets.time[row])
        if multicast:
            names.hear_announcement(payload, time)
            return
        heard = names.hear(payload, time)
        if heard is not None:
            packets.signals[row] |= _signal(heard.response)
            if self._tally.keys:
                context = context_of(int(packets.keys.word[row]))
                self._tally.table.mark(context, self._batch.key(row)).more.ask(heard.key)


def _signal(response: bool | None) -> int:
    if response is None:
        return 0
    return REPLIES if response else ASKS
