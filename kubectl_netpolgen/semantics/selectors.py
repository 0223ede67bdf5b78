"""LabelSelector documents to values and back (apimachinery meta/v1 LabelSelector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement


def parse_selector(document: Mapping[str, Any]) -> LabelSelector:
    """The selector of a parsed document; ValueError names the field that the API server would refuse."""
    if not isinstance(document, Mapping):
        raise ValueError(f"a selector must be a map, not {document!r}")
    labels = document.get("matchLabels") or {}
    if not isinstance(labels, Mapping):
        raise ValueError("matchLabels: must be a map")
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ValueError(f"matchLabels.{key}: keys and values must be strings")
    return LabelSelector(
        match_labels=tuple(sorted(labels.items())),
        match_expressions=tuple(
            sorted(
                (_requirement(item) for item in document.get("matchExpressions") or ()),
                key=lambda requirement: (requirement.key, requirement.operator.value, requirement.values),
            )
        ),
    )


def _requirement(document: Mapping[str, Any]) -> Requirement:
    try:
        operator = Operator(document["operator"])
        key = document["key"]
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"matchExpressions: {error}") from error
    given = document.get("values") or []
    if not isinstance(key, str) or not isinstance(given, list) or not all(isinstance(v, str) for v in given):
        raise ValueError(f"matchExpressions.{key}: key and values must be strings")
    values = tuple(sorted(given))
    if operator in (Operator.IN, Operator.NOT_IN) and not values:
        raise ValueError(f"matchExpressions.{key}: {operator.value} needs values")
    if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST) and values:
        raise ValueError(f"matchExpressions.{key}: {operator.value} takes no values")
    return Requirement(key=key, operator=operator, values=values)


def selector_document(selector: LabelSelector) -> dict[str, Any]:
    """The selector as the API writes it, keys sorted; `{}` when it is empty."""
    document: dict[str, Any] = {}
    if selector.match_labels:
        document["matchLabels"] = dict(selector.match_labels)
    if selector.match_expressions:
        document["matchExpressions"] = [
            {
                "key": item.key,
                "operator": item.operator.value,
                **({"values": list(item.values)} if item.values else {}),
            }
            for item in selector.match_expressions
        ]
    return document
