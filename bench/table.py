"""Tables as text in columns, or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measuring import Spread


@dataclass(frozen=True)
class Table:
    """A title, a header, and rows of cells; the first column is text, the others are numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def as_text(table: Table) -> str:
    """Columns as wide as their widest cell."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
    text = []
    for first, *others in lines:
        numbers = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        text.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
    return "\n".join([table.title, "", *text, *table.notes]) + "\n"


def as_markdown(table: Table) -> str:
    """A Markdown table below a heading."""
    rule = ["---", *["---:"] * (len(table.header) - 1)]
    rows = ["| " + " | ".join(cells) + " |" for cells in (table.header, rule, *table.rows)]
    notes = [f"\n{note}" for note in table.notes]
    return "\n".join([f"## {table.title}", "", *rows, *notes]) + "\n"


def figure(value: float) -> str:
    """Three digits that count: `0.0371`, `1.24`, `28.9`, `1,740`."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if value >= 10 else 2 if value >= 1 else 3}f}"


def spread(values: Spread) -> str:
    """`least / median / most`."""
    return " / ".join(map(figure, (values.least, values.median, values.most)))
