"""The one door to capture files: any container, any engine, one result."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.model.flow import CaptureContents
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.collection import without_collection
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.engines import Counter, ExactCounter
from kubectl_netpolgen.packets.foreign import (
    NotACapture,
    UnreadableCapture,
    foreign_file,
    unknown_link_type,
)
from kubectl_netpolgen.packets.frames import BlockFrames, Watched
from kubectl_netpolgen.packets.frames import Progress as Told
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Records, Windows, is_pcap, read_header
from kubectl_netpolgen.packets.remarks import cut_short
from kubectl_netpolgen.packets.source import ByteSource, Source, open_source

__all__ = ["Engine", "NotACapture", "Reading", "ReadingOptions", "UnreadableCapture", "read", "read_capture"]

FAST_FROM = 30 << 20
"""Bytes from which the start of numpy pays for itself."""
_AHEAD_FROM = 8 << 20
_PADDING = 1 << 10
"""More than any engine looks behind the end of a buffer."""
_COMPRESSION = 4
"""About how much smaller captures get."""

Progress = Callable[[int, "int | None"], None]
"""Told the bytes of the file that were read, and its size where that is known."""


class Engine(str, Enum):
    """Which of the two readers counts; their results are the same."""

    AUTO = "auto"
    EXACT = "exact"
    """The standard library's: at once at work, and right for all but large files."""
    FAST = "fast"
    """numpy's."""


class ReadingOptions(NamedTuple):
    """How captures are read."""

    inner: bool = False
    """Also give rows for what is inside tunnels."""
    engine: Engine = Engine.AUTO
    keys: bool = False
    """Keep what the other vantage point of a translated DNS exchange keeps too; only analysis joins them."""
    apart: bool = False
    """Let a second process decode a file that is large enough, where there is a processor for it."""


USUALLY = ReadingOptions()
"""For whoever says nothing of them."""


def read(
    path: Path | None,
    *,
    label: str | None = None,
    stdin: BinaryIO | None = None,
    options: ReadingOptions = USUALLY,
    progress: Progress | None = None,
) -> Reading:
    """Read a capture, or standard input when there is no path, in one pass and in chunks.

    Memory is bounded, whatever the size of the file and whatever lengths it claims; what does not fit goes to
    temporary files. What packets hold cannot raise. NotACapture: the file is something else;
    UnreadableCapture: the system would not open it.
    """
    file = label if label is not None else "-" if path is None else str(path)
    with without_collection(), open_source(path, stdin=stdin, label=label) as source, ExitStack() as stack:
        tell = _teller(source, progress)
        counter = _counter(source, file, options, tell)
        if is_pcap(source.start):
            header = read_header(source, file)
            pieces = stack.enter_context(_pieces(source, tell))
            records = Records(pieces, header, _windows(source, tell))
            link = LINKS.get(header.link_type)
            if link is None:
                for _ in records:
                    pass
                unread = {header.link_type: records.count} if records.count else {}
            else:
                counter.count_records(records, header, link)
                unread = {}
            packets, truncated, note = records.count, records.truncated, header.note
        else:
            # the other container, which classic captures do without
            from kubectl_netpolgen.packets.pcapng import Blocks, check_start, is_pcapng

            if not is_pcapng(source.start):
                raise foreign_file(file, source.start, compression=source.compression, damage=source.damage)
            check_start(source.start, file)
            blocks = Blocks(stack.enter_context(_pieces(source, tell)))
            frames = BlockFrames(blocks)
            counter.count_frames(frames)
            packets, truncated, note, unread = blocks.count, blocks.truncated, "", frames.unread
        reading = Reading(file, counter.tally, counter.finish())
        reading.packets, reading.truncated = packets, source.explain(truncated)
        reading.unread_links = unread
        reading.notes = tuple(filter(None, (note, *cut_short(counter.tally))))
        return reading


def read_capture(path: Path) -> CaptureContents:
    """What one pod's capture holds for analysis; NotACapture also for link types that no pod has."""
    with read(path, options=ReadingOptions(keys=True)) as reading:
        if reading.unread_links and sum(reading.unread_links.values()) == reading.packets:
            raise unknown_link_type(path, min(reading.unread_links))
        return reading.contents()


def _teller(source: Source, progress: Progress | None) -> Told:
    """Tells how far a source is read, in the process that somebody looks at."""
    owner = os.getpid()

    def tell() -> None:
        if progress is not None and os.getpid() == owner:
            progress(source.position, source.size)

    return tell


@contextmanager
def _pieces(source: Source, tell: Told) -> Iterator[ByteSource]:
    """The source, read by a thread of its own where it is a file that pays for one, and watched.

    A pipe is not: who waits for its writer could not be interrupted.
    """
    with ExitStack() as stack:
        pieces: ByteSource = source
        if source.size is not None and source.size >= _AHEAD_FROM:
            from kubectl_netpolgen.packets.read_ahead import read_ahead

            pieces = stack.enter_context(read_ahead(source))
        yield Watched(pieces, tell)


def _windows(source: Source, tell: Told) -> Windows | None:
    """The same of a file that lies there as it is, for whoever wants no joined pieces."""
    read_at = source.read_at
    if read_at is None or source.size is None or source.size < _AHEAD_FROM:
        return None
    from kubectl_netpolgen.packets.read_ahead import read_windows

    def windows(offset: int, step: int, size: int) -> Generator[tuple[bytes, int], None, None]:
        for window in read_windows(read_at, offset, step=step, size=size, padding=_PADDING):
            tell()
            yield window

    return windows


def _counter(source: Source, file: str, options: ReadingOptions, tell: Told) -> Counter:
    """The engine that suits: numpy's where it is installed, from a size on that pays for its start."""
    installed = importlib.util.find_spec("numpy") is not None
    if options.engine is Engine.FAST and not installed:
        raise NetpolgenError(
            "the fast engine needs numpy, which is not installed",
            way_out="pip install 'kubectl-netpolgen[fast]', or leave --engine out",
        )
    size = (source.size or 0) * (_COMPRESSION if source.compression else 1)
    fast = options.engine is Engine.FAST or (
        options.engine is Engine.AUTO and installed and size >= FAST_FROM
    )
    tally = Tally(file=file, inner=options.inner, keys=options.keys)
    if not fast:
        return ExactCounter(tally, inner=options.inner)
    from kubectl_netpolgen.packets.columns.apart import APART_FROM, can_read_apart
    from kubectl_netpolgen.packets.columns.counter import FastCounter

    apart = options.apart and size >= APART_FROM and can_read_apart()
    return FastCounter(tally, inner=options.inner, apart=source if apart else None, told=tell)
