"""Filter expressions applied to rows."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from kubectl_netpolgen.analysis.expressions import (
    NONE,
    All,
    Comparison,
    Expression,
    Moment,
    Network,
    Not,
    Operator,
    Span,
)
from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.model.rows import RowKind, direction_word

Test = Callable[[Any], bool]
_Reader = Callable[[Any], Any]

_ORDERS = {
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
_NEGATIVE = frozenset((Operator.UNEQUAL, Operator.NOT_IN, Operator.UNLIKE))


_READERS: dict[str, _Reader] = {
    "host": lambda row: (row.client, row.server),
    "client": lambda row: (row.client,),
    "server": lambda row: (row.server,),
    "address": lambda row: (row.address,),
    "port": lambda row: row.server_port,
    "clientport": lambda row: row.client_port,
    "clientports": lambda row: row.client_ports,
    "protocol": lambda row: row.protocol.value.lower(),
    "outcome": lambda row: row.outcome.value,
    "direction": lambda row: direction_word(row.direction),
    "tunnel": lambda row: row.tunnel.value if row.tunnel is not None else NONE,
    "vlan": lambda row: row.vlan,
    "packets": lambda row: row.packets_to_server + row.packets_to_client,
    "bytes": lambda row: row.bytes_to_server + row.bytes_to_client,
    "packetstoserver": lambda row: row.packets_to_server,
    "packetstoclient": lambda row: row.packets_to_client,
    "bytestoserver": lambda row: row.bytes_to_server,
    "bytestoclient": lambda row: row.bytes_to_client,
    "connections": lambda row: row.connections,
    "duplicates": lambda row: row.duplicates,
    "laterfragments": lambda row: row.later_fragments,
    "first": lambda row: row.first,
    "last": lambda row: row.last,
    "name": lambda row: [name.name for name in row.names],
    "source": lambda row: row.source.value,
    "count": lambda row: row.count,
}
_OF_NAMES: dict[str, _Reader] = {
    "host": lambda row: (row.address,),
    "name": lambda row: (row.name,),
}
"""Where a row of names has its own way to hold the same."""


def row_test(expression: Expression, kind: RowKind, *, file: str) -> Test:
    """A function that says whether a row of this kind, from this file, is what the expression asks for.

    Comparisons with what a row does not have are false, except those with `none` and the negative ones.
    """
    if isinstance(expression, Comparison):
        return _comparison_test(expression, kind, file)
    if isinstance(expression, Not):
        part = row_test(expression.part, kind, file=file)
        return lambda row: not part(row)
    parts = [row_test(part, kind, file=file) for part in expression.parts]
    if isinstance(expression, All):
        return lambda row: all(part(row) for part in parts)
    return lambda row: any(part(row) for part in parts)


def _comparison_test(comparison: Comparison, kind: RowKind, file: str) -> Test:
    holds = _positive_test(comparison, kind, file)
    if comparison.operator in _NEGATIVE:
        return lambda row: not holds(row)
    return holds


def _positive_test(comparison: Comparison, kind: RowKind, file: str) -> Test:
    name, values = comparison.field, comparison.values
    read = _READERS.get(name, _no_field)
    if kind is RowKind.NAMES:
        read = _OF_NAMES.get(name, read)
    if comparison.operator in _ORDERS:
        (limit,) = values
        bound = limit.time if isinstance(limit, Moment) else limit.low if isinstance(limit, Span) else 0
        compare = _ORDERS[comparison.operator]
        return lambda row: (found := read(row)) is not None and bool(compare(found, bound))
    if name == "file":
        answer = any(_text_matches(file, value, comparison.operator) for value in values)
        return lambda row: answer
    if name == "name":
        return lambda row: any(
            _text_matches(text, value, comparison.operator) for text in read(row) for value in values
        )
    if name in ("host", "client", "server", "address"):
        return _address_test(read, values)
    spans = [value for value in values if isinstance(value, Span)]
    words = frozenset(value for value in values if isinstance(value, str))
    if name == "vlan" or spans:
        lacking = NONE in words
        return lambda row: (
            lacking if (found := read(row)) is None else any(low <= found <= high for low, high in spans)
        )
    return lambda row: read(row) in words


def _no_field(row: Any) -> Any:
    """Of what only the file's name can answer."""
    return None


def _address_test(read: _Reader, values: Iterable[Any]) -> Test:
    lacking, networks = False, []
    for value in values:
        if isinstance(value, str):
            lacking = True
        else:
            networks.append(value)
    within = tuple(networks)

    def test(row: Any) -> bool:
        return any(
            lacking if address is None else _is_in(address, network)
            for address in read(row)
            for network in (within or (None,))
        )

    return test


@lru_cache(maxsize=65536)
def _is_in(address: Address, network: Network | None) -> bool:
    return network is not None and ipaddress.ip_address(address) in network


def _text_matches(text: str, value: Any, comparison: Operator) -> bool:
    if comparison in (Operator.LIKE, Operator.UNLIKE):
        return matches_pattern(text, value)
    return bool(text == value)


@lru_cache(maxsize=65536)
def matches_pattern(text: str, pattern: str) -> bool:
    """Whether the whole text is like a pattern: `*` stands for any characters, `?` for one.

    No regular expression, so that none can be written that takes for ever: the work is at most the product
    of both lengths.
    """
    at = here = 0
    star, resume = -1, 0
    while at < len(text):
        if here < len(pattern) and pattern[here] == "*":
            star, resume = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", text[at]):
            at += 1
            here += 1
        elif star >= 0:
            resume += 1
            at, here = resume, star + 1
        else:
            return False
    return all(character == "*" for character in pattern[here:])
