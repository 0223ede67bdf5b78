from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.flow_cells import (
    CSV_COLUMNS,
    HEADINGS,
    Widths,
    csv_head,
    csv_text,
    csv_writer,
    table_writer,
)
from tests.factories import a_conversation, an_answer

HOSTILE = a_conversation()._replace(names=(PeerName('\x1b[31m\t,"a', NameSource.HTTP),))


@pytest.mark.parametrize("kind", RowKind)
def test_csv_has_a_column_for_every_key(kind: RowKind) -> None:
    row = an_answer() if kind is RowKind.NAMES else a_conversation()
    if kind is RowKind.FLOWS:
        return
    (read,) = csv.reader(io.StringIO(csv_writer("x")(row)))
    assert len(read) == len(CSV_COLUMNS[kind])
    assert csv_head(kind) == ",".join(CSV_COLUMNS[kind]) + "\r\n"


@given(st.text(max_size=20))
def test_a_cell_is_one_cell_and_no_formula(text: str) -> None:
    ((cell,),) = csv.reader(io.StringIO(csv_text(text) + "\r\n")) if csv_text(text) else (("",),)
    assert not (len(cell) > 1 and cell.startswith(("=", "+", "-", "@")))
    assert terminal_text(cell) == cell


def test_what_steers_a_terminal_is_written_out_everywhere() -> None:
    for line in (csv_writer("f\x07")(HOSTILE), table_writer("f\x07", terminal=True)(HOSTILE)):
        assert "\x1b" not in line
        assert "\x07" not in line
        assert line.count("\n") == 1
    assert len(table_writer("f", terminal=False)(HOSTILE).split("\t")) == len(HEADINGS[RowKind.CONVERSATIONS])


def laid_out(rows: list[str], *, terminal: bool, width: int = 80, headers: bool = True) -> list[str]:
    widths = Widths(RowKind.CONVERSATIONS, headers=headers, terminal=terminal)
    widths.see(rows)
    return list(widths.lay_out(rows, width=width))


def test_a_pipe_gets_every_column_whole() -> None:
    row = a_conversation()._replace(names=(PeerName("n" * 200, NameSource.SNI),))
    lines = laid_out([table_writer("x.pcap", terminal=False)(row)], terminal=False)
    assert lines[0].split() == list(HEADINGS[RowKind.CONVERSATIONS])
    assert "n" * 200 in lines[1]
    assert lines[0].index("SERVER") == lines[1].index("10.244.1.6")


def test_a_terminal_gets_what_there_is_and_as_much_as_fits() -> None:
    row = a_conversation()._replace(names=(PeerName("n" * 300, NameSource.SNI),))
    header, line = laid_out([table_writer("x.pcap", terminal=True)(row)], terminal=True, width=200)
    assert "FILE" not in header
    assert "VLAN" not in header
    assert len(line.rstrip()) <= 200
    assert line.rstrip().endswith("...")
    two = [table_writer(file, terminal=True)(row._replace(vlan=7)) for file in ("a", "b")]
    assert {"FILE", "VLAN"} <= set(laid_out(two, terminal=True)[0].split())


def test_without_headings_only_rows_count() -> None:
    (line,) = laid_out([table_writer("x", terminal=False)(a_conversation())], terminal=False, headers=False)
    assert line.startswith("x   10.244.1.5   40000   10.244.1.6   8080/TCP")
