"""Groups of captures to pieces of output, here or in other processes, in the order of the input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.packets.reading import NotACapture, UnreadableCapture
from kubectl_netpolgen.runs.capture_rows import (
    Held,
    Known,
    Plan,
    Remarks,
    open_file,
    remarks_on,
    write_rows,
)
from kubectl_netpolgen.runs.inputs import Group, Input

if TYPE_CHECKING:
    from concurrent.futures import Future

_AT_ONCE = 1 << 20
_AHEAD = 4
_WORKER = "worker-"
"""Begins the name of the file that each process leaves in the directory of rows."""
"""Groups a worker that are read before the output has caught up."""


class Failure(NamedTuple):
    """An input that is no capture, or cannot be read."""

    input: Input
    error: NetpolgenError


Piece = str | Held | Remarks | Failure
Begin = Callable[[Input], Callable[[int, "int | None"], None] | None]
"""Told which file is begun; returns whom to tell how far it has come."""


def read_group(
    group: Group, plan: Plan, *, stdin: BinaryIO | None = None, begin: Begin | None = None
) -> Iterator[Piece]:
    """Read the files of one group, then give the rows of each and what else there is to say of it."""
    with ExitStack() as stack:
        readings = []
        for item in group.inputs:
            try:
                progress = None if begin is None else begin(item)
                reading = stack.enter_context(open_file(item, plan, stdin=stdin, progress=progress))
            except (NotACapture, UnreadableCapture) as error:
                yield Failure(item, error)
                continue
            readings.append((item, reading))
        proven = frozenset[tuple[int, bytes]]().union(*(reading.proven for _, reading in readings))
        ends = None
        if group.recorded is not None:
            # brings the whole of analysis along, which a plain file does without
            from kubectl_netpolgen.runs.bundle_ends import BundleEnds

            ends = BundleEnds(group.recorded)
            yield Remarks(ends.findings, captures=0)
        for item, reading in readings:
            yield from write_rows(reading, plan, Known(proven, ends))
            yield remarks_on(item, reading, plan)


def read_groups(
    groups: Sequence[Group], plan: Plan, *, workers: int, stdin: BinaryIO | None, begin: Begin
) -> Iterator[Piece]:
    """The pieces of all groups in order; with several workers other processes read ahead."""
    if workers <= 1 or len(groups) <= 1:
        for group in groups:
            yield from read_group(group, plan, stdin=stdin, begin=begin)
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="netpolgen-") as directory:
        yield from _read_apart(groups, plan, workers, Path(directory), stdin, begin)


def _read_apart(
    groups: Sequence[Group],
    plan: Plan,
    workers: int,
    directory: Path,
    stdin: BinaryIO | None,
    begin: Begin,
) -> Iterator[Piece]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    pool = ProcessPoolExecutor(workers, initializer=_begin_worker, initargs=(directory,))
    waiting: dict[int, Future[list[tuple[int, Piece | None]]]] = {}
    following = 0
    try:
        for number, group in enumerate(groups):
            while following < len(groups) and following <= number + _AHEAD * workers:
                if all(item.path is not None for item in groups[following].inputs):
                    spool = directory / str(following)
                    waiting[following] = pool.submit(_read_to_file, groups[following], plan, spool)
                following += 1
            if number not in waiting:
                yield from read_group(group, plan, stdin=stdin, begin=begin)
                continue
            try:
                found = waiting.pop(number).result()
            except BrokenProcessPool as error:
                names = ", ".join(item.label for item in group.inputs)
                raise NetpolgenError(
                    f"{names}: a process that read captures ended by itself",
                    way_out="there may be too little memory for so many; try --workers 1",
                ) from error
            for item in group.inputs:
                begin(item)
            yield from _pieces_of(directory / str(number), found)
    finally:
        if following < len(groups) or waiting:
            _end_workers(directory)
        pool.shutdown(wait=True, cancel_futures=True)


def _begin_worker(directory: Path) -> None:
    """In another process: ^C is for the one that the person sees, which ends this by the number it leaves."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    (directory / f"{_WORKER}{os.getpid()}").touch()


def _end_workers(directory: Path) -> None:
    """End whoever still reads: its rows are not wanted, and their directory goes away."""
    import signal

    for path in directory.glob(f"{_WORKER}*"):
        with suppress(ProcessLookupError):
            os.kill(int(path.name.removeprefix(_WORKER)), signal.SIGTERM)


def _read_to_file(group: Group, plan: Plan, spool: Path) -> list[tuple[int, Piece | None]]:
    """In another process: text goes to a file, everything else back, with where the text then ended."""
    found: list[tuple[int, Piece | None]] = []
    length = 0
    with spool.open("wb") as file:
        for piece in read_group(group, plan):
            if isinstance(piece, str):
                length += file.write(piece.encode())
            else:
                found.append((length, piece))
    found.append((length, None))
    return found


def _pieces_of(spool: Path, found: list[tuple[int, Piece | None]]) -> Iterator[Piece]:
    position = 0
    with spool.open("rb") as file:
        for end, piece in found:
            while position < end:
                text = file.read(min(_AT_ONCE, end - position))
                if not text.endswith(b"\n"):
                    text += file.readline()
                position += len(text)
                yield text.decode()
            if piece is not None:
                yield piece
    spool.unlink()
