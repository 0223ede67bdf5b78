"""Edges as a table: grouped and fitted for a terminal, plain columns for everything else."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.times import rfc3339
from kubectl_netpolgen.output.columns import plain_columns
from kubectl_netpolgen.output.console import open_console
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.quantities import size_text
from kubectl_netpolgen.output.wording import (
    Section,
    endpoint_words,
    home_namespace,
    marks,
    port_words,
    section_of,
    sort_edges,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PLAIN_HEADINGS = (
    "CLIENT",
    "SERVER",
    "PORT",
    "NAME",
    "OUTCOME",
    "CONNECTIONS",
    "BYTES",
    "LAST-SEEN",
    "CONFIDENCE",
    "SECTION",
)

WIDE = 100
"""Columns from which bytes and time are shown as well; `-o json` has them at any width."""

_WIDE_HEADINGS = ("CLIENT\n  SERVER", "PORT", "OUTCOME", "CONNS", "BYTES", "LAST SEEN", "NOTE")
_HEADINGS = ("CLIENT\n  SERVER", "PORT", "OUTCOME", "CONNS", "NOTE")
_PORT = 1
_PORT_WIDTH = 24
_NOTE_WIDTH = 14
_GAP = 2

_COLOURS = {Section.EDGES: "", Section.FAILED: "red", Section.DNS: "dim", Section.PROBES: "dim"}
_SECTION_WORDS = {
    Section.EDGES: "edge",
    Section.FAILED: "failed",
    Section.DNS: "dns",
    Section.PROBES: "probe",
}


def edges_table(
    edges: Sequence[Edge], *, width: int, colour: bool, terminal: bool, headers: bool = True
) -> str:
    """The edges as text: for a terminal one group a client, else one row an edge with nothing cut.

    Failed attempts, the cluster's DNS and probes follow the application's own edges, apart.
    """
    if terminal:
        return _terminal_table(edges, width=width, colour=colour, headers=headers)
    return _plain_table(edges, headers=headers)


def _plain_table(edges: Sequence[Edge], *, headers: bool) -> str:
    rows = [
        (
            endpoint_words(edge.client),
            endpoint_words(edge.server),
            f"{edge.port}/{edge.protocol.value}",
            edge.port_name,
            edge.outcome.value,
            "" if edge.connections is None else str(edge.connections),
            "" if edge.bytes is None else str(edge.bytes),
            rfc3339(edge.last) if edge.last else "",
            edge.confidence.value,
            _SECTION_WORDS[section],
        )
        for section, members in _sections(edges)
        for edge in members
    ]
    return plain_columns(PLAIN_HEADINGS, rows, headers=headers)


def _sections(edges: Sequence[Edge]) -> list[tuple[Section, list[Edge]]]:
    ordered = sort_edges(edges)
    parts = [(section, [edge for edge in ordered if section_of(edge) is section]) for section in Section]
    return [(section, members) for section, members in parts if members]


def _terminal_table(edges: Sequence[Edge], *, width: int, colour: bool, headers: bool) -> str:
    stream = io.StringIO()
    console = open_console(stream, colour=colour, width=width)
    home = home_namespace(edges)
    for number, (section, members) in enumerate(_sections(edges)):
        if number:
            console.print()
        _print_section(console, section, members, width=width, home=home, headers=headers)
    # rich pads every line to the full width; what is copied from a terminal should not carry that
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())


def _print_section(
    console: Console, section: Section, edges: Sequence[Edge], *, width: int, home: str, headers: bool
) -> None:
    from rich.text import Text

    # names without a namespace are in the home namespace; the title says which that is
    title = section.value + (f" in and around {home}" if home else "")
    wide = width >= WIDE
    rows: list[tuple[str, list[str]]] = []
    for client, members in groupby(edges, key=lambda edge: endpoint_words(edge.client, home=home)):
        rows.append(("bold", [terminal_text(client)]))
        rows.extend((_COLOURS[section], _cells(edge, home=home, wide=wide)) for edge in members)
    headings = _WIDE_HEADINGS if wide else _HEADINGS
    table = _empty_table(headings, _widths(headings, [cells for _, cells in rows], width), headers=headers)
    for style, cells in rows:
        table.add_row(*(Text(cell, style=style) for cell in _spaced(cells)))
    console.print(Text(terminal_text(title), style="bold underline"))
    console.print(table)


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Cells of each column: names get what the others leave, and notes, which wrap well, give way first.

    Worked out here, because how rich shares out too little room changes between its releases.
    """
    from rich.cells import cell_len

    widths = [
        max(
            cell_len(cell)
            for cell in (*heading.split("\n"), *(row[column] for row in rows if column < len(row)))
        )
        for column, heading in enumerate(headings)
    ]
    gaps = _GAP * (len(widths) - 1)
    widths[_PORT] = min(widths[_PORT], _PORT_WIDTH)
    if sum(widths) + gaps > width:
        widths[-1] = min(widths[-1], _NOTE_WIDTH)
    widths[0] = max(min(widths[0], width - gaps - sum(widths[1:])), 1)
    return widths


def _empty_table(headings: Sequence[str], widths: Sequence[int], *, headers: bool) -> Table:
    """Columns of exactly these widths, empty ones between: releases of rich count padding differently."""
    from rich.table import Table

    table = Table(box=None, show_header=headers, padding=0, pad_edge=False, header_style="bold")
    for heading, width in zip(headings, widths, strict=True):
        if table.columns:
            table.add_column("", width=_GAP)
        justify: Literal["left", "right"] = "right" if heading in ("CONNS", "BYTES") else "left"
        table.add_column(heading, justify=justify, width=width, overflow="fold")
    return table


def _spaced(cells: Sequence[str]) -> list[str]:
    """The cells with an empty one between any two."""
    return [part for cell in cells for part in (cell, "")][:-1]


def _cells(edge: Edge, *, home: str, wide: bool) -> list[str]:
    counts = ["-" if edge.connections is None else str(edge.connections)]
    if wide:
        seen = f"{rfc3339(edge.last)[11:19]} UTC" if edge.last else "-"
        counts += ["-" if edge.bytes is None else size_text(edge.bytes), seen]
    words = (endpoint_words(edge.server, home=home), port_words(edge), edge.outcome.value, *counts)
    server, *others = (terminal_text(word) for word in (*words, ", ".join(marks(edge))))
    return [f"  {server}", *others]
