"""Decoding in a process of its own, beside the one that reads names and adds up.

Each is about half of the work. What is decoded is handed over in memory that both share, in slots that are
filled and given back in turn; all else that they tell each other are lines of JSON and slots' numbers.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any, NoReturn, cast

import numpy as np

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.packets.columns.batches import Batch, batch_of, columns_of, read_batch
from kubectl_netpolgen.packets.columns.decode import PADDING
from kubectl_netpolgen.packets.columns.walk import find_records
from kubectl_netpolgen.packets.link import Link
from kubectl_netpolgen.packets.pcap import FileHeader, Records, Stretch, Windows
from kubectl_netpolgen.packets.source import Source

CHUNK = 4 << 20
APART_FROM = 64 << 20
"""Bytes from which a second process pays for itself."""
SLOTS = 3
MOST_ROWS = 1 << 15
"""Records of a batch, at most."""
_BUFFER = CHUNK + (1 << 20)
"""Bytes of a batch's buffer, at most: a chunk, what the last one left of a record, and the padding."""
_COLUMNS = MOST_ROWS * 176
"""Room for all arrays of a batch: about 170 bytes for each record."""
_ALIGNED = 64

Send = Callable[[dict[str, Any]], None]


def can_read_apart() -> bool:
    """Whether this process may have another beside it, on a processor that is free for it."""
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1


def read_apart(
    records: Records,
    header: FileHeader,
    link: Link,
    *,
    source: Source,
    take: Callable[[Batch], None],
    told: Callable[[], None],
) -> bool:
    """Read a capture to its end in another process, and take each batch here.

    Records and source then stand where that process left them. False, and nothing is read, when the system
    gives no process or no memory for one. NetpolgenError: it was ended from outside.
    """
    try:
        memory = make_memory()
        child = _start(
            lambda send, wait: decode_all(records, header, link, source, Slots(memory, send, wait))
        )
    except OSError:
        return False
    with child:
        for line in child.messages:
            message = json.loads(line)
            source.catch_up(message["position"], message["damage"])
            told()
            if "slot" not in message:
                records.count, records.truncated = message["count"], message["truncated"]
                return True
            take(read_slot(memory[message["slot"]], link, message))
            child.give_back(message["slot"])
    raise NetpolgenError(
        f"{source.name}: the process that decodes it ended by itself",
        way_out="there may be too little memory for two; try --workers 1",
    )


class Slots:
    """Memory that both processes share, as the one that fills it sees it."""

    def __init__(self, memory: list[mmap.mmap], send: Send, wait: Callable[[], int]) -> None:
        """`send` tells of a filled slot, `wait` returns one that was given back."""
        self.memory = memory
        self.send = send
        self._wait = wait
        self._unused = list(range(len(memory)))

    def take(self) -> int:
        """A slot to fill."""
        return self._unused.pop() if self._unused else self._wait()

    def keep(self, slot: int) -> None:
        """A slot that was taken and not sent."""
        self._unused.append(slot)

    def holding(self, buffer: bytes) -> int | None:
        """The slot that a buffer is."""
        return next((number for number, slot in enumerate(self.memory) if cast(object, slot) is buffer), None)


def make_memory() -> list[mmap.mmap]:
    """The memory of all slots, to be shared with a process that is started later."""
    return [mmap.mmap(-1, _BUFFER + _COLUMNS) for _ in range(SLOTS)]


