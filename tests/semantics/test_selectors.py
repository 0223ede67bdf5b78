"""Selectors read as the API server would, and written so that they read back the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement
from kubectl_netpolgen.semantics.selectors import parse_selector, selector_document
from tests.semantics.factories import selectors


@given(selectors())
def test_written_selector_reads_back_the_same(selector: LabelSelector) -> None:
    assert parse_selector(selector_document(selector)) == selector


@pytest.mark.parametrize("document", [{}, {"matchLabels": None}, {"matchLabels": {}, "matchExpressions": []}])
def test_selector_without_demands_is_empty(document: dict[str, Any]) -> None:
    assert parse_selector(document).empty
    assert selector_document(parse_selector(document)) == {}


def test_expressions_are_read_in_one_order() -> None:
    one = {"key": "b", "operator": "In", "values": ["y", "x"]}
    two = {"key": "a", "operator": "Exists"}
    wanted = (Requirement("a", Operator.EXISTS), Requirement("b", Operator.IN, ("x", "y")))
    assert parse_selector({"matchExpressions": [one, two]}).match_expressions == wanted
    assert parse_selector({"matchExpressions": [two, one]}).match_expressions == wanted


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"matchLabels": ["app"]}, "matchLabels"),
        ({"matchLabels": {"app": 1}}, "matchLabels.app"),
        ({"matchLabels": {"app": True}}, "matchLabels.app"),
        ({"matchExpressions": [{"key": "app"}]}, "matchExpressions"),
        ({"matchExpressions": [{"operator": "Exists"}]}, "matchExpressions"),
        ({"matchExpressions": ["app"]}, "matchExpressions"),
        ({"matchExpressions": [{"key": "app", "operator": "Equals", "values": ["x"]}]}, "Equals"),
        ({"matchExpressions": [{"key": "app", "operator": "In"}]}, "needs values"),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": []}]}, "needs values"),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": "abc"}]}, "strings"),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": [1]}]}, "strings"),
        ({"matchExpressions": [{"key": 5, "operator": "Exists"}]}, "strings"),
        ({"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["x"]}]}, "takes no values"),
        ("app=web", "must be a map"),
    ],
)
def test_what_the_api_server_refuses_is_refused_by_field(document: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_selector(document)
