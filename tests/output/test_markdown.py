"""Nothing from outside is markup, in text, code or a table."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.output.markdown import markdown_code, markdown_table, markdown_text


def test_markup_is_escaped_and_control_characters_are_shown() -> None:
    assert markdown_text("*_~ <b> [x](y) `z` a|b #!") == ("\\*\\_\\~ \\<b\\> \\[x\\](y) \\`z\\` a\\|b \\#\\!")
    assert "\x1b" not in markdown_text("\x1b[31m")


@pytest.mark.parametrize(
    ("text", "code"), [("a || b", "`a || b`"), ("a `b` c", "`` a `b` c ``"), ("x ``` y", "```` x ``` y ````")]
)
def test_code_is_fenced_by_more_backquotes_than_it_holds(text: str, code: str) -> None:
    assert markdown_code(text) == code


@given(st.text())
def test_code_never_ends_before_its_fence(text: str) -> None:
    found = markdown_code(text)
    match = re.match(r"(`+)(.*?)(`+)\Z", found, re.DOTALL)
    assert match is not None
    assert match[1] == match[3]
    assert match[1] not in re.findall(r"`+", match[2])
    assert "\n" not in found


def test_a_table_has_a_line_for_its_headings_and_each_row() -> None:
    assert markdown_table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
