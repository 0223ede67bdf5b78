"""JSON text, one way everywhere: same value, same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class NotJson(ValueError):
    """The text is no JSON; says where."""


def dump_json(value: Any) -> str:
    """Indented JSON for people and files, ASCII only so that no terminal or locale can change it."""
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def dump_inner(value: Any, depth: int) -> str:
    """A value as `dump_json` has it that many levels down: what is there often is written once."""
    return dump_json(value)[:-1].replace("\n", "\n" + "  " * depth)


def dump_list(head: Mapping[str, Any], items: Iterable[str]) -> Iterator[str]:
    """The text of `dump_json` for `{**head, "items": items}`, of items that `dump_inner` wrote 2 deep."""
    begin, _, end = dump_json({**head, "items": []}).rpartition("[]")
    between = "["
    yield begin
    for item in items:
        yield f"{between}\n    {item}"
        between = ","
    yield ("[]" if between == "[" else "\n  ]") + end


def dump_line(value: Any) -> str:
    """One line of JSON without the line break, keys in the order given."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def load_json(text: str | bytes) -> Any:
    """Parse one document; NotJson names line and column."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        # bytes in no encoding, numbers of thousands of digits, lists in lists in lists
        raise NotJson(str(error)) from error


def _refuse(constant: str) -> Any:
    raise NotJson(f"{constant} is no JSON (RFC 8259, 6)")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def load_line(line: str) -> Any:
    """Parse one line of many: a decoder that is there already takes half of the time. NotJson says where."""
    try:
        value, end = _DECODER.raw_decode(line)
    except json.JSONDecodeError as error:
        raise NotJson(f"column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error
    if line[end:].strip():
        raise NotJson(f"column {end + 1}: more than one value")
    return value


def load_lines(text: str) -> Iterator[tuple[int, Any | NotJson]]:
    """Each non-empty line's number and its value, or its error: one bad line costs one."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, load_json(line)
        except NotJson as error:
            yield number, error
