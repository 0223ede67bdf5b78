from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.output.columns import NONE, plain_columns
from tests.output.factories import HOSTILE


def test_columns_stand_three_spaces_apart_and_nothing_is_cut() -> None:
    long = "statefulset/" + "postgresql" * 20
    assert plain_columns(("NAME", "PORT"), [(long, "1"), ("b", "22")]) == (
        f"{'NAME':{len(long)}}   PORT\n{long}   1\n{'b':{len(long)}}   22\n"
    )


def test_an_empty_cell_reads_none_so_that_columns_can_be_counted() -> None:
    assert plain_columns(("A", "B"), [("", "x")]) == f"A        B\n{NONE}   x\n"


def test_headings_can_be_left_out() -> None:
    assert plain_columns(("LONG-HEADING", "B"), [("a", "b")], headers=False) == "a   b\n"
    assert plain_columns(("A",), [], headers=False) == ""
    assert plain_columns(("A", "B"), []) == "A   B\n"


@given(st.lists(st.tuples(st.text() | st.sampled_from(HOSTILE), st.text()), max_size=5))
def test_every_row_is_one_line(rows: list[tuple[str, str]]) -> None:
    text = plain_columns(("A", "B"), rows)
    assert text.count("\n") == len(text.splitlines()) == len(rows) + 1
