"""One file to the text of its rows, in this process or in another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import Conversation, NameAnswer
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.rows import Row, RowKind
from kubectl_netpolgen.output.flow_rows import WriteRow, json_writer
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.reading import Progress, ReadingOptions, read
from kubectl_netpolgen.packets.selection import Ends, SelectedFrame
from kubectl_netpolgen.runs.inputs import Input

if TYPE_CHECKING:
    from kubectl_netpolgen.analysis.expressions import Expression
    from kubectl_netpolgen.runs.bundle_ends import BundleEnds

_ROWS_AT_ONCE = 512


class Format(str, Enum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Plan(NamedTuple):
    """What is wanted of every file; plain values, which another process can be sent."""

    kind: RowKind = RowKind.FLOWS
    format: Format = Format.TABLE
    filter: Expression | None = None
    options: ReadingOptions = ReadingOptions()
    terminal: bool = False
    """The rows are for a terminal."""
    dissects: bool = False
    """Names in selected frames come later, and the rows that they belong to have to wait for them."""
    rare_links: Path | None = None
    """The tshark that reads link types that we do not."""
    verifier: Path | None = None
    """The tshark whose counts ours are held against."""

    def writer(self, file: str) -> WriteRow:
        """What writes the rows of one file."""
        if self.format in (Format.JSON, Format.JSONL):
            return json_writer(file)
        from kubectl_netpolgen.output.flow_cells import csv_writer, table_writer

        if self.format is Format.CSV:
            return csv_writer(file)
        return table_writer(file, terminal=self.terminal)

    def keeps(self, file: str) -> Callable[[Row], bool]:
        """What says whether a row of one file is wanted."""
        if self.filter is None:
            return _everything
        from kubectl_netpolgen.analysis.filtering import row_test

        return row_test(self.filter, self.kind, file=file)

    def text_of(self, file: str, rows: Iterable[Row]) -> str:
        """Those of the rows that are wanted, as lines."""
        write, keeps = self.writer(file), self.keeps(file)
        return "".join(write(row) for row in rows if keeps(row))


class Held(NamedTuple):
    """Rows of one file that wait for names."""

    file: str
    rows: tuple[Row, ...]


class Known(NamedTuple):
    """What is known about the capture that a file is a part of."""

    proven: frozenset[tuple[int, bytes]]
    """Server ends that its files prove."""
    ends: BundleEnds | None = None


class Remarks(NamedTuple):
    """What a file has to say beside its rows."""

    findings: tuple[Finding, ...] = ()
    frames: tuple[SelectedFrame, ...] = ()
    differs: bool = False
    """tshark counted otherwise."""
    captures: int = 1
    """How many files this is said of."""


def open_file(
    item: Input, plan: Plan, *, stdin: BinaryIO | None = None, progress: Progress | None = None
) -> Reading:
    """Read one input to its end; NotACapture and UnreadableCapture as `packets.reading.read`."""
    reading = read(item.path, label=item.label, stdin=stdin, options=plan.options, progress=progress)
    if not reading.unread_links or plan.rare_links is None or item.path is None or not item.path.is_file():
        # a pipe cannot be read twice
        return reading
    reading.close()
    # a rare wish, whose means take as long to import as a small file takes to read
    from kubectl_netpolgen.packets.dissected import read_through_tshark

    return read_through_tshark(item.path, label=item.label, program=plan.rare_links)


def remarks_on(item: Input, reading: Reading, plan: Plan) -> Remarks:
    """What a file has to say once its rows are written."""
    findings, differs = reading.findings, False
    if plan.verifier is not None:
        from kubectl_netpolgen.runs.count_check import compare_counts

        counted, differs = compare_counts(item.label, reading.conversations(), plan.verifier, item.path)
        findings += counted
    return Remarks(findings, reading.frames if plan.dissects else (), differs)


def write_rows(reading: Reading, plan: Plan, known: Known) -> Iterator[str | Held]:
    """The rows of a file in order: lines of text, and between them rows that wait."""
    rows = _rows(reading, plan.kind, known)
    if plan.dissects and reading.frames and plan.kind is RowKind.NAMES:
        # an answer may make a row, or add to any: there are few enough to keep them all
        yield Held(reading.file, tuple(rows))
        return
    waiting = _waiting([frame.ends for frame in reading.frames], plan)
    write, keeps = plan.writer(reading.file), plan.keeps(reading.file)
    lines: list[str] = []
    for row in rows:
        if waiting and places_of(row) & waiting:
            if lines:
                yield "".join(lines)
                lines = []
            yield Held(reading.file, (row,))
        elif keeps(row):
            lines.append(write(row))
            if len(lines) >= _ROWS_AT_ONCE:
                yield "".join(lines)
                lines = []
    if lines:
        yield "".join(lines)


Place = tuple[Protocol, Address, int, Address, int]
"""A client and a server with their ports; the client's is -1 where rows have none."""


def places_of(row: Row) -> set[Place]:
    """Where the row stands."""
    if isinstance(row, NameAnswer):
        return set()
    port = row.client_port if isinstance(row, Conversation) else -1
    return {(row.protocol, row.client, port, row.server, row.server_port)}


def places_of_ends(ends: Ends, kind: RowKind) -> tuple[Place, Place]:
    """Where a frame's row may stand: which end is the client may have been decided otherwise."""
    aggregated = kind is RowKind.FLOWS
    protocol, client, client_port, server, server_port = ends
    return (
        (protocol, client, -1 if aggregated else client_port, server, server_port),
        (protocol, server, -1 if aggregated else server_port, client, client_port),
    )


def _waiting(ends: Iterable[Ends], plan: Plan) -> frozenset[Place]:
    if not plan.dissects:
        return frozenset()
    return frozenset(chain.from_iterable(places_of_ends(item, plan.kind) for item in ends))


def _rows(reading: Reading, kind: RowKind, known: Known) -> Iterator[Row]:
    if kind is RowKind.NAMES:
        return iter(reading.names)
    if known.ends is None:
        return reading.flows(known.proven) if kind is RowKind.FLOWS else reading.conversations(known.proven)
    # a file of a bundle, whose rows are made one by one
    from kubectl_netpolgen.analysis.flow_sums import row_order, sum_conversations

    oriented = known.ends.orient_all(reading.conversations(known.proven))
    if kind is RowKind.FLOWS:
        return iter(sum_conversations(oriented, file=reading.file))
    return iter(sorted(oriented, key=row_order))


def _everything(row: Row) -> bool:
    return True
