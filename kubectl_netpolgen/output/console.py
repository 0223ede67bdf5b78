"""The rich console as every part of the output uses it: nothing interpreted, nothing guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def open_console(
    stream: TextIO, *, colour: bool, width: int | None = None, height: int | None = None
) -> Console:
    """A console that writes terminal output to the stream; width and height default to the terminal's own.

    Markup, emoji codes and highlighting are off, because what is printed holds names from outside.
    """
    from rich.console import Console

    return Console(
        file=stream,
        width=width,
        height=height,
        force_terminal=True,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
