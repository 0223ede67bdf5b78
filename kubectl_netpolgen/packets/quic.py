"""Which datagrams may hold a QUIC client's ClientHello: RFC 9000, 17.2; RFC 9369; RFC 8999.

Their content is encrypted with keys that everyone can derive, which a dissector does: these go to one.
"""

from __future__ import annotations

_LONG_HEADER = 0xC0
"""The long form and the fixed bit; both are in the clear in every version."""

_TYPE = 0x30
_INITIAL = 0x00
_INITIAL_VERSION_2 = 0x10
_VERSION_2 = 0x6B3343CF
_VERSIONS = {
    0x00000001: _INITIAL,
    _VERSION_2: _INITIAL_VERSION_2,
    **{0xFF000000 | draft: _INITIAL for draft in range(22, 35)},
    # Facebook's mvfst
    **{0xFACEB000 | number: _INITIAL for number in range(0x10)},
}
_SHORTEST_DATAGRAM = 1200
"""Clients pad to this at least (RFC 9000, 14.1); what the snap length cut below cannot be decrypted."""

_SHORTEST_ID, _LONGEST_ID = 8, 20
"""A client invents the server's connection id, of 8 bytes at least (RFC 9000, 7.2)."""

_SHORTEST_PROTECTED = 4 + 16
"""A packet number and the authentication tag."""


def is_initial(payload: bytes) -> bool:
    """Whether a UDP payload begins with a client's Initial packet, of a version whose keys are known."""
    size = len(payload)
    if size < _SHORTEST_DATAGRAM or payload[0] & _LONG_HEADER != _LONG_HEADER:
        return False
    if _VERSIONS.get(int.from_bytes(payload[1:5], "big")) != payload[0] & _TYPE:
        return False
    if not _SHORTEST_ID <= payload[5] <= _LONGEST_ID:
        return False
    at = 6 + payload[5]
    if payload[at] > _LONGEST_ID:
        return False
    token, at = _read_number(payload, at + 1 + payload[at])
    length, at = _read_number(payload, at + token)
    return length >= _SHORTEST_PROTECTED and at + length <= size


def _read_number(payload: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000, 16) and the offset behind it; 0 beyond the end."""
    if at >= len(payload):
        return 0, at
    size = 1 << (payload[at] >> 6)
    number = int.from_bytes(payload[at : at + size], "big")
    return number & (1 << 8 * size - 2) - 1, at + size
