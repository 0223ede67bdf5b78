"""The engine itself: buffers of records to rows of halves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kubectl_netpolgen.packets.columns.apart import CHUNK, read_apart
from kubectl_netpolgen.packets.columns.batches import Batch, read_batch
from kubectl_netpolgen.packets.columns.decode import PADDING, initial_numbers
from kubectl_netpolgen.packets.columns.events import Events
from kubectl_netpolgen.packets.columns.messages import Messages
from kubectl_netpolgen.packets.columns.rows import ACCEPTED, OPENED, Notes, Rows, below, no_rows
from kubectl_netpolgen.packets.columns.table import ColumnTable
from kubectl_netpolgen.packets.columns.walk import find_records
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.engines import PairTable, Table
from kubectl_netpolgen.packets.frames import Progress, frames_of_records
from kubectl_netpolgen.packets.link import Link
from kubectl_netpolgen.packets.pcap import FileHeader, Records, Stretch
from kubectl_netpolgen.packets.signals import ACCEPTS, OPENS
from kubectl_netpolgen.packets.source import Source

_LARGEST_BLOCK = 24 << 20


def _tell_nobody() -> None:
    return


class FastCounter:
    """The engine of numpy. What it has no columns for, the other one's code counts."""

    def __init__(
        self, tally: Tally, *, inner: bool, apart: Source | None = None, told: Progress = _tell_nobody
    ) -> None:
        """`apart` is the records' source where another process may decode them; `told` hears of progress."""
        self._plain = not inner
        self._apart = apart
        self._told = told
        self.tally = tally
        self.table = ColumnTable(tally.table)
        self._messages = Messages(tally)
        _keep_memory()

    def count_records(self, records: Records, header: FileHeader, link: Link) -> None:
        """Read a classic capture to its end."""
        if link.place is not None or not self._plain or header.lengths_may_be_swapped:
            self.tally.count(frames_of_records(records, link))
            return
        if self._apart is not None and read_apart(
            records, header, link, source=self._apart, take=self._count, told=self._told
        ):
            return

        def count(stretch: Stretch, number: int) -> tuple[int, int]:
            offsets, position = find_records(stretch, header)
            if offsets.size:
                self._count(read_batch(stretch.buffer, offsets, number, header, link))
            return int(offsets.size), position

        records.walk(count, chunk=CHUNK, padding=PADDING)

    def count_frames(self, frames: Iterable[Frame]) -> None:
        """Read the frames of any other container to their end."""
        self.tally.count(frames)

    def finish(self) -> Table:
        """What was counted."""
        self._messages.settle()
        return self.table if self.table.used else PairTable(self.tally.table)

    def _count(self, batch: Batch) -> None:
        events = Events(self.tally, self._messages, batch)
        events.visit()
        rows, notes = rows_of_packets(batch)
        if events.named:
            notes = below(notes, self.table.names_of(batch.packets, events.named))
        if rows.size:
            self.table.add(rows, notes)
        self.table.relieve()


def rows_of_packets(batch: Batch) -> tuple[Rows, Notes]:
    """One row for each half of a batch, and the numbers of the connections that begin in it."""
    buffer, packets = batch.buffer, batch.packets
    opened = np.flatnonzero(packets.signals & OPENS)
    accepted = np.flatnonzero(packets.signals & ACCEPTS)
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
    index, begins = batch.order
    if not index.size:
        return no_rows(), notes
    time = packets.time[index]
    rows = Rows(
        packets.keys.take(index[begins]),
        np.diff(begins, append=index.size),
        np.add.reduceat(packets.wire[index], begins),
        np.minimum.reduceat(time, begins),
        np.maximum.reduceat(time, begins),
        np.bitwise_or.reduceat(packets.signals[index], begins),
        np.zeros(begins.size, np.int64),
    )
    return rows, notes


def _keep_memory() -> None:
    """Have columns come from memory that was used before.

    glibc maps and unmaps each block from 128 KiB on, and the kernel clears each page of it; that size grows
    with the largest block that was given back (mallopt(3), M_MMAP_THRESHOLD).
    """
    np.empty(_LARGEST_BLOCK, np.uint8)
