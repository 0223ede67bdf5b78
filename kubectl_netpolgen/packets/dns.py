"""DNS messages as far as they tell names of addresses: RFC 1035, RFC 3596.

Names are hostile text: they come back in RFC 1035 presentation format, printable ASCII only.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple

from kubectl_netpolgen.model.network import Address, canonical_address

_HEADER = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_RESPONSE, _OPCODE, _RCODE = 0x8000, 0x7800, 0x000F
_A, _CNAME, _AAAA, _IN = 1, 5, 28, 1
_ADDRESS_LENGTH = {_A: 4, _AAAA: 16}

_LONGEST_NAME = 255
_MOST_RECORDS = 512
"""More answers than any UDP message of honest size has room for."""

_LONGEST_CHAIN = 16
"""CNAMEs in a row; resolvers give up earlier."""

_PLAIN = frozenset(range(0x21, 0x7F)) - frozenset(b".\\")


class Message(NamedTuple):
    """One query or response with a single question."""

    transaction: int
    response: bool
    name: str
    """The question's name, lower case, no trailing dot; `.` is the root."""
    answers: tuple[tuple[Address, tuple[str, ...]], ...]
    """Addresses that the response gave for the name, each with the CNAMEs on the way."""


def read_message(payload: bytes) -> Message | None:
    """Read a UDP payload; None when it is no DNS query or response about one name.

    A response that was cut keeps the records that are whole.
    """
    if len(payload) < _HEADER.size:
        return None
    transaction, flags, questions, records, _, _ = _HEADER.unpack_from(payload)
    if questions != 1 or flags & _OPCODE:
        return None
    question = read_name(payload, _HEADER.size)
    if question is None:
        return None
    name, at = question
    if at + 4 > len(payload):
        return None
    response = bool(flags & _RESPONSE)
    answers: tuple[tuple[Address, tuple[str, ...]], ...] = ()
    if response and not flags & _RCODE:
        answers = _follow(name, *_read_records(payload, at + 4, min(records, _MOST_RECORDS)))
    return Message(transaction, response, name, answers)


def read_name(payload: bytes, at: int) -> tuple[str, int] | None:
    """The name at an offset and the offset behind it; None when it is cut, too long or loops.

    Compression pointers must point backwards, further with each hop, so that none is followed twice.
    """
    labels: list[str] = []
    behind = -1
    bound = at
    length = 0
    size = len(payload)
    while at < size:
        octet = payload[at]
        if octet == 0:
            return ".".join(labels) or ".", behind if behind >= 0 else at + 1
        if octet >= 0xC0:
            if at + 2 > size:
                return None
            if behind < 0:
                behind = at + 2
            at = (octet & 0x3F) << 8 | payload[at + 1]
            if at >= bound:
                return None
            bound = at
            continue
        length += octet + 1
        if octet > 63 or at + 1 + octet > size or length >= _LONGEST_NAME:
            return None
        labels.append(present_label(payload[at + 1 : at + 1 + octet]))
        at += 1 + octet
    return None


def present_label(label: bytes) -> str:
    r"""A label as text: lower case, `\.` and `\\` escaped, the unprintable as `\DDD` (RFC 1035, 5.1)."""
    text = label.decode("latin-1")
    if text.isascii() and text.replace("-", "").replace("_", "").isalnum():
        return text.lower()
    return "".join(
        chr(octet).lower() if octet in _PLAIN else f"\\{chr(octet)}" if octet in b".\\" else f"\\{octet:03d}"
        for octet in label
    )


def _read_records(payload: bytes, at: int, count: int) -> tuple[dict[str, str], list[tuple[str, Address]]]:
    """CNAMEs by their owner, and the addresses with theirs, in order; stops at the first broken record."""
    aliases: dict[str, str] = {}
    addresses: list[tuple[str, Address]] = []
    for _ in range(count):
        owner = read_name(payload, at)
        if owner is None or owner[1] + _RECORD.size > len(payload):
            break
        kind, family, _, length = _RECORD.unpack_from(payload, owner[1])
        at = owner[1] + _RECORD.size
        if at + length > len(payload):
            break
        if family == _IN:
            if _ADDRESS_LENGTH.get(kind) == length:
                raw = ipaddress.ip_address(payload[at : at + length])
                addresses.append((owner[0], canonical_address(str(raw))))
            elif kind == _CNAME and (target := read_name(payload, at)) is not None:
                aliases.setdefault(owner[0], target[0])
        at += length
    return aliases, addresses


def _follow(
    name: str, aliases: dict[str, str], addresses: list[tuple[str, Address]]
) -> tuple[tuple[Address, tuple[str, ...]], ...]:
    """The addresses whose owner the chain of CNAMEs reaches from the question."""
    ways: dict[str, tuple[str, ...]] = {name: ()}
    current = name
    for _ in range(_LONGEST_CHAIN):
        following = aliases.get(current)
        if following is None or following in ways:
            break
        ways[following] = (*ways[current], following)
        current = following
    return tuple(dict.fromkeys((address, ways[owner]) for owner, address in addresses if owner in ways))
