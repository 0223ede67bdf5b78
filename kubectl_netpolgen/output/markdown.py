"""Markdown: the one door through which text from outside goes into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubectl_netpolgen.output.escape import terminal_text

_MARKUP = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_{}[]<>|#!~"})
"""What Markdown would take for more than a character."""


def markdown_text(text: str) -> str:
    """Text from outside inside of Markdown: nothing that it would take for markup."""
    return terminal_text(text).translate(_MARKUP)


def markdown_code(text: str) -> str:
    """Text from outside as code, fenced by more backquotes than it holds; not for cells, which bars end."""
    shown = terminal_text(text)
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in shown).split()), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(row) + " |\n" for row in lines)
