"""How the harness knows that policies are enforced."""

from __future__ import annotations

import pytest

from tests.harness import addons


@pytest.mark.parametrize(
    ("table", "served"),
    [
        ("", False),
        ("  100   2345     0 2   128     0     0       17  1\n", True),
        ("  101   2345     0 2   128     0     0      100  1\n", False),
    ],
)
def test_policies_are_enforced_once_somebody_serves_the_queue(table: str, served: bool) -> None:
    assert addons.queue_is_served(table, 100) is served
