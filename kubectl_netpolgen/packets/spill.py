"""What does not fit the memory, in temporary files: partitions of a table, and rows in order.

The files have no name, so that nothing is left behind whatever ends the program; what is in them was written
by this process and is read by nobody else.
"""

from __future__ import annotations

import heapq
import marshal
from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from typing import IO, Any, Generic, TypeVar

PARTITIONS = 64
BLOCK = 512
"""Rows that are read back at once; a merge holds one block of each run."""
MOST_ROWS = 100_000
"""Rows of a sorter that are held in memory."""

_Item = TypeVar("_Item")
_Value = tuple[Any, ...]


class Partitions:
    """Sixty-four append-only files; what belongs together goes to the same one."""

    def __init__(self) -> None:
        self._files = [_nameless_file() for _ in range(PARTITIONS)]

    def append(self, number: int, content: bytes) -> None:
        """Add bytes to the end of one partition."""
        self._files[number].write(content)

    def open(self, number: int) -> IO[bytes]:
        """One partition, to be read from its start and then left at its end."""
        file = self._files[number]
        file.seek(0)
        return file

    def close(self) -> None:
        """Give the disk back."""
        for file in self._files:
            file.close()


class Sorter(Generic[_Item]):
    """Items in the order of their keys, as many as there may be; items of the same key become one.

    Keys are tuples of plain values, and so is what `encode` makes of an item.
    """

    def __init__(
        self,
        *,
        encode: Callable[[_Item], _Value],
        decode: Callable[[_Value], _Item],
        combine: Callable[[_Item, _Item], _Item],
        most: int = MOST_ROWS,
    ) -> None:
        self._encode, self._decode, self._combine = encode, decode, combine
        self._most = most
        self._held: dict[_Value, _Item] = {}
        self._runs: list[IO[bytes]] = []

    def add(self, key: _Value, item: _Item) -> None:
        """Take one item."""
        known = self._held.get(key)
        self._held[key] = item if known is None else self._combine(known, item)
        if len(self._held) >= self._most:
            self._spill()

    def _spill(self) -> None:
        file = _nameless_file()
        rows = ((key, self._encode(self._held[key])) for key in sorted(self._held))
        while block := list(islice(rows, BLOCK)):
            file.write(pack_block(block))
        self._runs.append(file)
        self._held = {}

    def __iter__(self) -> Iterator[_Item]:
        """Every item, in order; may be asked for more than once."""
        if not self._runs:
            for key in sorted(self._held):
                yield self._held[key]
            return
        if self._held:
            self._spill()
        waiting: tuple[_Value, _Item] | None = None
        for key, value in heapq.merge(*map(_rows_of, self._runs), key=itemgetter(0)):
            item = self._decode(value)
            if waiting is not None and waiting[0] == key:
                waiting = key, self._combine(waiting[1], item)
                continue
            if waiting is not None:
                yield waiting[1]
            waiting = key, item
        if waiting is not None:
            yield waiting[1]

    def close(self) -> None:
        """Give the disk back."""
        for file in self._runs:
            file.close()


def _nameless_file() -> IO[bytes]:
    # few captures need one
    import tempfile

    return tempfile.TemporaryFile(prefix="netpolgen-")


def pack_block(rows: list[_Value]) -> bytes:
    """Rows of plain values as bytes, with their length in front."""
    content = marshal.dumps(rows)
    return len(content).to_bytes(8, "big") + content


def read_blocks(file: IO[bytes]) -> Iterator[list[_Value]]:
    """The blocks from here to the end of the file."""
    while length := file.read(8):
        yield marshal.loads(file.read(int.from_bytes(length, "big")))


def _rows_of(file: IO[bytes]) -> Iterator[tuple[_Value, _Value]]:
    file.seek(0)
    for block in read_blocks(file):
        yield from block
