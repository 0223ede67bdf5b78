"""Rows of captures as cells: for a table, and for CSV (RFC 4180)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kubectl_netpolgen.model.flow import Conversation, NameAnswer, PeerName
from kubectl_netpolgen.model.rows import Row, RowKind, direction_word
from kubectl_netpolgen.model.times import rfc3339_full
from kubectl_netpolgen.output.columns import GAP, NONE
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.flow_rows import WriteRow
from kubectl_netpolgen.output.quantities import size_text

_COUNTS = (
    *("packetsToServer", "packetsToClient", "bytesToServer", "bytesToClient"),
    *("laterFragments", "laterFragmentBytes", "duplicates", "first", "last", "direction", "outcome"),
    *("connections", "names", "vlan", "tunnel"),
)
CSV_COLUMNS = {
    RowKind.FLOWS: ("file", "protocol", "client", "server", "serverPort", "clientPorts", *_COUNTS),
    RowKind.CONVERSATIONS: ("file", "protocol", "client", "clientPort", "server", "serverPort", *_COUNTS),
    RowKind.NAMES: ("file", "name", "address", "source", "via", "first", "last", "count"),
}
"""The keys of a row in its JSON, in their order."""

_TRAFFIC = (
    *("FILE", "CLIENT", "SERVER", "PORT", "OUTCOME", "DIRECTION"),
    *("CONNECTIONS", "PACKETS", "BYTES", "FIRST-SEEN", "LAST-SEEN", "VLAN", "TUNNEL", "NAMES"),
)
HEADINGS = {
    RowKind.FLOWS: _TRAFFIC,
    RowKind.CONVERSATIONS: (*_TRAFFIC[:2], "CLIENT-PORT", *_TRAFFIC[2:]),
    RowKind.NAMES: ("FILE", "NAME", "ADDRESS", "SOURCE", "VIA", "FIRST-SEEN", "LAST-SEEN", "COUNT"),
}

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that spreadsheets would run (OWASP, CSV Injection)."""
_SHORTEST = 8
_MAY_GO = frozenset(("FILE", "VLAN", "TUNNEL", "VIA", "NAMES"))


def csv_head(kind: RowKind) -> str:
    """The header row."""
    return ",".join(CSV_COLUMNS[kind]) + "\r\n"


def csv_writer(file: str) -> WriteRow:
    """A function that writes the rows of one file as lines of CSV, ended as RFC 4180 ends them."""
    label = csv_text(file)
    return lambda row: f"{label},{_csv_cells(row)}\r\n"


def csv_text(text: str) -> str:
    """Text from outside as a cell: nothing that steers a terminal, breaks a line or is run as a formula."""
    text = terminal_text(text)
    if text.startswith(_FORMULA) and len(text) > 1:
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text or " " in text else text


def _csv_cells(row: Row) -> str:
    if isinstance(row, NameAnswer):
        via = csv_text(" ".join(row.via))
        times = f"{rfc3339_full(row.first)},{rfc3339_full(row.last)}"
        return f"{csv_text(row.name)},{row.address or ''},{row.source.value},{via},{times},{row.count}"
    if isinstance(row, Conversation):
        ends = f"{row.client},{row.client_port},{row.server},{row.server_port}"
    else:
        ends = f"{row.client},{row.server},{row.server_port},{row.client_ports}"
    return (
        f"{row.protocol.value},{ends},{row.packets_to_server},{row.packets_to_client},"
        f"{row.bytes_to_server},{row.bytes_to_client},{row.later_fragments},{row.later_fragment_bytes},"
        f"{row.duplicates},{rfc3339_full(row.first)},{rfc3339_full(row.last)},"
        f"{direction_word(row.direction)},{row.outcome.value},{row.connections},"
        f"{csv_text(_names(row.names))},{'' if row.vlan is None else row.vlan},"
        f"{'' if row.tunnel is None else row.tunnel.value}"
    )


def _names(names: Iterable[PeerName]) -> str:
    return " ".join(f"{name.source.value}:{name.name}" for name in names)


def table_writer(file: str, *, terminal: bool) -> WriteRow:
    """A function that writes the rows of one file as cells between tabs, of which no cell has one.

    On a terminal sizes are for people.
    """
    label = terminal_text(file)
    return lambda row: (
        "\t".join((label, *(terminal_text(cell) or NONE for cell in _cells(row, terminal)))) + "\n"
    )


def _cells(row: Row, terminal: bool) -> tuple[str, ...]:
    if isinstance(row, NameAnswer):
        known = (row.name, row.address or "", row.source.value, " ".join(row.via))
        return (*known, rfc3339_full(row.first), rfc3339_full(row.last), str(row.count))
    size = row.bytes_to_server + row.bytes_to_client
    return (
        row.client,
        *((str(row.client_port),) if isinstance(row, Conversation) else ()),
        row.server,
        f"{row.server_port}/{row.protocol.value}",
        row.outcome.value,
        direction_word(row.direction),
        str(row.connections),
        str(row.packets_to_server + row.packets_to_client),
        size_text(size) if terminal else str(size),
        rfc3339_full(row.first),
        rfc3339_full(row.last),
        "" if row.vlan is None else str(row.vlan),
        "" if row.tunnel is None else row.tunnel.value,
        _names(row.names),
    )


class Widths:
    """How wide the columns of a table have to be; seen line by line, so that no row need be kept."""

    def __init__(self, kind: RowKind, *, headers: bool, terminal: bool) -> None:
        self._headings = HEADINGS[kind]
        self._headers = headers
        self._terminal = terminal
        self._widths = [len(heading) if headers else 0 for heading in self._headings]
        self._filled = [False] * len(self._headings)
        self._files: set[str] = set()

    def see(self, lines: Iterable[str]) -> None:
        """Take lines of cells into account."""
        widths, filled = self._widths, self._filled
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if len(self._files) < 2:
                self._files.add(cells[0])
            for column, cell in enumerate(cells):
                if len(cell) > widths[column]:
                    widths[column] = len(cell)
                if cell != NONE:
                    filled[column] = True

    def lay_out(self, lines: Iterable[str], *, width: int) -> Iterator[str]:
        """The table's lines: plain columns, all of them and whole.

        On a terminal a file that is the same everywhere and columns that nothing fills are left out, and the
        names give way where it is not wide enough; `-o json` has everything.
        """
        columns = [column for column in range(len(self._headings)) if self._is_shown(column)]
        widths = [self._widths[column] for column in columns]
        room = width - sum(widths[:-1]) - len(GAP) * (len(widths) - 1)
        room = max(room, _SHORTEST) if self._terminal else max(widths[-1], 0)
        if self._headers:
            yield _line([self._headings[column] for column in columns], widths, room)
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            yield _line([cells[column] for column in columns], widths, room)

    def _is_shown(self, column: int) -> bool:
        if not self._terminal or self._headings[column] not in _MAY_GO:
            return True
        return len(self._files) > 1 if column == 0 else self._filled[column]


def _line(cells: Sequence[str], widths: Sequence[int], room: int) -> str:
    end = cells[-1] if len(cells[-1]) <= room else cells[-1][: room - 3] + "..."
    parts = [cell.ljust(width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
    return GAP.join((*parts, end)).rstrip() + "\n"
