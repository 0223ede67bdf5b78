"""Whatever stands in a field, a map, a list or nothing comes out."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.bundle.shapes import as_list, as_map, only


@pytest.mark.parametrize("value", [None, 5, "ab", True, ("a",), 1.5])
def test_what_has_another_shape_is_empty(value: Any) -> None:
    assert as_map(value) == {}
    assert as_list(value) == []
    assert only(value, ("a",)) == {}


def test_what_has_the_shape_stays() -> None:
    assert as_map({"a": 1}) == {"a": 1}
    assert as_list([1]) == [1]


def test_only_fields_that_are_named_and_say_something_are_kept() -> None:
    assert only({"a": 0, "b": None, "c": [], "d": {}, "e": "", "f": 1}, ("a", "b", "c", "d", "e", "g")) == {
        "a": 0,
        "e": "",
    }
