"""IPv4 and IPv6 headers: who, to whom, and where the transport header begins.

RFC 791, RFC 8200. Checksums are not looked at: a sender's captures hold them unfinished (offload). Lengths
bound the walk, never size anything.
"""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.packets.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6

TCP, UDP, SCTP = 6, 17, 132
ICMP, ICMPV6 = 1, 58
_IPV4_LENGTH, _IPV6_LENGTH = 20, 40
_FRAGMENT = 44
# Hop-by-hop, routing, destination options, mobility, HIP, shim6 (IANA: IPv6 extension header types).
_EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))
_MOST_EXTENSIONS = 16


class Transport(NamedTuple):
    """What an IP packet carries."""

    protocol: int
    """IANA number of the first header that is no IPv6 extension."""
    addresses: bytes
    """Source and destination as in the packet: 8 bytes of IPv4 or 32 of IPv6."""
    at: int
    """Where the transport header begins in the buffer."""
    end: int
    """Where the packet, or what was captured of it, ends; link padding is behind."""
    later_fragment: bool
    """True when the transport header, and so the ports, went with an earlier fragment."""
    fragment: bytes = b""
    """What the fragments of one packet share besides their addresses; empty when the packet is whole."""


def find_transport(buffer: bytes, at: int, end: int, *, ethertype: int) -> Transport | None:
    """Read the IP header at `at` of a frame that ends at `end`; None when there is no whole, sane one."""
    if ethertype == ETHERTYPE_IPV4:
        return _ipv4(buffer, at, end)
    if ethertype == ETHERTYPE_IPV6:
        return _ipv6(buffer, at, end)
    return None


def _ipv4(buffer: bytes, at: int, end: int) -> Transport | None:
    if at + _IPV4_LENGTH > end or buffer[at] >> 4 != 4:
        return None
    header = (buffer[at] & 0x0F) * 4
    total = int.from_bytes(buffer[at + 2 : at + 4], "big")
    offset = (buffer[at + 6] & 0x1F) << 8 | buffer[at + 7]
    # A zero total length is a packet longer than 64 KiB on its way to a segmenting device.
    if header < _IPV4_LENGTH or at + header > end or 0 < total < header:
        return None
    return Transport(
        buffer[at + 9],
        buffer[at + 12 : at + 20],
        at + header,
        min(end, at + total) if total else end,
        offset > 0,
        buffer[at + 4 : at + 6] + buffer[at + 9 : at + 10] if offset or buffer[at + 6] & 0x20 else b"",
    )


def _ipv6(buffer: bytes, at: int, end: int) -> Transport | None:
    if at + _IPV6_LENGTH > end or buffer[at] >> 4 != 6:
        return None
    addresses = buffer[at + 8 : at + 40]
    payload = int.from_bytes(buffer[at + 4 : at + 6], "big")
    protocol = buffer[at + 6]
    at += _IPV6_LENGTH
    # A zero payload length is a jumbogram (RFC 2675), or no payload at all.
    end = min(end, at + payload) if payload else end
    fragment = b""
    for _ in range(_MOST_EXTENSIONS):
        if protocol != _FRAGMENT and protocol not in _EXTENSIONS:
            return Transport(protocol, addresses, at, end, False, fragment)
        if at + 8 > end:
            return None
        following = buffer[at]
        if protocol == _FRAGMENT:
            later = bool(buffer[at + 2] or buffer[at + 3] & 0xF8)
            if later or buffer[at + 3] & 1:
                fragment = buffer[at + 4 : at + 8]
            at += 8
            if later:
                return Transport(following, addresses, at, end, True, fragment)
        else:
            at += (buffer[at + 1] + 1) * 8
        protocol = following
    return None
