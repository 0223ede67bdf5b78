from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.model.flow import Conversation, NameSource, PeerName
from kubectl_netpolgen.model.rows import Row, RowKind
from kubectl_netpolgen.output.flow_cells import CSV_COLUMNS
from kubectl_netpolgen.runs.capture_rows import Format, Held, Plan
from kubectl_netpolgen.runs.row_output import RowOutput
from tests.factories import a_conversation

ROWS = [a_conversation(client_port=port) for port in range(1, 6)]
LATE = (PeerName("late.test", NameSource.QUIC),)


def written(form: Format, pieces: list[str | Held], *, headers: bool = True) -> tuple[str, RowOutput]:
    stream = io.StringIO()
    output = RowOutput(stream, Plan(kind=RowKind.CONVERSATIONS, format=form), headers=headers)
    for piece in pieces:
        output.take(piece)
    output.settle(lambda held: held.rows)
    return stream.getvalue(), output


def text(form: Format, *rows: Row) -> str:
    return Plan(kind=RowKind.CONVERSATIONS, format=form).text_of("x", rows)


def some_rows(ports: Iterable[int]) -> tuple[Conversation, ...]:
    return tuple(a_conversation(server_port=port) for port in ports)


def ports(lines: str) -> list[int]:
    return [json.loads(line)["serverPort"] for line in lines.splitlines()]


def named(held: Held) -> list[Row]:
    """The rows that waited, with a name."""
    return [row._replace(names=LATE) for row in held.rows if isinstance(row, Conversation)]


@pytest.mark.parametrize("form", Format)
def test_rows_that_waited_stand_where_they_belong(form: Format) -> None:
    straight, output = written(form, [text(form, *ROWS)])
    pieces: list[str | Held] = [
        text(form, ROWS[0]),
        Held("x", (ROWS[1],)),
        text(form, *ROWS[2:4]),
        Held("x", (ROWS[4],)),
    ]
    waited, other = written(form, pieces)
    assert waited == straight
    assert (output.rows, other.rows) == (5, 5)


def test_rows_before_the_first_that_waits_are_written_at_once() -> None:
    stream = io.StringIO()
    output = RowOutput(stream, Plan(kind=RowKind.CONVERSATIONS, format=Format.JSONL))
    output.take(text(Format.JSONL, ROWS[0]))
    assert stream.getvalue().count("\n") == 1
    output.take(Held("x", (ROWS[1],)))
    output.take(text(Format.JSONL, ROWS[2]))
    assert stream.getvalue().count("\n") == 1
    output.close()


def test_nothing_is_an_empty_list_and_an_empty_table() -> None:
    assert json.loads(written(Format.JSON, [])[0])["items"] == []
    assert written(Format.TABLE, [])[0] == ""
    assert written(Format.JSONL, [])[0] == ""
    assert written(Format.CSV, [])[0].startswith("file,")
    assert written(Format.CSV, [], headers=False)[0] == ""


def test_lists_are_whole_whatever_the_pieces() -> None:
    pieces: list[str | Held] = [text(Format.JSON, *ROWS[:2]), "", text(Format.JSON, *ROWS[2:])]
    assert len(json.loads(written(Format.JSON, pieces)[0])["items"]) == 5


def test_waiting_rows_are_filtered_by_the_names_they_got() -> None:
    kind = RowKind.CONVERSATIONS
    plan = Plan(kind=kind, format=Format.JSONL, filter=parse_filter("name == late.test", kind))
    for complete, expected in ((named, [1]), (lambda held: held.rows, [])):
        stream = io.StringIO()
        output = RowOutput(stream, plan)
        output.take(Held("x", some_rows([1])))
        output.settle(complete)
        assert (ports(stream.getvalue()), output.rows) == (expected, len(expected))


def test_only_rows_that_waited_get_late_names() -> None:
    form = Format.JSONL
    stream = io.StringIO()
    output = RowOutput(stream, Plan(kind=RowKind.CONVERSATIONS, format=form))
    for piece in (text(form, *some_rows([1])), Held("x", some_rows([2, 3])), text(form, *some_rows([4]))):
        output.take(piece)
    output.settle(named)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(row["serverPort"], len(row["names"])) for row in rows] == [(1, 0), (2, 1), (3, 1), (4, 0)]


@pytest.mark.parametrize("kind", list(RowKind))
def test_an_empty_list_says_of_what_it_is(kind: RowKind) -> None:
    stream = io.StringIO()
    RowOutput(stream, Plan(kind=kind, format=Format.JSON)).settle(lambda held: held.rows)
    assert json.loads(stream.getvalue()) == {
        "apiVersion": "netpolgen/v1",
        "kind": kind.value,
        "items": [],
    }


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 9), max_size=3)), max_size=6))
def test_a_list_holds_the_same_rows_as_lines(given: Sequence[tuple[bool, Sequence[int]]]) -> None:
    wanted = [port for _, some in given for port in some]
    told: dict[Format, str] = {}
    for form in (Format.JSON, Format.JSONL):
        pieces = [
            Held("x", some_rows(some)) if waits else text(form, *some_rows(some)) for waits, some in given
        ]
        told[form], output = written(form, pieces)
        assert output.rows == len(wanted)
    listed = [row["serverPort"] for row in json.loads(told[Format.JSON])["items"]]
    assert listed == wanted == ports(told[Format.JSONL])


def test_csv_has_its_header_once() -> None:
    head = ",".join(CSV_COLUMNS[RowKind.CONVERSATIONS]) + "\r\n"
    lines, output = written(Format.CSV, [text(Format.CSV, row) for row in ROWS])
    assert (lines.count(head), lines.startswith(head), output.rows) == (1, True, 5)
    assert written(Format.CSV, [])[0] == head
    one = text(Format.CSV, ROWS[0])
    assert written(Format.CSV, [one], headers=False)[0] == one


def test_a_table_is_laid_out_over_all_of_its_rows() -> None:
    form = Format.TABLE
    pieces: list[str | Held] = [
        text(form, *some_rows([1])),
        Held("x", some_rows([65535])),
        text(form, *some_rows([22])),
    ]
    head, *lines = written(form, pieces)[0].splitlines()
    assert len({line.index("established") for line in lines} | {head.index("OUTCOME")}) == 1
    assert [line.split()[4] for line in lines] == ["1/TCP", "65535/TCP", "22/TCP"]
    assert len(written(form, pieces, headers=False)[0].splitlines()) == 3


@pytest.mark.parametrize("in_memory", [100, 1 << 24])
def test_what_waits_beyond_the_memory_or_one_reading_is_the_same(in_memory: int) -> None:
    form = Format.JSONL
    many = text(form, *some_rows(range(1, 2000)))
    stream = io.StringIO()
    output = RowOutput(stream, Plan(kind=RowKind.CONVERSATIONS, format=form), in_memory=in_memory)
    for piece in (Held("x", some_rows([0])), many, many, Held("x", some_rows([7])), many):
        output.take(piece)
    output.settle(lambda held: held.rows)
    assert ports(stream.getvalue()) == [0, *range(1, 2000), *range(1, 2000), 7, *range(1, 2000)]


def test_what_was_kept_is_not_written_after_an_error() -> None:
    stream = io.StringIO()
    output = RowOutput(stream, Plan(kind=RowKind.CONVERSATIONS, format=Format.TABLE))
    output.take(text(Format.TABLE, *ROWS))
    output.close()
    assert stream.getvalue() == ""
