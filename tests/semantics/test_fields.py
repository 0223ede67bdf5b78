"""What a field must be, and how it is said when it is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.semantics.fields import LONGEST_ANNOTATION, LONGEST_TEXT, Fields, shown


def test_null_is_missing() -> None:
    fields = Fields({"a": None})
    assert (fields.text("a", "x"), fields.texts("a"), fields.flag("a")) == ("x", (), False)
    assert (fields.labels("a"), fields.maps("a"), fields.map("a").document) == ({}, (), {})
    assert (fields.number("a", 7), fields.port_or_name("a"), fields.protocol()) == (7, None, Protocol.TCP)


def test_fields_of_the_right_type_are_read() -> None:
    fields = Fields({"t": "x", "l": ["y"], "n": 5, "f": True, "m": {"a": "b"}, "protocol": "UDP"})
    assert (fields.text("t"), fields.texts("l"), fields.number("n"), fields.flag("f")) == (
        "x",
        ("y",),
        5,
        True,
    )
    assert (fields.labels("m"), fields.map("m").text("a"), fields.protocol()) == (
        {"a": "b"},
        "b",
        Protocol.UDP,
    )
    assert (fields.port_or_name("n"), fields.port_or_name("t")) == (5, "x")


@pytest.mark.parametrize(
    ("method", "value", "said"),
    [
        ("text", None, "spec.x: missing"),
        ("text", 5, "spec.x: 5 is no text"),
        ("text", "x" * (LONGEST_TEXT + 1), f"spec.x: {LONGEST_TEXT + 1} characters are more than"),
        ("texts", "abc", "spec.x: 'abc' is no list"),
        ("texts", ["a", {}], "spec.x[1]: a map is no text"),
        ("number", None, "spec.x: missing"),
        ("number", True, "spec.x: True is no number"),
        ("number", "80", "spec.x: '80' is no number"),
        ("number", 80.0, "spec.x: 80.0 is no number"),
        ("number", -1, "spec.x: -1 is no number from 0 to 65535"),
        ("number", 10**3000, "spec.x: a number beyond all measure is no number"),
        ("port", 0, "spec.x: 0 is no number from 1 to 65535"),
        ("port_or_name", [], "spec.x: a list is no number"),
        ("flag", "false", "spec.x: 'false' is neither true nor false"),
        ("map", [], "spec.x: a list is no map"),
        ("maps", [None], "spec.x[0]: None is no map"),
        ("labels", {"a": 1}, "spec.x.a: 1 is no text"),
        ("labels", {5: "a"}, "spec.x.5: 5 is no text"),
    ],
)
def test_another_type_is_refused_by_its_path(method: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        getattr(Fields({"spec": {"x": value}}).map("spec"), method)("x")
    assert str(caught.value).startswith(said)


def test_protocol_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="protocol: 'ICMP' is none that we know"):
        Fields({"protocol": "ICMP"}).protocol()


def test_document_that_is_no_map_is_none() -> None:
    with pytest.raises(ValueError, match="it: a list is no map"):
        Fields([])


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(NESTED)
def test_anything_is_shown_in_a_few_characters(value: Any) -> None:
    assert 0 < len(shown(value)) <= 43


def test_what_is_nested_without_end_is_shown_all_the_same() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "a list"
    while deep:
        # freed from the outside in, since a destructor goes down as far as the nesting
        deep = deep.pop()


def test_annotations_are_as_long_as_tools_write_them() -> None:
    applied = "x" * (LONGEST_TEXT + 1)
    assert Fields({"annotations": {"a": applied, "b": None}}).annotations() == {"a": applied, "b": ""}
    with pytest.raises(ValueError, match=r"^annotations\.a: \d+ characters are more than any"):
        Fields({"annotations": {"a": "x" * (LONGEST_ANNOTATION + 1)}}).annotations()
    with pytest.raises(ValueError, match=r"^annotations\.a: 7 is no text"):
        Fields({"annotations": {"a": 7}}).annotations()
