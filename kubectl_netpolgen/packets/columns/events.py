"""The packets of a chunk that Python looks at, in the order of the file: odd ones, and payloads with names.

A half with something still to be put together wants all of its next segments, wherever they are in the chunk;
they are found by the order of the rows, which stands before anything is read. Of each such half one segment
is waited for at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np

from kubectl_netpolgen.packets.columns.decode import Numbers, Packets, Records
from kubectl_netpolgen.packets.columns.keys import keys_of
from kubectl_netpolgen.packets.columns.rows import Order
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.link import Link
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.payloads import NOTHING, Whole
from kubectl_netpolgen.packets.signals import ASKS, REPLIES
from kubectl_netpolgen.packets.table import Context

_TCP, _UDP = Context(TCP), Context(UDP)
_ODD, _SEGMENT, _DATAGRAM, _DNS = 0, 1, 2, 3
_PORT, _SHIFT, _MULTICAST = np.uint64(0xFFFF), np.uint64(16), np.uint64(5353)


class Events:
    """One chunk's visits to Python."""

    def __init__(
        self,
        tally: Tally,
        buffer: bytes,
        records: Records,
        packets: Packets,
        order: Order,
        link: Link,
        first: int,
    ) -> None:
        self._tally = tally
        self._buffer = buffer
        self._records = records
        self._packets = packets
        self._order = order
        self._link = link
        self._first = first
        """The number of the chunk's first record in the file."""
        self._later: list[tuple[int, int, bytes]] = []
        """Record, row and key of segments that are waited for; a heap."""
        self._ranks: Numbers | None = None

    def visit(self, odd: Numbers) -> None:
        """Bring everything to the tally; what it says of plain packets goes to their signals."""
        packets, pending = self._packets, self._tally.payloads.assembly.pending
        opening = np.flatnonzero(packets.opening)
        udp = ~packets.tcp[opening]
        kinds = np.where(udp, np.where(packets.dns[opening], _DNS, _DATAGRAM), _SEGMENT)
        at = np.concatenate((odd, packets.record[opening]))
        sequence = np.argsort(at, kind="stable")
        kinds = np.concatenate((np.full(odd.size, _ODD), kinds))[sequence]
        rows = np.concatenate((np.zeros(odd.size, np.int64), opening))[sequence]
        for key in list(pending):
            self._await(key, -1)
        later, answers = self._later, self._hear_dns(rows[kinds == _DNS])
        for record, row, kind in zip(at[sequence].tolist(), rows.tolist(), kinds.tolist(), strict=True):
            while later and later[0][0] < record:
                self._follow(*heappop(later))
            if kind == _DNS:
                next(answers)
                continue
            if later and later[0][0] == record:
                heappop(later)
            if kind == _SEGMENT:
                key = self._hear_segment(row)
                if pending and key in pending:
                    self._await_row(row, key)
            elif kind == _DATAGRAM:
                self._hear_datagram(record, row)
            else:
                newest = next(reversed(pending), None)
                self._tally.meet(self._frame(record))
                begun = next(reversed(pending), None)
                if begun is not None and begun != newest:
                    self._await(begun, record)
        while later:
            self._follow(*heappop(later))
        next(answers, None)

    def _hear_dns(self, rows: Numbers) -> Iterator[None]:
        """Hear one message after the other, each when it is asked for; at the end their signals are told."""
        packets, buffer, tally = self._packets, self._buffer, self._tally
        names, told = tally.payloads.names, []
        transports, sixes = packets.transport[rows], packets.six[rows]
        multicast = (packets.keys.word[rows] & _PORT == _MULTICAST) | (
            packets.keys.word[rows] >> _SHIFT & _PORT == _MULTICAST
        )
        for start, end, time, transport, six, apart in zip(
            *(column.tolist() for column in (packets.payload[rows], packets.end[rows], packets.time[rows])),
            *(column.tolist() for column in (transports, sixes, multicast)),
            strict=True,
        ):
            payload = buffer[start:end]
            if apart:
                names.hear_announcement(payload, time)
                told.append(0)
            elif tally.keys:
                heard = names.hear(payload, time)
                if heard is not None:
                    key = buffer[transport - (32 if six else 8) : transport + 4]
                    tally.table.mark(_UDP, key).more.ask(heard.key)
                told.append(0 if heard is None else REPLIES if heard.response else ASKS)
            else:
                response = names.tell(payload, time)
                told.append(0 if response is None else REPLIES if response else ASKS)
            yield
        packets.signals[rows] |= np.array(told, np.int64)

    def _hear_segment(self, row: int) -> bytes:
        packets, buffer = self._packets, self._buffer
        key = self._key(row)
        start, end, transport = int(packets.payload[row]), int(packets.end[row]), int(packets.transport[row])
        if start < end:
            record = int(packets.record[row])
            records = self._records
            said = self._tally.payloads.hear_segment(
                _TCP,
                key,
                buffer[start:end],
                int.from_bytes(buffer[transport + 4 : transport + 8], "big"),
                int(packets.time[row]),
                cut=bool(records.stop[record] - records.start[record] < records.wire[record]),
                dns=bool(packets.dns[row]),
            )
            if said is not NOTHING:
                packets.signals[row] |= said.signals
                if said.names or (said.questions and self._tally.keys):
                    self._tally.note(self._tally.table.mark(_TCP, key), said)
        return key

    def _hear_datagram(self, record: int, row: int) -> None:
        packets = self._packets
        frame = self._frame(record)
        key = self._key(row)
        said = self._tally.payloads.hear_datagram(
            key,
            self._buffer[int(packets.payload[row]) : int(packets.end[row])],
            frame.time,
            Whole(frame.buffer, frame.start, frame.end, frame.wire, self._link.number),
        )
        if said.names:
            self._tally.note(self._tally.table.mark(_UDP, key), said)

    def _follow(self, record: int, row: int, key: bytes) -> None:
        """A segment that a half with something pending wants, if it still does."""
        pending = self._tally.payloads.assembly.pending
        if key not in pending:
            return
        # a half may have two spellings (`table.unmapped_key`); the other one's segments are not wanted
        if self._key(row) == key:
            self._hear_segment(row)
        if key in pending:
            self._await_row(row, key)

    def _await_row(self, row: int, key: bytes) -> None:
        """Visit the next segment of a half behind one of its rows."""
        if self._ranks is None:
            self._ranks = np.empty_like(self._order.rows)
            self._ranks[self._order.rows] = np.arange(self._order.rows.size)
        following = int(self._ranks[row]) + 1
        if following < self._order.rows.size:
            found = int(self._order.rows[following])
            groups = self._packets.keys.group
            if groups[found] == groups[row]:
                heappush(self._later, (int(self._packets.record[found]), found, key))

    def _await(self, key: bytes, record: int) -> None:
        """Visit the next segment of a half behind a record, whoever met the half's last one."""
        if len(key) not in (12, 36):
            # a VLAN's or a tunnel's: all of its packets are odd, and come anyway
            return
        group = keys_of([key], TCP).group[0]
        rows = np.flatnonzero(self._packets.keys.group == group)
        behind = rows[self._packets.record[rows] > record]
        if behind.size:
            found = int(behind[0])
            heappush(self._later, (int(self._packets.record[found]), found, key))

    def _frame(self, record: int) -> Frame:
        records = self._records
        return Frame(
            self._buffer,
            int(records.start[record]),
            int(records.stop[record]),
            int(records.time[record]),
            int(records.wire[record]),
            self._link,
            self._first + record,
            None,
        )

    def _key(self, row: int) -> bytes:
        """The half's key as it lies in the packet, which is how the other engine takes it."""
        transport = int(self._packets.transport[row])
        return self._buffer[transport - (32 if self._packets.six[row] else 8) : transport + 4]
