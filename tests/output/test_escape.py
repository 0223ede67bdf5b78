from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.output.escape import terminal_text
from tests.output.factories import HOSTILE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, naïve, 日本語, 😀", "plain text, naïve, 日本語, 😀"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u2028\u2029\u200b\ufeff", "\\u2028\\u2029\\u200b\\ufeff"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_steering_characters_are_written_out(text: str, shown: str) -> None:
    assert terminal_text(text) == shown


@given(st.text() | st.sampled_from(HOSTILE))
def test_the_result_is_one_printable_line_that_any_stream_can_carry(text: str) -> None:
    shown = terminal_text(text)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert not any(
        unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI") for c in shown
    )
    shown.encode()


@given(st.text())
def test_escaping_twice_changes_nothing_more(text: str) -> None:
    assert terminal_text(terminal_text(text)) == terminal_text(text)
