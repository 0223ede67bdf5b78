"""Damaged bundles: JSON of other types, depths and lengths, lines that are none, bytes that are noise."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.conformance.damage import mutations

Line = dict[str, Any]
_KINDS = ("Pod", "Service", "EndpointSlice", "Node", "Namespace", "NetworkPolicy", "Deployment", "Rollout")


def _deep(chance: random.Random) -> Any:
    value: Any = "x"
    for _ in range(chance.choice((3, 300))):
        value = [value] if chance.random() < 0.5 else {"k": value}
    return value


_VALUES: tuple[Callable[[random.Random], Any], ...] = (
    lambda chance: None,
    lambda chance: chance.choice((True, False)),
    lambda chance: chance.choice((0, -1, 1, 70000, 10**30, 0.5, 1e300)),
    lambda chance: "",
    lambda chance: "x" * 100_000,
    lambda chance: chance.choice(
        ("\ud800", "\u202e\u0007\n", "\x00", "a/../../b", "10.0.0.0/99", "::ffff:1.2.3.4%e")
    ),
    lambda chance: chance.choice(("SCTP", "ICMP", "tcp", *_KINDS)),
    lambda chance: chance.choice(("2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")),
    lambda chance: [],
    lambda chance: {},
    lambda chance: [None, 1, "x", {"a": []}],
    lambda chance: {"": None, "a": {"b": [1]}, "name": 5},
    _deep,
)
"""What stands in a field where something else was expected."""


def places(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every field and item below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*before, key)
        yield from places(inner, (*before, key))


def _changed(document: Any, chance: random.Random) -> Any:
    """The document with one field taken out, put in twice, or made another thing."""
    found = list(places(document))
    if not found:
        return chance.choice(_VALUES)(chance)
    *way, last = chance.choice(found)
    holder = document
    for key in way:
        holder = holder[key]
    move = chance.randrange(10)
    if move == 0:
        del holder[last]
    elif move == 1 and isinstance(holder, list):
        holder.extend(holder * chance.choice((1, 50)))
    elif move == 2 and isinstance(holder, dict):
        holder["extra-" + "y" * chance.choice((1, 5000))] = chance.choice(_VALUES)(chance)
    elif move == 3 and isinstance(holder, dict):
        holder[str(last)] = holder.pop(chance.choice(list(holder)))
    else:
        holder[last] = chance.choice(_VALUES)(chance)
    return document


def damaged_document(text: str, chance: random.Random) -> str:
    """One JSON document with up to three of its fields changed."""
    document = json.loads(text)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        document = _changed(document, chance)
    return json.dumps(document)


def damaged_lines(text: str, chance: random.Random) -> str:
    """Lines of JSON of which some are changed, cut, doubled, disordered, lost, or no JSON at all."""
    lines = text.splitlines()
    for _ in range(chance.choice((1, 2, 8, 30))):
        if not lines:
            break
        at = chance.randrange(len(lines))
        way = chance.randrange(12)
        if way < 7:
            try:
                lines[at] = damaged_document(lines[at], chance)
            except (ValueError, RecursionError):
                continue  # an earlier step made it no JSON
        elif way == 7:
            lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
        elif way == 8:
            del lines[at : at + chance.choice((1, 1, 20))]
        elif way == 9:
            lines.insert(chance.randrange(len(lines) + 1), lines[at])
        elif way == 10:
            # the same key twice: the later one counts (RFC 8259, 4)
            lines[at] = lines[at].replace('"kind":', '"kind":7,"kind":', 1)
        else:
            noise = (
                "nonsense",
                "[]",
                "5",
                '"x"',
                "null",
                "{",
                "[" * 3000,
                "\x00\xff",
                "1e999",
                '{"kind":NaN}',
            )
            lines[at] = chance.choice(noise)
    return "\n".join(lines) + chance.choice(("\n", ""))


def damaged_text(content: bytes, chance: random.Random) -> bytes:
    """Any file with bytes changed, taken out or doubled, cut short, empty, or another file altogether."""
    way = chance.randrange(8)
    if way == 0:
        return content[: chance.randrange(len(content) + 1)]
    if way == 1:
        return b""
    if way == 2:
        return chance.randbytes(chance.choice((1, 100, 10_000)))
    return next(mutations(content, seed=chance.randrange(1 << 30), count=1))


def damaged_file(name: str, content: bytes, chance: random.Random) -> bytes:
    """A file of a bundle, damaged as befits it."""
    if name.endswith((".json", ".jsonl")) and chance.random() < 0.85:
        text = content.decode()
        damaged = damaged_lines(text, chance) if name.endswith("l") else damaged_document(text, chance)
        return damaged.encode(errors="surrogatepass")
    return damaged_text(content, chance)
