from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.output.quantities import count_text, duration_text, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12_345, "12 KiB"),
        (10_239, "10 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (20 * 1024**2, "20 MiB"),
        (3 * 1024**4, "3.0 TiB"),
        (5000 * 1024**4, "5000 TiB"),
    ],
)
def test_sizes_have_three_figures(size: int, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(min_value=0, max_value=2**49))
def test_no_size_reads_as_a_thousand_and_more_of_its_unit(size: int) -> None:
    number, unit = size_text(size).split()
    assert unit == "B" or float(number) <= 1023


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (60, "1m"),
        (90, "1m30s"),
        (5400, "1h30m"),
        (3600, "1h"),
        (0.25, "0.25s"),
        (59.9999, "1m"),
        (3661, "1h1m1s"),
    ],
)
def test_durations_read_like_kubectls(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_counts_agree_with_their_noun() -> None:
    assert count_text(1, "pod") == "1 pod"
    assert count_text(0, "pod") == "0 pods"
    assert count_text(2, "policy", "policies") == "2 policies"
