"""The packets of a chunk that Python looks at, in the order of the file: odd ones, and payloads with names.

A half with something still to be put together wants all of its next segments, wherever they are in the chunk;
they are found by the order of the rows, which stands before anything is read. Of each such half one segment
is waited for at a time.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from kubectl_netpolgen.model.flow import PeerName
from kubectl_netpolgen.packets.columns.batches import Batch
from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.columns.hellos import begin_hellos
from kubectl_netpolgen.packets.columns.keys import keys_of
from kubectl_netpolgen.packets.columns.messages import Messages
from kubectl_netpolgen.packets.columns.repeats import Hellos, Requests
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.network import TCP
from kubectl_netpolgen.packets.payloads import NOTHING, Whole, direction_key, split_direction_key
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tls import HANDSHAKE

_TCP = Context(TCP)
_ODD, _SEGMENT, _DATAGRAM, _ASKED, _REQUESTED, _GREETED = range(6)


class _Segment(NamedTuple):
    """A payload of TCP and what its header says."""

    context: Context
    key: bytes
    direction: bytes
    payload: bytes
    sequence: int
    time: int
    cut: bool
    dns: bool


class Events:
    """One batch's visits to Python."""

    def __init__(self, tally: Tally, messages: Messages, batch: Batch) -> None:
        self._tally = tally
        self._messages = messages
        self._batch = batch
        self._buffer = batch.buffer
        self._packets = batch.packets
        self._later: list[tuple[int, int, bytes]] = []
        """Record, row and key of segments that are waited for; a heap."""
        self._ranks: Numbers | None = None
        self.named: list[tuple[int, PeerName]] = []
        """What rows called their receivers."""

    def visit(self) -> None:
        """Bring everything to the tally; what it says of plain packets goes to their signals."""
        pending = self._tally.payloads.assembly.pending
        agenda = self._agenda()
        for key in list(pending):
            self._await(key, -1)
        later = self._later
        for record, kind, number in zip(*(column.tolist() for column in agenda), strict=True):
            while later and later[0][0] < record:
                self._follow(*heappop(later))
            if kind == _ASKED:
                self._questions.hear(number)
            elif kind == _REQUESTED:
                self._requests.hear(number)
            elif kind == _GREETED:
                self._hellos.hear(number)
            elif kind == _SEGMENT:
                if later and later[0][0] == record:
                    heappop(later)
                segment = self._segment(number)
                self._hear_segment(number, segment)
                if pending and segment.direction in pending:
                    self._await_row(number, segment.direction)
            elif kind == _DATAGRAM:
                self._hear_datagram(record, number)
            else:
                newest = next(reversed(pending), None)
                self._tally.meet(self._frame(record))
                begun = next(reversed(pending), None)
                if begun is not None and begun != newest:
                    self._await(begun, record)
        while later:
            self._follow(*heappop(later))
        self._questions.settle()
        self.named += self._requests.settle()
        self.named += self._hellos.settle()

    def _agenda(self) -> tuple[Numbers, Numbers, Numbers]:
        """Records to visit in order, what to do there, and with which row or group of rows.

        What is said over and over is visited where it is said first (`repeats.py`, `messages.py`).
        """
        packets, tally, buffer = self._packets, self._tally, self._buffer
        opening = np.flatnonzero(packets.opening)
        tcp, dns = packets.tcp[opening], packets.dns[opening]
        octets = np.frombuffer(buffer, np.uint8)
        segments = opening[tcp & ~dns]
        handshake = octets[packets.payload[segments]] == HANDSHAKE
        begun = segments[handshake]
        begun = begun[begin_hellos(octets, packets.payload[begun], packets.end[begun])]
        self._questions = self._messages.open(self._batch, opening[~tcp & dns])
        self._requests = Requests(tally, buffer, packets, segments[~handshake])
        self._hellos = Hellos(tally, buffer, packets, begun)
        odd = self._batch.odd
        parts = [(odd, _ODD, odd)]
        for kind, rows in (
            (_SEGMENT, opening[tcp & dns]),
            (_SEGMENT, self._hellos.unread),
            (_DATAGRAM, opening[~tcp & ~dns]),
        ):
            parts.append((packets.record[rows], kind, rows))
        for kind, leaders in (
            (_ASKED, self._questions.visited),
            (_REQUESTED, self._requests.leaders),
            (_GREETED, self._hellos.leaders),
        ):
            parts.append((packets.record[leaders], kind, np.arange(leaders.size)))
        at = np.concatenate([part[0] for part in parts])
        kinds = np.concatenate([np.full(part[0].size, part[1]) for part in parts])
        order = np.argsort(at, kind="stable")
        return at[order], kinds[order], np.concatenate([part[2] for part in parts])[order]

    def _segment(self, row: int) -> _Segment:
        """The payload of a TCP row, and what its headers say."""
        packets, records, buffer = self._packets, self._batch.records, self._buffer
        record = packets.record[row]
        cut = bool(records.stop[record] - records.start[record] < records.wire[record])
        transport, vlan = int(packets.transport[row]), int(packets.vlan[row])
        key = self._batch.key(row)
        context = _TCP if vlan < 0 else Context(TCP, vlan)
        return _Segment(
            context,
            key,
            key if vlan < 0 else direction_key(context, key),
            buffer[int(packets.payload[row]) : int(packets.end[row])],
            int.from_bytes(buffer[transport + 4 : transport + 8], "big"),
            int(packets.time[row]),
            cut,
            bool(packets.dns[row]),
        )

    def _hear_segment(self, row: int, segment: _Segment) -> None:
        if not segment.payload:
            return
        context, key, _, payload, sequence, time, cut, dns = segment
        tally = self._tally
        said = tally.payloads.hear_segment(context, key, payload, sequence, time, cut=cut, dns=dns)
        if said is not NOTHING:
            if said.signals:
                self._packets.signals[row] |= said.signals
            for name in said.names:
                self.named.append((row, name))
            if said.questions and tally.keys:
                tally.note(tally.table.mark(context, key), said._replace(names=()))

    def _hear_datagram(self, record: int, row: int) -> None:
        packets = self._packets
        frame = self._frame(record)
        key = self._batch.key(row)
        said = self._tally.payloads.hear_datagram(
            key,
            self._buffer[int(packets.payload[row]) : int(packets.end[row])],
            frame.time,
            Whole(frame.buffer, frame.start, frame.end, frame.wire, self._batch.link.number),
        )
        for name in said.names:
            self.named.append((row, name))

    def _follow(self, record: int, row: int, direction: bytes) -> None:
        """A segment that a half with something pending wants, if it still does."""
        pending = self._tally.payloads.assembly.pending
        if direction not in pending:
            return
        segment = self._segment(row)
        # a half may have two spellings (`table.unmapped_key`); the other one's segments are not wanted
        if segment.direction == direction:
            self._requests.leave_out(row)
            self._hellos.leave_out(row)
            self._hear_segment(row, segment)
        if direction in pending:
            self._await_row(row, direction)

    def _await_row(self, row: int, key: bytes) -> None:
        """Visit the next segment of a half behind one of its rows."""
        if self._ranks is None:
            self._ranks = np.empty_like(self._batch.order.rows)
            self._ranks[self._batch.order.rows] = np.arange(self._batch.order.rows.size)
        following = int(self._ranks[row]) + 1
        if following < self._batch.order.rows.size:
            found = int(self._batch.order.rows[following])
            groups = self._packets.keys.group
            if groups[found] == groups[row]:
                heappush(self._later, (int(self._packets.record[found]), found, key))

    def _await(self, direction: bytes, record: int) -> None:
        """Visit the next segment of a half behind a record, whoever met the half's last one."""
        known = split_direction_key(direction)
        if known is None:
            # all packets inside a tunnel are odd, and come anyway
            return
        vlan, key = known
        group = keys_of([key], TCP, vlan).group[0]
        rows = np.flatnonzero(self._packets.keys.group == group)
        behind = rows[self._packets.record[rows] > record]
        if behind.size:
            found = int(behind[0])
            heappush(self._later, (int(self._packets.record[found]), found, direction))

    def _frame(self, record: int) -> Frame:
        records = self._batch.records
        return Frame(
            self._buffer,
            int(records.start[record]),
            int(records.stop[record]),
            int(records.time[record]),
            int(records.wire[record]),
            self._batch.link,
            self._batch.first + record,
            None,
        )
