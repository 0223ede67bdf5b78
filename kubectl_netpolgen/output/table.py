"""Edges as a table: grouped and fitted for a terminal, plain columns for everything else."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.times import rfc3339
from kubectl_netpolgen.output.columns import plain_columns
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
            rfc3339(edge.last),
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
    from rich.console import Console

    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=True,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    home = home_namespace(edges)
    for number, (section, members) in enumerate(_sections(edges)):
        if number:
            console.print()
        _print_section(console, section, members, home=home, headers=headers)
    # rich pads every line to the full width; what is copied from a terminal should not carry that
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())


def _print_section(
    console: Console, section: Section, edges: Sequence[Edge], *, home: str, headers: bool
) -> None:
    from rich.text import Text

    # names without a namespace are in the home namespace; the title says which that is
    title = section.value + (f" in and around {home}" if home else "")
    wide = console.width >= WIDE
    table = _empty_table(wide=wide, headers=headers)
    for client, members in groupby(edges, key=lambda edge: endpoint_words(edge.client, home=home)):
        table.add_row(Text(terminal_text(client), style="bold"))
        for edge in members:
            cells = _cells(edge, home=home, wide=wide)
            table.add_row(*(Text(terminal_text(cell), style=_COLOURS[section]) for cell in cells))
    console.print(Text(terminal_text(title), style="bold underline"))
    console.print(table)


def _empty_table(*, wide: bool, headers: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=headers, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("CLIENT\n  SERVER", overflow="fold")
    table.add_column("PORT", overflow="fold")
    table.add_column("OUTCOME", no_wrap=True)
    table.add_column("CONNS", justify="right", no_wrap=True)
    if wide:
        table.add_column("BYTES", justify="right", no_wrap=True)
        table.add_column("LAST SEEN", no_wrap=True)
    # notes wrap well and names do not
    table.add_column("NOTE", overflow="fold", max_width=None if wide else 14)
    return table


def _cells(edge: Edge, *, home: str, wide: bool) -> list[str]:
    counts = ["-" if edge.connections is None else str(edge.connections)]
    if wide:
        counts += ["-" if edge.bytes is None else size_text(edge.bytes), f"{rfc3339(edge.last)[11:19]} UTC"]
    return [
        f"  {endpoint_words(edge.server, home=home)}",
        port_words(edge),
        edge.outcome.value,
        *counts,
        ", ".join(marks(edge)),
    ]
