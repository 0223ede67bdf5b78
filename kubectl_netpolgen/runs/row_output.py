"""Rows to a stream in the format that was asked for, as they come where that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO, TextIO

from kubectl_netpolgen.model.rows import Row
from kubectl_netpolgen.output.flow_rows import LIST_END, list_start
from kubectl_netpolgen.runs.capture_rows import Format, Held, Plan

_IN_MEMORY = 16 << 20
"""Bytes of rows that wait in memory; more go to a temporary file."""
_AT_ONCE = 1 << 20

Complete = Callable[[Held], Iterable[Row]]


class RowOutput:
    """Takes pieces in order. A table, and everything behind rows that wait for names, is kept until the end.

    `settle` completes it; without that, as after an error, nothing that was kept is written.
    """

    def __init__(
        self,
        stream: TextIO,
        plan: Plan,
        *,
        headers: bool = True,
        width: int = 80,
        in_memory: int = _IN_MEMORY,
    ) -> None:
        self._stream = stream
        self._in_memory = in_memory
        self._plan = plan
        self._headers = headers
        self._width = width
        self._spool: IO[bytes] | None = None
        self._length = 0
        self._held: list[tuple[int, Held]] = []
        self._began = False
        self.rows = 0
        """Rows written so far."""

    def take(self, piece: str | Held) -> None:
        """Write or keep the next piece; text is whole lines."""
        if isinstance(piece, Held) or self._plan.format is Format.TABLE:
            self._open_spool()
        if isinstance(piece, Held):
            self._held.append((self._length, piece))
        elif self._spool is not None:
            self._length += self._spool.write(piece.encode())
        else:
            self._write(piece)

    def settle(self, complete: Complete) -> None:
        """Write what was kept, with the rows that waited as `complete` makes them, and the end."""
        if self._plan.format is Format.TABLE:
            self._write_table(complete)
        else:
            for text in self._kept(complete):
                self._write(text)
            if self._plan.format is not Format.JSONL:
                self._begin()
            if self._plan.format is Format.JSON:
                self._stream.write(("\n" if self.rows else "") + LIST_END)
        self.close()

    def close(self) -> None:
        """Give the temporary file back."""
        if self._spool is not None:
            self._spool.close()

    def _open_spool(self) -> None:
        if self._spool is None:
            from tempfile import SpooledTemporaryFile

            self._spool = SpooledTemporaryFile(self._in_memory)  # noqa: SIM115 - closed by `close`

    def _begin(self) -> None:
        if self._began:
            return
        self._began = True
        if self._plan.format is Format.JSON:
            self._stream.write(list_start(self._plan.kind))
        elif self._plan.format is Format.CSV and self._headers:
            from kubectl_netpolgen.output.flow_cells import csv_head

            self._stream.write(csv_head(self._plan.kind))

    def _write(self, text: str) -> None:
        if not text:
            return
        self._begin()
        if self._plan.format is Format.JSON:
            # no row has a line break in it, so that every one of them ends a row
            self._stream.write((",\n" if self.rows else "") + text[:-1].replace("\n", ",\n"))
        else:
            self._stream.write(text)
        self.rows += text.count("\n")

    def _kept(self, complete: Complete) -> Iterator[str]:
        """What was kept, in order, in pieces of whole lines; may be asked for again."""
        position = 0
        for end, held in self._held:
            yield from self._between(position, end)
            position = end
            yield self._plan.text_of(held.file, complete(held))
        yield from self._between(position, self._length)

    def _between(self, position: int, end: int) -> Iterator[str]:
        if self._spool is None:
            return
        self._spool.seek(position)
        while position < end:
            found = self._spool.read(min(_AT_ONCE, end - position))
            if not found.endswith(b"\n"):
                found += self._spool.readline()
            position += len(found)
            yield found.decode()

    def _write_table(self, complete: Complete) -> None:
        from kubectl_netpolgen.output.flow_cells import Widths

        widths = Widths(self._plan.kind, headers=self._headers, terminal=self._plan.terminal)
        for text in self._kept(complete):
            widths.see(text.splitlines())
            self.rows += text.count("\n")
        if not self.rows:
            return
        lines = (line for text in self._kept(complete) for line in text.splitlines())
        for line in widths.lay_out(lines, width=self._width):
            self._stream.write(line)
