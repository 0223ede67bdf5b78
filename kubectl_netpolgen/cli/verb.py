"""What a verb is, and the words that follow it."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag


class Operand(NamedTuple):
    """A word that follows the verb."""

    name: str
    help: str
    choices: tuple[str, ...] = ()
    optional: bool = False
    directory: bool = False
    """Completion offers the names of directories."""
    files: bool = False
    """Completion offers the names of files."""
    repeated: bool = False
    """It may come several times, at least once."""

    @property
    def attribute(self) -> str:
        """The attribute of the parsed arguments that holds the word."""
        return self.name.lower()


class Verb(NamedTuple):
    """One command of the tool."""

    name: str
    short: str
    long: str
    examples: tuple[tuple[str, str], ...]
    """(what it does, the words after the program's name)."""
    flags: tuple[Flag, ...] = ()
    operands: tuple[Operand, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def all_flags(self) -> tuple[Flag, ...]:
        """The verb's own flags, then those that every verb takes."""
        return self.flags + COMMON_FLAGS
