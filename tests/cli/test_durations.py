from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.cli.durations import LONGEST, parse_duration
from kubectl_netpolgen.output.quantities import duration_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("5m", 300),
        ("1h30m", 5400),
        ("90", 90),
        ("0", 0),
        ("0s", 0),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1m500ms", 60.5),
        ("2m", 120),
    ],
)
def test_durations_read_as_kubectl_reads_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "s", "-5s", "5 m", "5x", "1e9", "inf", "nan", "5m!", "٣s", "1h-30m", " 5s", "5s\n", "1.s", "+3"],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="60s, 5m or 1h30m"):
        parse_duration(text)


def test_a_duration_beyond_a_year_is_a_typing_error() -> None:
    assert parse_duration(f"{LONGEST:.0f}") == LONGEST
    with pytest.raises(ValueError, match="longer than a year"):
        parse_duration("99999h")


@given(st.integers(min_value=0, max_value=int(LONGEST * 1000)))
def test_every_duration_that_is_written_reads_back_the_same(milliseconds: int) -> None:
    assert round(parse_duration(duration_text(milliseconds / 1000)) * 1000) == milliseconds


@given(st.text(max_size=30))
def test_any_text_is_seconds_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds <= LONGEST
