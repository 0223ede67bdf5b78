"""What the rooms below the command line may ask of the world around the program.

The concrete object is `cli.environment.Environment`; commands and runs see only this protocol, so that the
layers keep their one direction and a test can hand in its own streams, clock and variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TextIO


class Environment(Protocol):
    """Streams, terminal, clock and variables, all replaceable."""

    @property
    def stdin(self) -> TextIO: ...
    @property
    def stdout(self) -> TextIO: ...
    @property
    def stderr(self) -> TextIO: ...
    @property
    def stdin_is_terminal(self) -> bool: ...
    @property
    def stdout_is_terminal(self) -> bool: ...
    @property
    def stderr_is_terminal(self) -> bool: ...
    @property
    def colour(self) -> bool:
        """True when stdout may carry colour."""

    @property
    def stderr_colour(self) -> bool:
        """True when stderr may; asked apart, because only one of them may be redirected."""

    @property
    def width(self) -> int:
        """Columns of the terminal."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The process's environment variables."""

    @property
    def directory(self) -> Path:
        """The working directory, against which relative paths are read."""

    def now(self) -> int:
        """Nanoseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""

    def say(self, message: str) -> None:
        """One line of conversation on stderr, escaped."""
