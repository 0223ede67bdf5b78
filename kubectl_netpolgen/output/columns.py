"""Plain columns as kubectl prints them: three spaces between, nothing cut, nothing wrapped."""

from __future__ import annotations

from collections.abc import Sequence

from kubectl_netpolgen.output.escape import terminal_text

GAP = "   "
NONE = "<none>"
"""What kubectl prints where there is no value, so that columns can be counted."""


def plain_columns(headings: Sequence[str], rows: Sequence[Sequence[str]], *, headers: bool = True) -> str:
    """Left-aligned columns, every cell escaped; empty cells read `<none>`."""
    cells = [[terminal_text(cell) or NONE for cell in row] for row in rows]
    if headers:
        cells.insert(0, list(headings))
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(len(headings))]
    return "".join(
        GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in cells
    )
