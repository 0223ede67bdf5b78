"""The tables that are printed."""

from __future__ import annotations

import pytest

from bench.measuring import Spread
from bench.table import Table, as_markdown, as_text, figure, spread

TABLE = Table("Times", ["work", "s"], [["a", "1.00"], ["longer", "10.5"]], ["A note."])


def test_text_has_aligned_columns() -> None:
    assert as_text(TABLE) == "Times\n\nwork       s\na       1.00\nlonger  10.5\nA note.\n"


def test_markdown_has_a_heading_and_a_rule() -> None:
    assert as_markdown(TABLE).splitlines() == [
        "## Times",
        "",
        "| work | s |",
        "| --- | ---: |",
        "| a | 1.00 |",
        "| longer | 10.5 |",
        "",
        "A note.",
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0371, "0.037"), (1.239, "1.24"), (28.94, "28.9"), (1740.3, "1,740")]
)
def test_figures_have_three_digits_that_count(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_spread_shows_all_three() -> None:
    assert spread(Spread((2.0, 30.0, 0.5))) == "0.500 / 2.00 / 30.0"
