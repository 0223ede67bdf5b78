"""The one injectable object for streams, terminal, width, clock and variables."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from kubectl_netpolgen.output.escape import terminal_text

PLAIN_WIDTH = 80
"""Columns assumed where nobody says otherwise, as terminfo's oldest terminals have."""


@dataclass(frozen=True)
class Environment:
    """The world around the program; fulfils `runs.ports.Environment`, and tests fill it with their own."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    stdin_is_terminal: bool = False
    stdout_is_terminal: bool = False
    stderr_is_terminal: bool = False
    colour: bool = False
    """stdout may carry colour."""
    stderr_colour: bool = False
    """stderr may carry colour; decided apart, because only one of them may be redirected."""
    width: int = PLAIN_WIDTH
    variables: Mapping[str, str] = field(default_factory=dict)
    directory: Path = Path()
    clock: Callable[[], int] = time.time_ns
    ticks: Callable[[], float] = time.monotonic

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return self.clock()

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return self.ticks()

    def say(self, message: str) -> None:
        """One line of conversation on stderr, whatever the message holds."""
        self.stderr.write(terminal_text(message) + "\n")
        self.stderr.flush()

    def with_colour(self, choice: str) -> Environment:
        """The same world where the person has decided: `always`, `never`, or `auto` for what it was."""
        if choice == "auto":
            return self
        return replace(self, colour=choice == "always", stderr_colour=choice == "always")

    @classmethod
    def from_process(cls) -> Environment:
        """What this process was started with; streams learn to escape what they cannot encode."""
        variables = dict(os.environ)
        stdin, stdout, stderr = (stream or io.StringIO() for stream in (sys.stdin, sys.stdout, sys.stderr))
        for stream in (stdout, stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            stdin_is_terminal=stdin.isatty(),
            stdout_is_terminal=stdout.isatty(),
            stderr_is_terminal=stderr.isatty(),
            colour=decide_colour(variables, terminal=stdout.isatty()),
            stderr_colour=decide_colour(variables, terminal=stderr.isatty()),
            width=decide_width(variables, measure=_measure_terminal),
            variables=variables,
            directory=Path.cwd(),
        )


def decide_colour(variables: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether a stream gets colour: NO_COLOR, then FORCE_COLOR, then TERM=dumb, then the terminal itself.

    Both variables count only when not empty (no-color.org, force-color.org).
    """
    if variables.get("NO_COLOR"):
        return False
    if variables.get("FORCE_COLOR"):
        return variables["FORCE_COLOR"] != "0"
    return terminal and variables.get("TERM", "") != "dumb"


def decide_width(variables: Mapping[str, str], *, measure: Callable[[], int]) -> int:
    """Columns: COLUMNS where it is a sane number, else as measured, else 80."""
    text = variables.get("COLUMNS", "")
    # four digits: a width becomes spaces, so a hostile one must not become gigabytes of them
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) > 0:
        return int(text)
    return measure() or PLAIN_WIDTH


def _measure_terminal() -> int:
    """Columns of the first standard stream that is a terminal, 0 when none is."""
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            return os.get_terminal_size(stream.fileno()).columns if stream is not None else 0
        except (OSError, ValueError):
            continue
    return 0
