"""Parts of documents whose shape nobody promises: custom resources use known names for other things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def as_map(value: Any) -> Mapping[str, Any]:
    """A map, empty where something else stands."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """A list, empty where something else stands."""
    return value if isinstance(value, list) else []


def only(value: Any, keys: Iterable[str]) -> dict[str, Any]:
    """The named fields that say something; none where no map stands."""
    fields = as_map(value)
    return {key: fields[key] for key in keys if fields.get(key) not in (None, [], {})}
