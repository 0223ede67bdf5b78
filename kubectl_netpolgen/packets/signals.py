"""What one packet says about its connection, as bits that a row collects.

TCP flags (RFC 9293) and SCTP chunk types (RFC 9260) are told in the same words, because both open with a
question and an answer and end by agreement or abruptly. Plain integers, not an enum: one table look-up a
packet, and both engines collect them by or.
"""

from __future__ import annotations

OPENS = 1
"""SYN, or INIT: its sender is the client."""
ACCEPTS = 2
"""SYN-ACK, or INIT-ACK: its sender is the server."""
RESETS = 4
"""RST, or ABORT."""
CARRIES = 8
"""Anything that only an open connection sends: data, acknowledgements, FIN."""
ASKS = 16
"""A DNS query: its sender is the client."""
REPLIES = 32
"""A DNS response: its sender is the server."""
REFUSED = 64
"""ICMP said that nothing listens at the port this row sends to."""
PROHIBITED = 128
"""ICMP said that an administrator forbids what this row sends."""
BROADCAST = 256
"""The link carried it to everyone, and its destination may be a subnet's broadcast address."""

HANDSHAKE = OPENS | ACCEPTS

_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_INIT, _INIT_ACK, _ABORT = 1, 2, 6


def _tcp(flags: int) -> int:
    if flags & _RST:
        return RESETS
    if flags & _SYN:
        return ACCEPTS if flags & _ACK else OPENS
    return CARRIES if flags & (_ACK | _FIN) else 0


TCP_SIGNALS = tuple(_tcp(flags) for flags in range(256))
"""By the octet of TCP flags; RST wins over all, and a segment without SYN, ACK, FIN and RST says nothing."""

SCTP_SIGNALS = tuple(
    {_INIT: OPENS, _INIT_ACK: ACCEPTS, _ABORT: RESETS}.get(chunk, CARRIES) for chunk in range(256)
)
"""By the type of the packet's first chunk."""