def decode_all(
    records: Records, header: FileHeader, link: Link, source: Source, slots: Slots, most: int = MOST_ROWS
) -> None:
    """The other process's work: batches into slots that are free, and at the end how it came to it."""

    def hand_over(slot: int, batch: Batch) -> None:
        lengths = _write_columns(slots.memory[slot], batch)
        slots.send({"slot": slot, "first": batch.first, "columns": lengths, **_state(source)})

    def copy(batch: Batch) -> None:
        slot = slots.take()
        slots.memory[slot][: len(batch.buffer)] = batch.buffer
        hand_over(slot, batch)

    def count(stretch: Stretch, number: int) -> tuple[int, int]:
        offsets, position = find_records(stretch, header)
        # a window that was read into a slot need not be copied to one
        own = slots.holding(stretch.buffer)
        if own is not None and 0 < offsets.size <= most:
            hand_over(own, read_batch(stretch.buffer, offsets, number, header, link))
            return int(offsets.size), position
        for begin in range(0, offsets.size, most):
            some = offsets[begin : begin + most]
            following = int(offsets[begin + most]) if begin + most < offsets.size else position
            part = stretch.buffer[int(some[0]) : following + PADDING]
            copy(read_batch(part, some - some[0], number + begin, header, link))
        if own is not None:
            slots.keep(own)
        return int(offsets.size), position

    windows = None if source.read_into is None else _windows(source.read_into, slots)
    records.walk(count, chunk=CHUNK, padding=PADDING, windows=windows)
    slots.send({"count": records.count, "truncated": records.truncated, **_state(source)})


def _windows(read_into: Callable[[memoryview, int], int], slots: Slots) -> Windows:
    """Windows that are read into slots."""

    def windows(offset: int, step: int, size: int) -> Generator[tuple[bytes, int], None, None]:
        length = size
        while length == size:
            slot = slots.take()
            with memoryview(slots.memory[slot]) as memory:
                length = read_into(memory[:size], offset)
            offset += step
            yield cast(bytes, slots.memory[slot]), length

    return windows


def _state(source: Source) -> dict[str, Any]:
    return {"position": source.position, "damage": source.damage}


def _write_columns(slot: mmap.mmap, batch: Batch) -> list[tuple[str, int]]:
    """Copy the arrays of a batch; their kinds and lengths."""
    at = _BUFFER
    written = []
    for column in columns_of(batch):
        np.frombuffer(slot, column.dtype, column.size, at)[:] = column
        at += -(-column.nbytes // _ALIGNED) * _ALIGNED
        written.append((column.dtype.str, column.size))
    return written


def read_slot(slot: mmap.mmap, link: Link, message: dict[str, Any]) -> Batch:
    """The batch that lies in a slot, not copied: a slice of such memory is bytes, as one of bytes is."""

    def columns() -> Iterator[Any]:
        at = _BUFFER
        for kind, size in message["columns"]:
            column = np.frombuffer(slot, kind, size, at)
            at += -(-column.nbytes // _ALIGNED) * _ALIGNED
            yield column

    return batch_of(cast(bytes, slot), link, message["first"], columns())


class _Child:
    """The other process, until it is left."""

    def __init__(self, process: int, from_child: int, to_child: int) -> None:
        self._process = process
        self._to_child = to_child
        self.messages = os.fdopen(from_child, encoding="utf-8")
        """The lines that it sends."""

    def give_back(self, slot: int) -> None:
        """Let it fill a slot again; one that has ended wants none."""
        with suppress(BrokenPipeError):
            os.write(self._to_child, bytes([slot]))

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.messages.close()
        os.close(self._to_child)
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _start(work: Callable[[Send, Callable[[], int]], None]) -> _Child:
    """A process that does some work; OSError when there can be none."""
    ends: list[int] = []
    try:
        for _ in range(2):
            ends += os.pipe()
        process = os.fork()
    except OSError:
        for end in ends:
            os.close(end)
        raise
    from_child, to_parent, from_parent, to_child = ends
    if not process:
        os.close(from_child)
        os.close(to_child)
        _do(work, from_parent, to_parent)
    os.close(from_parent)
    os.close(to_parent)
    return _Child(process, from_child, to_child)


def _do(work: Callable[[Send, Callable[[], int]], None], from_parent: int, to_parent: int) -> NoReturn:
    """In the child: work, and end without any of the parent's own endings."""
    # ^C is for the process that the person sees; it ends this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def send(message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(to_parent, line) :]

    def wait() -> int:
        given = os.read(from_parent, 1)
        if not given:
            os._exit(1)
        return given[0]

    try:
        work(send, wait)
        os._exit(0)
    except BrokenPipeError:
        # nobody reads any more
        os._exit(1)
    except BaseException as error:
        # whoever reads the pipe sees that no end was told; the reason goes where reasons go
        os.write(2, f"decoding failed: {type(error).__name__}: {error}\n".encode())
        os._exit(1)
