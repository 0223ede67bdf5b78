"""JSON text is the same for the same value, and what is none is refused in one way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.documents.json_text import (
    NotJson,
    dump_inner,
    dump_json,
    dump_line,
    dump_list,
    load_json,
    load_line,
    load_lines,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_written_value_reads_back_the_same(value: Any) -> None:
    assert load_json(dump_json(value)) == value
    assert load_json(dump_line(value)) == value


@given(VALUES)
def test_text_is_ascii_and_a_line_is_one_line(value: Any) -> None:
    assert dump_json(value).isascii()
    assert dump_line(value).isascii()
    assert "\n" not in dump_line(value)


def test_keys_keep_their_order() -> None:
    assert dump_line({"b": 1, "a": 2}) == '{"b":1,"a":2}'


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_are_never_written(value: float) -> None:
    with pytest.raises(ValueError):
        dump_line(value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "line 1, column 1"),
        ('{\n"a": 1\n"b": 2}', "line 3"),
        ("[1, NaN]", "NaN"),
        ("-Infinity", "-Infinity"),
        ("9" * 5000, "digits"),
        ("[" * 100_000, "recursion"),
        (b"\xff\xff\xff", "decode"),
        ("\ufeff{}", "BOM"),
    ],
)
def test_what_is_no_json_says_where_or_why(text: str | bytes, named: str) -> None:
    with pytest.raises(NotJson, match=named):
        load_json(text)


def test_bad_line_costs_one_line() -> None:
    lines = list(load_lines('{"a":1}\n\n{"a":\n  \n{"a":2}\r\n' + "9" * 5000 + "\n"))
    assert [(number, value) for number, value in lines if not isinstance(value, NotJson)] == [
        (1, {"a": 1}),
        (5, {"a": 2}),
    ]
    assert [number for number, value in lines if isinstance(value, NotJson)] == [3, 6]


@pytest.mark.parametrize("text", ["{", "1 2", "NaN", '{"a": Infinity}', "[" * 100_000, ""])
def test_one_line_of_many_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(NotJson):
        load_line(text)
    assert load_line('{"a": [1]}\n') == {"a": [1]}


@given(st.lists(VALUES))
def test_a_list_in_pieces_is_the_text_of_the_whole(items: list[Any]) -> None:
    pieces = dump_list({"kind": "X"}, (dump_inner(item, 2) for item in items))
    assert "".join(pieces) == dump_json({"kind": "X", "items": items})
