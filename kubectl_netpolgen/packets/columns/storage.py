"""All rows of a capture: in memory while they fit, in partitions on disk when they do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.columns.keys import Words, keys_of
from kubectl_netpolgen.packets.columns.rows import (
    ACCEPTED,
    OPENED,
    Notes,
    Rows,
    add_rows,
    join_notes,
    join_rows,
    no_rows,
    pack_notes,
    pack_rows,
    unpack_notes,
    unpack_rows,
)
from kubectl_netpolgen.packets.halves import Half, half_of
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.spill import PARTITIONS, Partitions, pack_block, read_blocks
from kubectl_netpolgen.packets.table import Context, HalfTable, Halves

MOST_ROWS = 220_000
"""Rows that are held in memory, about 30 MB: both directions of 110,000 conversations."""
_MERGED_AFTER = 100_000
"""Rows that came in since the last time after which it pays to add up what is of the same half."""

_NEVER_FIRST, _NEVER_LAST = (1 << 63) - 1, -(1 << 63)


class Part(NamedTuple):
    """Some of the conversations, each with all of its rows."""

    rows: Rows
    """One for each half, sorted: the two directions of a conversation side by side."""
    notes: Notes
    asides: list[Half]
    """What else is known of halves; a row's `aside` counts from 1 on."""


class Storage:
    """Takes rows in and gives them back in parts."""

    def __init__(self, halves: HalfTable, *, most: int = MOST_ROWS) -> None:
        self._halves = halves
        """Where the other code keeps what it counted; the plain ones are taken out of there."""
        self._most = most
        self._rows: list[Rows] = []
        self._notes: list[Notes] = []
        self._size = self._merged = 0
        """Rows in memory, and how many there were when they were last added up."""
        self._disk: tuple[Partitions, Partitions, Partitions] | None = None
        self._whole: Part | None = None
        """What was given last, while nothing is added and nothing is on disk."""

    def add(self, rows: Rows, notes: Notes) -> None:
        """Take the rows of a chunk."""
        self._whole = None
        self._rows.append(rows)
        self._size += rows.size
        if notes.group.size:
            self._notes.append(notes)

    def relieve(self) -> None:
        """Add up what was taken in, and write it to disk if it is still too much."""
        grown = self._size - self._merged
        if grown < min(_MERGED_AFTER, self._most) and not self._halves.is_full():
            return
        self._merge()
        if (
            self._size + sum(notes.group.size for notes in self._notes) // 4 >= self._most
            or self._halves.is_full()
        ):
            self._spill()

    def parts(self) -> Iterator[Part]:
        """Everything, in parts; may be asked for again."""
        if self._disk is None:
            if self._whole is None:
                halves = [(context, self._halves.share(context)) for context in self._contexts()]
                self._whole = _assemble(self._rows, self._notes, halves)
            yield self._whole
            return
        self._spill()
        for number in range(PARTITIONS):
            rows, notes, asides = (partitions.open(number) for partitions in self._disk)
            found: dict[Context, Halves] = {}
            for block in read_blocks(asides):
                for protocol, vlan, key, row in block:
                    members = found.setdefault(Context(protocol, vlan), {})
                    known = members.get(key)
                    if known is None:
                        members[key] = half_of(row)
                    else:
                        known.add(half_of(row))
            yield _assemble([unpack_rows(rows.read())], [unpack_notes(notes.read())], list(found.items()))

    def close(self) -> None:
        """Give the disk back."""
        for partitions in self._disk or ():
            partitions.close()

    def _contexts(self) -> list[Context]:
        return [context for context in self._halves.contexts() if is_plain(context)]

    def _merge(self) -> None:
        if self._rows:
            self._rows = [add_rows(join_rows(self._rows))]
            self._size = self._merged = self._rows[0].size
        if self._notes:
            self._notes = [join_notes(self._notes)]

    def _spill(self) -> None:
        if self._disk is None:
            self._disk = Partitions(), Partitions(), Partitions()
        on_rows, on_notes, on_asides = self._disk
        self._merge()
        for rows in self._rows:
            for number, index in _partitions(rows.keys.group):
                on_rows.append(number, pack_rows(rows.take(index)))
        for notes in self._notes:
            for number, index in _partitions(notes.group):
                on_notes.append(number, pack_notes(notes.take(index)))
        for context in self._contexts():
            halves = self._halves.take(context)
            if not halves:
                continue
            raw = list(halves)
            for number, index in _partitions(keys_of(raw, context.protocol, context.vlan).group):
                block = [
                    (context.protocol, context.vlan, raw[at], halves[raw[at]].as_row())
                    for at in index.tolist()
                ]
                on_asides.append(number, pack_block(block))
        self._rows, self._notes, self._size, self._merged = [], [], 0, 0
        # what is left there is of VLANs, tunnels and other protocols
        self._halves.relieve()


def is_plain(context: Context) -> bool:
    """Whether packets of the context may have rows here."""
    return context.protocol in (TCP, UDP) and context.tunnel is None


def _partitions(group: Words) -> Iterator[tuple[int, Numbers]]:
    """The rows of each partition that has any: by the upper bits, which both directions share."""
    numbers = (group >> np.uint64(58)).astype(np.int64)
    order = np.argsort(numbers, kind="stable")
    found, begins = np.unique(numbers[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, begins[1:]), strict=True)


def _assemble(rows: list[Rows], notes: list[Notes], halves: list[tuple[Context, Halves]]) -> Part:
    parts, numbers = [part for part in rows if part.size], [part for part in notes if part.group.size]
    asides: list[Half] = []
    for context, members in halves:
        if members:
            added, noted = _rows_of_halves(context, members, len(asides))
            parts.append(added)
            numbers.append(noted)
            asides.extend(members.values())
    whole = add_rows(join_rows(parts)) if parts else no_rows()
    return Part(whole, join_notes(numbers) if numbers else _no_notes(), asides)


def _rows_of_halves(context: Context, halves: Halves, before: int) -> tuple[Rows, Notes]:
    """What the other code counted of plain halves, as rows."""
    keys = keys_of(list(halves), context.protocol, context.vlan)
    members = list(halves.values())
    size = len(members)

    def column(values: Iterator[int]) -> Numbers:
        return np.fromiter(values, np.int64, size)

    rows = Rows(
        keys,
        column(half.packets for half in members),
        column(half.bytes for half in members),
        column(half.first if half.packets else _NEVER_FIRST for half in members),
        column(half.last if half.packets else _NEVER_LAST for half in members),
        column(half.signals & 0xFFFF for half in members),
        np.arange(before + 1, before + 1 + size, dtype=np.int64),
    )
    told = [
        (at, kind, number)
        for at, half in enumerate(members)
        for kind, numbers in ((OPENED, half.openings), (ACCEPTED, half.acceptances))
        for number in numbers
    ]
    table = np.array(told, np.uint64).reshape(-1, 3)
    return rows, Notes(keys.group[table[:, 0].astype(np.int64)], table[:, 1].copy(), table[:, 2].copy())


def _no_notes() -> Notes:
    words = np.zeros(0, np.uint64)
    return Notes(words, words, words)
