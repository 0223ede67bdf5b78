"""Times go through text and back, to the microsecond, and hostile text is refused in one way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.times import parse_rfc3339, rfc3339, rfc3339_full

SECOND = 1_000_000_000
FIRST = -62_135_596_800 * SECOND
LAST = 253_402_300_799 * SECOND + 999_999_999


def test_time_is_utc_with_microseconds() -> None:
    assert rfc3339(1_767_323_045_000_006_999) == "2026-01-02T03:04:05.000006Z"


def test_early_years_keep_four_digits() -> None:
    assert rfc3339(FIRST) == "0001-01-01T00:00:00.000000Z"


@given(st.integers(FIRST, LAST))
def test_round_trip_loses_only_what_is_below_a_microsecond(nanoseconds: int) -> None:
    assert parse_rfc3339(rfc3339(nanoseconds)) == nanoseconds // 1000 * 1000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:30:00-04:30", 0),
        ("1970-01-01T00:00:59Z", 59),
        ("1970-01-01T00:00:60Z", 59),
    ],
)
def test_offsets_letters_and_leap_seconds(text: str, seconds: int) -> None:
    assert parse_rfc3339(text) == seconds * SECOND


def test_fractions_of_up_to_nine_digits_count() -> None:
    assert parse_rfc3339("1970-01-01T00:00:00.5Z") == 500_000_000
    assert parse_rfc3339("1970-01-01T00:00:00.000000001Z") == 1
    assert parse_rfc3339("1970-01-01T00:00:00.0000000019Z") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-13-02T03:04:05Z",
        "2026-01-02T25:04:05Z",
        "0000-01-02T03:04:05Z",
        "2026-01-02T03:04:05Z\n",
        "٢٠٢٦-01-02T03:04:05Z",
        "0001-01-01T00:00:00+99:00",
        "9999-12-31T23:59:59-99:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_000_001_000, "1970-01-01T00:00:01.000001Z"),
        (1_000_001_001, "1970-01-01T00:00:01.000001001Z"),
        (-1_000, "1969-12-31T23:59:59.999999Z"),
        (10**30, "9999-12-31T23:59:59.000000Z"),
        (-(10**30), "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_full_precision_is_told_where_there_is_any(nanoseconds: int, text: str) -> None:
    assert rfc3339_full(nanoseconds) == text


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_a_full_time_reads_back_exactly(nanoseconds: int) -> None:
    assert parse_rfc3339(rfc3339_full(nanoseconds)) == nanoseconds
