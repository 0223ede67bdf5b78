"""DNS messages as far as they tell names of addresses and services: RFC 1035, RFC 2782, RFC 3596, RFC 6762.

Names are hostile text: they come back in RFC 1035 presentation format, printable ASCII only.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.packets.addresses import spell_address

_HEADER = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")
_RESPONSE, _OPCODE, _RCODE, _NXDOMAIN = 0x8000, 0x7800, 0x000F, 3
_A, _CNAME, _AAAA, _SRV, _IN = 1, 5, 28, 33, 1
_ADDRESS_LENGTH = {_A: 4, _AAAA: 16}
_SRV_TARGET = 6
"""Priority, weight and port lie in front of an SRV record's target."""

_CLASS = 0x7FFF
"""Multicast DNS uses the highest bit of the class for itself (RFC 6762, 10.2)."""

_LONGEST_NAME = 255
_MOST_RECORDS = 512
"""More answers than any UDP message of honest size has room for."""

_MOST_POINTERS = 128
"""Compression pointers in one name: there are no more labels than that."""

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
    services: tuple[str, ...] = ()
    """The targets of the name's SRV records, each once."""
    nonexistent: bool = False
    """True when the response was that there is no such name (NXDOMAIN)."""


class _Records(NamedTuple):
    """What one section of a message holds, in its order."""

    aliases: dict[str, str]
    """CNAMEs by their owner."""
    addresses: list[tuple[str, Address]]
    services: list[tuple[str, str]]


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
    if not response:
        return Message(transaction, response, name, ())
    code = flags & _RCODE
    if code or not records:
        return Message(transaction, response, name, (), nonexistent=code == _NXDOMAIN)
    found = _read_records(payload, at + 4, min(records, _MOST_RECORDS))
    ways = _follow(name, found.aliases)
    return Message(
        transaction,
        response,
        name,
        tuple(dict.fromkeys((address, ways[owner]) for owner, address in found.addresses if owner in ways)),
        tuple(dict.fromkeys(target for owner, target in found.services if owner in ways)),
    )


def read_announcement(payload: bytes) -> tuple[tuple[str, Address], ...]:
    """What a multicast DNS response tells unasked: names and their addresses, in order; () for anything else.

    Such a response repeats no question (RFC 6762, 6), and often carries the addresses as additional records.
    """
    if len(payload) < _HEADER.size:
        return ()
    _, flags, questions, *sections = _HEADER.unpack_from(payload)
    if questions or flags & (_OPCODE | _RCODE) or not flags & _RESPONSE:
        return ()
    return tuple(
        dict.fromkeys(_read_records(payload, _HEADER.size, min(sum(sections), _MOST_RECORDS)).addresses)
    )


def read_name(payload: bytes, at: int) -> tuple[str, int] | None:
    """The name at an offset and the offset behind it; None when it is cut, too long or loops.

    Compression pointers must point backwards, further with each hop, so that none is followed twice.
    """
    labels: list[str] = []
    behind = -1
    bound = at
    length = pointers = 0
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
            pointers += 1
            if at >= bound or pointers > _MOST_POINTERS:
                return None
            bound = at
            continue
        length += octet + 1
        if octet > 63 or at + 1 + octet > size or length >= _LONGEST_NAME:
            return None
        labels.append(present_label(payload[at + 1 : at + 1 + octet]))
        at += 1 + octet
    return None


@lru_cache(maxsize=4096)
def present_label(label: bytes) -> str:
    r"""A label as text: lower case, `\.` and `\\` escaped, the unprintable as `\DDD` (RFC 1035, 5.1)."""
    text = label.decode("latin-1")
    if text.isascii() and text.replace("-", "").replace("_", "").isalnum():
        return text.lower()
    return "".join(
        chr(octet).lower() if octet in _PLAIN else f"\\{chr(octet)}" if octet in b".\\" else f"\\{octet:03d}"
        for octet in label
    )


def _read_records(payload: bytes, at: int, count: int) -> _Records:
    """The records from an offset on; stops at the first broken one."""
    found = _Records({}, [], [])
    size = len(payload)
    for _ in range(count):
        owner = read_name(payload, at)
        if owner is None or owner[1] + _RECORD.size > size:
            break
        name, at = owner
        kind, family, _, length = _RECORD.unpack_from(payload, at)
        at += _RECORD.size
        if at + length > size:
            break
        if family & _CLASS == _IN:
            if _ADDRESS_LENGTH.get(kind) == length:
                found.addresses.append((name, spell_address(payload[at : at + length])))
            elif kind == _CNAME and (target := read_name(payload, at)) is not None:
                found.aliases.setdefault(name, target[0])
            elif kind == _SRV:
                target = read_name(payload, at + _SRV_TARGET)
                # the root as a target says that there is no such service
                if target is not None and target[0] != ".":
                    found.services.append((name, target[0]))
        at += length
    return found


def _follow(name: str, aliases: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """The names that the chain of CNAMEs reaches from the question, each with the CNAMEs up to it."""
    ways: dict[str, tuple[str, ...]] = {name: ()}
    current = name
    for _ in range(_LONGEST_CHAIN):
        following = aliases.get(current)
        if following is None or following in ways:
            break
        ways[following] = (*ways[current], following)
        current = following
    return ways
