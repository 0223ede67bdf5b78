"""How far the reading of files has come: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from kubectl_netpolgen.output.console import open_console
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.quantities import size_text

if TYPE_CHECKING:
    from rich.progress import Progress

LARGE = 30 << 20
"""Bytes of input from which the bar is shown at once."""
PATIENCE = 2.0
"""Seconds after which it is shown all the same."""
_STEP = 0.1
"""Seconds between two updates."""


class ReadingBar:
    """One bar for all files together; a context manager, which leaves the terminal as it was."""

    def __init__(
        self,
        stream: TextIO,
        *,
        total: int,
        shown: bool,
        ticks: Callable[[], float],
        colour: bool = False,
        width: int | None = None,
    ) -> None:
        self._stream, self._colour, self._width = stream, colour, width
        self._total = total
        self._shown = shown
        self._ticks = ticks
        self._begun = ticks()
        self._told = self._begun - _STEP
        self._done = 0
        self._size = 0
        self._label = ""
        self._bar: Progress | None = None

    def __enter__(self) -> ReadingBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._shown = False

    def file(self, label: str, size: int) -> None:
        """The next file is begun; the one before it is done."""
        self._done += self._size
        self._label, self._size = terminal_text(label), size
        self.at(0, size)

    def at(self, position: int, size: int | None) -> None:
        """So many bytes of the file are read."""
        if not self._shown:
            return
        now = self._ticks()
        if now - self._told < _STEP:
            return
        self._told = now
        if self._bar is None:
            if self._total < LARGE and now - self._begun < PATIENCE:
                return
            self._bar = self._start()
        read = self._done + position
        words = f"{size_text(read)} of {size_text(self._total)}" if self._total else size_text(read)
        self._bar.update(
            self._bar.task_ids[0],
            completed=read,
            total=self._total or None,
            label=self._label,
            words=words,
            refresh=True,
        )

    def _start(self) -> Progress:
        from rich.progress import BarColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[words]}", markup=False),
            console=open_console(self._stream, colour=self._colour, width=self._width),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.add_task("", label="", words="", total=None)
        bar.start()
        return bar
