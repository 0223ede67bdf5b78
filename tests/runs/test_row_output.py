from __future__ import annotations

import io
import json

import pytest

from kubectl_netpolgen.model.rows import Row, RowKind
from kubectl_netpolgen.runs.capture_rows import Format, Held, Plan
from kubectl_netpolgen.runs.row_output import RowOutput
from tests.factories import a_conversation

ROWS = [a_conversation(client_port=port) for port in range(1, 6)]


def written(form: Format, pieces: list[str | Held], *, headers: bool = True) -> tuple[str, RowOutput]:
    stream = io.StringIO()
    output = RowOutput(stream, Plan(kind=RowKind.CONVERSATIONS, format=form), headers=headers)
    for piece in pieces:
        output.take(piece)
    output.settle(lambda held: held.rows)
    return stream.getvalue(), output


def text(form: Format, *rows: Row) -> str:
    return Plan(kind=RowKind.CONVERSATIONS, format=form).text_of("x", rows)


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
