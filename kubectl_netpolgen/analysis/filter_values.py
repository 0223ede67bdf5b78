"""The values of filter expressions: addresses, numbers, times and words from text."""

from __future__ import annotations

import ipaddress
import re

from kubectl_netpolgen.analysis.expressions import (
    NONE,
    Field,
    Kind,
    Moment,
    Network,
    Operator,
    Span,
    Value,
)
from kubectl_netpolgen.model.times import parse_rfc3339

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "ki": 1 << 10,
    "mi": 1 << 20,
    "gi": 1 << 30,
}
_NUMBER = r"(\d{1,18})(|[kmg]i?)b?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:-{_NUMBER})?", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
_ZONED = re.compile(r".*T.*([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def read_value(field: Field, operator: Operator, text: str) -> Value | None:
    """What a text means as a value of a field, or None when it means nothing."""
    if field.may_lack and text.lower() == NONE:
        return NONE if operator.value in ("==", "!=", "in", "not in") else None
    if field.kind is Kind.ADDRESS:
        return read_network(text)
    if field.kind is Kind.NUMBER:
        return _read_span(text, operator)
    if field.kind is Kind.TIME:
        return _read_moment(text)
    if field.kind is Kind.WORD:
        return text.lower() if text.lower() in field.words else None
    # names are lower case in every row; files are as their system has them
    return text.lower() if field.name == "name" else text


def read_network(text: str) -> Network | None:
    """An address, or a network whose host bits are taken for zero; IPv4 in IPv6 is IPv4, as in the rows."""
    if "%" in text or not any(character in ".:" for character in text):
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network


def _read_span(text: str, operator: Operator) -> Span | None:
    match = _NUMBERS.fullmatch(text)
    if match is None:
        return None
    low = int(match[1]) * _UNITS[match[2].lower()]
    if match[3] is None:
        return Span(low, low)
    high = int(match[3]) * _UNITS[match[4].lower()]
    ordered = operator.value in ("<", "<=", ">", ">=")
    return None if high < low or ordered else Span(low, high)


def _read_moment(text: str) -> Moment | None:
    if _DAY.fullmatch(text):
        text += "T00:00:00"
    elif _MINUTE.fullmatch(text):
        text += ":00"
    if not _ZONED.fullmatch(text):
        text += "Z"
    try:
        return Moment(parse_rfc3339(text))
    except ValueError:
        return None
