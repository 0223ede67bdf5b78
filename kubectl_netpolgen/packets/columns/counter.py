"""The engine itself: buffers of records to rows of halves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kubectl_netpolgen.packets.columns.decode import (
    PADDING,
    Packets,
    decode,
    initial_numbers,
    read_records,
)
from kubectl_netpolgen.packets.columns.decode import Records as RecordColumns
from kubectl_netpolgen.packets.columns.events import Events
from kubectl_netpolgen.packets.columns.rows import (
    ACCEPTED,
    OPENED,
    Notes,
    Order,
    Rows,
    add_rows,
    below,
    order_rows,
)
from kubectl_netpolgen.packets.columns.table import ColumnTable
from kubectl_netpolgen.packets.columns.walk import find_records
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.engines import PairTable, Table
from kubectl_netpolgen.packets.frames import frames_of_records
from kubectl_netpolgen.packets.link import Link
from kubectl_netpolgen.packets.pcap import FileHeader, Records, Stretch
from kubectl_netpolgen.packets.signals import ACCEPTS, OPENS

CHUNK = 6 << 20
"""Bytes that are looked at at once; smaller ones pay more for the start of each step."""


class FastCounter:
    """The engine of numpy. What it has no columns for, the other one's code counts."""

    def __init__(self, tally: Tally, *, inner: bool) -> None:
        self._plain = not inner
        self.tally = tally
        self.table = ColumnTable(tally.table)

    def count_records(self, records: Records, header: FileHeader, link: Link) -> None:
        """Read a classic capture to its end."""
        if link.place is not None or not self._plain or header.lengths_may_be_swapped:
            self.tally.count(frames_of_records(records, link))
            return

        def count(stretch: Stretch, number: int) -> tuple[int, int]:
            offsets, position = find_records(stretch, header)
            if offsets.size:
                buffer = stretch.buffer
                self._count(buffer, read_records(buffer, offsets, header), link, number)
                self.table.relieve()
            return int(offsets.size), position

        records.walk(count, chunk=CHUNK, padding=PADDING)

    def count_frames(self, frames: Iterable[Frame]) -> None:
        """Read the frames of any other container to their end."""
        self.tally.count(frames)

    def finish(self) -> Table:
        """What was counted."""
        return self.table if self.table.used else PairTable(self.tally.table)

    def _count(self, buffer: bytes, records: RecordColumns, link: Link, number: int) -> None:
        packets, odd = decode(buffer, records, link)
        order = order_rows(packets.keys)
        events = Events(self.tally, buffer, records, packets, order, link, number)
        events.visit(odd)
        rows, notes = rows_of_packets(buffer, packets, order)
        if events.named:
            notes = below(notes, self.table.names_of(packets, events.named))
        if rows.size:
            self.table.add(rows, notes)


def rows_of_packets(buffer: bytes, packets: Packets, order: Order) -> tuple[Rows, Notes]:
    """One row for each half of a chunk, and the numbers of the connections that begin in it."""
    size = packets.time.size
    opened = np.flatnonzero(packets.signals & OPENS)
    accepted = np.flatnonzero(packets.signals & ACCEPTS)
    rows = Rows(
        packets.keys,
        np.ones(size, np.int64),
        packets.wire,
        packets.time,
        packets.time,
        packets.signals,
        np.zeros(size, np.int64),
    )
    group = packets.keys.group
    notes = below(
        Notes(
            group[opened],
            np.full(opened.size, OPENED, np.uint64),
            initial_numbers(buffer, packets, opened, acknowledged=False),
        ),
        Notes(
            group[accepted],
            np.full(accepted.size, ACCEPTED, np.uint64),
            initial_numbers(buffer, packets, accepted, acknowledged=True),
        ),
    )
    return add_rows(rows, order), notes
