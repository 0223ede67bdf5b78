"""A capture as it happens: a bar a pod on a terminal, a line a change everywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol, TextIO

from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.output.console import open_console
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.quantities import count_text, size_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


class View(Protocol):
    """What a run tells while it goes on, from one thread at a time; between `with` and its end."""

    def pod(self, capture: PodCapture, *, received: int) -> None:
        """A pod's state or the bytes received of it have changed."""

    def say(self, message: str) -> None:
        """One line of conversation."""

    def phase(self, name: str) -> None:
        """What the run as a whole does now."""

    def __enter__(self) -> View:
        """Begin to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""


def open_progress(
    stream: TextIO,
    *,
    terminal: bool,
    colour: bool = False,
    width: int | None = None,
    height: int | None = None,
) -> View:
    """The view that suits the stream; width and height in cells, by default the terminal's own."""
    if terminal:
        return TerminalProgress(stream, colour=colour, width=width, height=height)
    return PlainProgress(stream)


def pod_words(capture: PodCapture, *, received: int) -> str:
    """`verified, 1.5 KiB`, `start-failed: image cannot be pulled`."""
    words = capture.state.value
    if capture.rung is not None and capture.state is PodState.CAPTURING:
        words += f" ({capture.rung.value})"
    if received:
        words += f", {size_text(received)}"
    return f"{words}: {capture.reason}" if capture.reason else words


class PlainProgress:
    """A line when a pod's state changes; bytes alone are no news."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, tuple[PodState, str]] = {}

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def pod(self, capture: PodCapture, *, received: int) -> None:
        """Tell the pod's new state, once."""
        news = (capture.state, capture.reason)
        if self._told.get(capture.uid) == news:
            return
        self._told[capture.uid] = news
        self._write(f"{capture.namespace}/{capture.name}: {pod_words(capture, received=received)}")

    def say(self, message: str) -> None:
        """One line."""
        self._write(message)

    def phase(self, name: str) -> None:
        """One line."""
        self.say(name)

    def _write(self, line: str) -> None:
        self._stream.write(terminal_text(line) + "\n")
        self._stream.flush()


class TerminalProgress:
    """A bar a pod while they fit the terminal's height; the pods beyond that share one bar."""

    def __init__(self, stream: TextIO, *, colour: bool, width: int | None, height: int | None) -> None:
        self._console = open_console(stream, colour=colour, width=width, height=height)
        self._bars = _bars(self._console)
        # the phase, the shared bar and the prompt's own line need room too
        self._room = max(self._console.height - 4, 1)
        self._tasks: dict[str, TaskID] = {}
        self._rest: dict[str, tuple[PodState, int]] = {}
        self._phase = self._bars.add_task("", label="", words="", total=None, visible=False)
        self._rest_task = self._bars.add_task("", label="", words="", total=None, visible=False)

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def pod(self, capture: PodCapture, *, received: int) -> None:
        """Move the pod's bar; a pod whose end is known has a full one."""
        if capture.uid not in self._tasks and len(self._tasks) >= self._room:
            self._rest[capture.uid] = (capture.state, received)
            self._show_rest()
            return
        if capture.uid not in self._tasks:
            label = terminal_text(f"{capture.namespace}/{capture.name}")
            self._tasks[capture.uid] = self._bars.add_task("", label=label, words="", total=None)
        ended = capture.state.ended
        self._bars.update(
            self._tasks[capture.uid],
            total=max(received, 1) if ended else capture.bytes or None,
            completed=max(received, 1) if ended else received,
            words=terminal_text(pod_words(capture, received=received)),
        )

    def say(self, message: str) -> None:
        """One line above the bars."""
        from rich.text import Text

        self._console.print(Text(terminal_text(message)), soft_wrap=True)

    def phase(self, name: str) -> None:
        """The first line of the bars."""
        self._bars.update(self._phase, label=terminal_text(name), visible=True)

    def _show_rest(self) -> None:
        ended = sum(state.ended for state, _ in self._rest.values())
        received = sum(size for _, size in self._rest.values())
        self._bars.update(
            self._rest_task,
            label=count_text(len(self._rest), "more pod"),
            words=f"{ended} done, {size_text(received)}",
            total=len(self._rest),
            completed=ended,
            visible=True,
        )


def _bars(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn

    # markup off: the fields hold names from the cluster, and `[/]` in one must stay a name
    return Progress(
        TextColumn("{task.fields[label]}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[words]}", markup=False),
        console=console,
        refresh_per_second=5,
        redirect_stdout=False,
        redirect_stderr=False,
    )
