"""Rows of halves as columns: added up by key, and as bytes for the disk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.columns.keys import Keys, Words


class Rows(NamedTuple):
    """Halves, one a row; the same half may have several, which add."""

    keys: Keys
    packets: Numbers
    bytes: Numbers
    first: Numbers
    last: Numbers
    signals: Numbers
    aside: Numbers
    """A number of what else is known of the half, from 1 on, or 0."""

    def take(self, index: Numbers) -> Rows:
        """Some of the rows."""
        return Rows(self.keys.take(index), *(column[index] for column in self[1:]))

    @property
    def size(self) -> int:
        """How many there are."""
        return int(self.packets.size)


_ROW_BITS = 18
_DIRECTION = np.uint64(1)
_HASH_BITS = np.uint64((1 << 64) - (1 << _ROW_BITS + 1))
OPENED, ACCEPTED, NAMED = 0, 1, 2
"""Kinds of notes."""


class Notes(NamedTuple):
    """What halves may have any number of, one a row, by the half's group."""

    group: Words
    kind: Words
    """Whether the half opened or accepted a connection, or called its receiver by a name."""
    number: Words
    """The connection's initial number, or the name's place among all names."""

    def take(self, index: Numbers) -> Notes:
        """Some of the rows."""
        return Notes(*(column[index] for column in self))


class Order(NamedTuple):
    """Rows sorted by their half."""

    rows: Numbers
    """The rows in that order; those of one half stay in the order they had."""
    begins: Numbers
    """Where in that order each half begins."""


def order_rows(keys: Keys) -> Order:
    """Sort rows by half; two halves of the same hash are told apart by their keys."""
    group = keys.group
    index, begins = _sort(group)
    inside = ~begins
    inside[0:1] = False
    columns = [column[index] for column in keys]
    if any((column[1:] != column[:-1])[inside[1:]].any() for column in columns):
        index = np.lexsort((*keys[:5], group))
        begins = _changes([column[index] for column in keys])
    return Order(index, np.flatnonzero(begins))


def _sort(group: Words) -> tuple[Numbers, NDArray[np.bool_]]:
    """Rows by hash, those of one hash in their order, and where in that order another hash begins.

    Few rows are sorted as numbers of hash and row in one, which numpy does faster than it sorts indices; some
    bits of the hash are lost, so that a beginning may be missed.
    """
    if group.size > 1 << _ROW_BITS:
        index = np.argsort(group, kind="stable")
        return index, _changes([group[index]])
    packed = group & _HASH_BITS | (group & _DIRECTION) << np.uint64(_ROW_BITS)
    packed |= np.arange(group.size, dtype=np.uint64)
    packed.sort()
    index = (packed & np.uint64((1 << _ROW_BITS) - 1)).astype(np.int64)
    return index, _changes([packed >> np.uint64(_ROW_BITS)])


def _changes(columns: list[Words]) -> NDArray[np.bool_]:
    changed = np.zeros(columns[0].size, bool)
    changed[0:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return changed


def no_rows() -> Rows:
    """A table without any."""
    words, numbers = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    return Rows(Keys(*[words] * len(Keys._fields)), *[numbers] * (len(Rows._fields) - 1))


def add_rows(rows: Rows) -> Rows:
    """One row for each half."""
    if not rows.size:
        return rows
    index, begins = order_rows(rows.keys)

    def total(column: Numbers) -> Numbers:
        return np.add.reduceat(column[index], begins)

    def least(column: Numbers) -> Numbers:
        return np.minimum.reduceat(column[index], begins)

    def most(column: Numbers) -> Numbers:
        return np.maximum.reduceat(column[index], begins)

    return Rows(
        rows.keys.take(index[begins]),
        total(rows.packets),
        total(rows.bytes),
        least(rows.first),
        most(rows.last),
        np.bitwise_or.reduceat(rows.signals[index], begins),
        most(rows.aside),
    )


def join_rows(parts: list[Rows]) -> Rows:
    """All rows below each other."""
    if len(parts) == 1:
        return parts[0]
    keys = Keys(*(np.concatenate([part.keys[column] for part in parts]) for column in range(6)))
    return Rows(
        keys, *(np.concatenate([part[column] for part in parts]) for column in range(1, len(Rows._fields)))
    )


def below(one: Notes, other: Notes) -> Notes:
    """Two tables of notes as one."""
    return Notes(*(np.concatenate(columns) for columns in zip(one, other, strict=True)))


def join_notes(parts: list[Notes]) -> Notes:
    """All notes below each other, each once, by group, kind and number."""
    joined = Notes(*(np.concatenate([part[column] for part in parts]) for column in range(3)))
    # numbers are of 32 bits
    noted = joined.kind << np.uint64(32) | joined.number
    order = np.lexsort((noted, joined.group))
    changed = np.zeros(order.size, bool)
    changed[0:1] = True
    for column in (noted[order], joined.group[order]):
        changed[1:] |= column[1:] != column[:-1]
    return joined.take(order[changed])


def pack_rows(rows: Rows) -> bytes:
    """Rows as bytes; `unpack_rows` reads them back."""
    columns = [*rows.keys, *(column.view(np.uint64) for column in rows[1:])]
    return np.stack(columns, axis=1).tobytes()


def unpack_rows(content: bytes) -> Rows:
    """The rows that were packed, of any number of packages behind one another."""
    table = np.frombuffer(content, np.uint64).reshape(-1, 6 + len(Rows._fields) - 1)
    columns = [np.ascontiguousarray(table[:, column]) for column in range(table.shape[1])]
    return Rows(Keys(*columns[:6]), *(column.view(np.int64) for column in columns[6:]))


def pack_notes(notes: Notes) -> bytes:
    """Notes as bytes; `unpack_notes` reads them back."""
    return np.stack(list(notes), axis=1).tobytes()


def unpack_notes(content: bytes) -> Notes:
    """The notes that were packed."""
    table = np.frombuffer(content, np.uint64).reshape(-1, 3)
    return Notes(*(np.ascontiguousarray(table[:, column]) for column in range(3)))
