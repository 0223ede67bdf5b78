"""Filter expressions as values: what can be asked of a row, and how it is written."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from kubectl_netpolgen.model.flow import SEEN_OUTCOMES, Tunnel
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.model.times import rfc3339_full

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST = 4096
"""Characters of an expression."""
DEEPEST = 50
"""Parentheses and negations in one another."""


class Kind(Enum):
    """What a field holds, which decides what it can be compared with."""

    ADDRESS = "an address or a network like 10.0.0.0/8"
    NUMBER = "a number, a range like 8000-8999 or a set like {80, 443}"
    TIME = "a time like 2026-01-02T03:04:05Z, in UTC, or a day"
    WORD = "a word"
    TEXT = 'text, or with ~ a pattern like "*.example.com"'


class Operator(str, Enum):
    """How a field and values are compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"
    LIKE = "~"
    UNLIKE = "!~"


SAMENESS = frozenset((Operator.EQUAL, Operator.UNEQUAL, Operator.IN, Operator.NOT_IN))
OPERATORS = {
    Kind.ADDRESS: SAMENESS,
    Kind.NUMBER: frozenset(Operator) - {Operator.LIKE, Operator.UNLIKE},
    Kind.TIME: frozenset((Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST)),
    Kind.WORD: SAMENESS,
    Kind.TEXT: SAMENESS | {Operator.LIKE, Operator.UNLIKE},
}

_TRAFFIC = frozenset((RowKind.FLOWS, RowKind.CONVERSATIONS))
_ALL = frozenset(RowKind)
NONE = "none"
"""The word for no VLAN, no tunnel, no address."""


@dataclass(frozen=True)
class Field:
    """One word of the language."""

    name: str
    kind: Kind
    rows: frozenset[RowKind] = _TRAFFIC
    words: tuple[str, ...] = ()
    """All values of a field of words."""
    may_lack: bool = False
    """Whether `none` is a value."""


PROTOCOLS = tuple(protocol.value.lower() for protocol in Protocol)
DIRECTIONS = ("syn", "synack", "proven", "declared", "heuristic")
SOURCES = ("sni", "quic", "http", "dns")

FIELDS = {
    field.name: field
    for field in (
        Field("host", Kind.ADDRESS, _ALL),
        Field("client", Kind.ADDRESS),
        Field("server", Kind.ADDRESS),
        Field("address", Kind.ADDRESS, frozenset((RowKind.NAMES,)), may_lack=True),
        Field("port", Kind.NUMBER),
        Field("clientport", Kind.NUMBER, frozenset((RowKind.CONVERSATIONS,))),
        Field("clientports", Kind.NUMBER, frozenset((RowKind.FLOWS,))),
        Field("protocol", Kind.WORD, words=PROTOCOLS),
        Field("outcome", Kind.WORD, words=tuple(outcome.value for outcome in SEEN_OUTCOMES)),
        Field("direction", Kind.WORD, words=DIRECTIONS),
        Field("tunnel", Kind.WORD, words=(*(tunnel.value for tunnel in Tunnel), NONE)),
        Field("vlan", Kind.NUMBER, may_lack=True),
        Field("packets", Kind.NUMBER),
        Field("bytes", Kind.NUMBER),
        Field("packetstoserver", Kind.NUMBER),
        Field("packetstoclient", Kind.NUMBER),
        Field("bytestoserver", Kind.NUMBER),
        Field("bytestoclient", Kind.NUMBER),
        Field("connections", Kind.NUMBER),
        Field("duplicates", Kind.NUMBER),
        Field("laterfragments", Kind.NUMBER),
        Field("first", Kind.TIME, _ALL),
        Field("last", Kind.TIME, _ALL),
        Field("name", Kind.TEXT, _ALL),
        Field("source", Kind.WORD, frozenset((RowKind.NAMES,)), words=SOURCES),
        Field("count", Kind.NUMBER, frozenset((RowKind.NAMES,))),
        Field("file", Kind.TEXT, _ALL),
    )
}
ALIASES = {"serverport": "port", "proto": "protocol", "names": "name", "ip": "host"}
"""What else a person may call them; capitals never matter."""


class Span(NamedTuple):
    """Numbers from the first to the last, both included."""

    low: int
    high: int


class Moment(NamedTuple):
    """Nanoseconds since the epoch."""

    time: int


Value = Network | Span | Moment | str
"""Of a comparison; text and words are plain."""


@dataclass(frozen=True)
class Comparison:
    """One field against one value, or for `in` several."""

    field: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Not:
    """The contrary."""

    part: Expression


@dataclass(frozen=True)
class All:
    """Every part; at least two."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Some:
    """At least one part; at least two."""

    parts: tuple[Expression, ...]


Expression = Comparison | Not | All | Some

RESERVED = frozenset(("and", "or", "not", "in"))
_BARE = re.compile(r"[A-Za-z0-9*?][\w.:*?/+-]*", re.ASCII)


def write_expression(expression: Expression) -> str:
    """The text of an expression, by which it would be read again."""
    if isinstance(expression, Comparison):
        return _write_comparison(expression)
    if isinstance(expression, Not):
        return f"not {_write_part(expression.part)}"
    word = " and " if isinstance(expression, All) else " or "
    return word.join(_write_part(part) for part in expression.parts)


def _write_part(part: Expression) -> str:
    text = write_expression(part)
    return text if isinstance(part, (Comparison, Not)) else f"({text})"


def _write_comparison(comparison: Comparison) -> str:
    values = [_write_value(value) for value in comparison.values]
    several = comparison.operator in (Operator.IN, Operator.NOT_IN)
    text = "{" + ", ".join(values) + "}" if several else values[0]
    return f"{comparison.field} {comparison.operator.value} {text}"


def _write_value(value: Value) -> str:
    if isinstance(value, Span):
        return str(value.low) if value.low == value.high else f"{value.low}-{value.high}"
    if isinstance(value, Moment):
        return rfc3339_full(value.time)
    if isinstance(value, str):
        plain = _BARE.fullmatch(value) and value.lower() not in RESERVED
        return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    alone = value.prefixlen == value.max_prefixlen
    return str(value.network_address) if alone else str(value)
