"""A world around the program that a test can look into."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from kubectl_netpolgen.cli.environment import Environment

NOON = 1_767_441_600_000_000_000
"""2026-01-03T12:00:00Z in nanoseconds since the epoch."""


@dataclass(frozen=True)
class Heard:
    """An environment together with what was written to it."""

    environment: Environment

    @property
    def stdout(self) -> str:
        """Everything written to stdout so far."""
        return _written(self.environment.stdout)

    @property
    def stderr(self) -> str:
        """Everything written to stderr so far."""
        return _written(self.environment.stderr)


def _written(stream: TextIO) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def an_environment(
    *,
    answers: str = "",
    piped: bytes | None = None,
    stdin_is_terminal: bool = False,
    stdout_is_terminal: bool = False,
    stderr_is_terminal: bool = False,
    colour: bool = False,
    stderr_colour: bool = False,
    width: int = 80,
    variables: Mapping[str, str] | None = None,
    directory: Path = Path("/nonexistent"),
    clock: Callable[[], int] = lambda: NOON,
    ticks: Callable[[], float] = lambda: 0.0,
) -> Environment:
    """An environment of in-memory streams: no terminal, no variables, a clock that stands at NOON.

    `piped` are bytes on standard input, where `answers` are a person's.
    """
    return Environment(
        stdin=io.StringIO(answers) if piped is None else io.TextIOWrapper(io.BytesIO(piped)),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        stdin_is_terminal=stdin_is_terminal,
        stdout_is_terminal=stdout_is_terminal,
        stderr_is_terminal=stderr_is_terminal,
        colour=colour,
        stderr_colour=stderr_colour,
        width=width,
        variables=variables or {},
        directory=directory,
        clock=clock,
        ticks=ticks,
    )


def heard(environment: Environment | None = None) -> Heard:
    """The environment, or a plain new one, with its output at hand."""
    return Heard(environment or an_environment())
