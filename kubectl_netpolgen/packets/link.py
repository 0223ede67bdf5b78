"""Link types: where in a frame the network layer begins, and what the link says about the frame.

Layouts: https://www.tcpdump.org/linktypes.html; VLAN tags: IEEE 802.1Q and 802.1ad; provider backbone
bridging: IEEE 802.1ah; MPLS: RFC 3032; PPPoE: RFC 2516; service chains: RFC 8300.
"""

from __future__ import annotations

from typing import NamedTuple

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_MPLS = frozenset((0x8847, 0x8848))
_PPPOE_SESSION = 0x8864
_BACKBONE = 0x88E7
_FABRIC_PATH = 0x8903
_SERVICE_CHAIN = 0x894F
_CHAINED = {1: ETHERTYPE_IPV4, 2: ETHERTYPE_IPV6}
_PPP = {0x0021: ETHERTYPE_IPV4, 0x0057: ETHERTYPE_IPV6}
VLAN_LENGTH = 4
_VLAN_MASK = 0x0FFF
_MOST_TAGS = 16
"""Tags, labels and headers of every kind before the network layer; nobody stacks more."""

_BY_VERSION = {4: ETHERTYPE_IPV4, 6: ETHERTYPE_IPV6}


class Link(NamedTuple):
    """One kind of link-layer header, by the offsets in it."""

    number: int
    length: int
    """Bytes before the network layer, tags not counted."""
    ethertype: int | None
    """Where the EtherType is; None where only the version in the IP header tells."""
    place: slice | None = None
    """The bytes that tell one interface from another, on links that may show a frame once per interface."""
    destination: slice | None = None
    """The bytes that are `broadcast` when the link carried the frame to everyone."""
    broadcast: bytes = b"\xff"


ETHERNET = Link(1, 14, 12, None, slice(0, 6), b"\xff" * 6)
# Packet type 1 is "broadcast by somebody else"; type 4, sent by us, does not say to whom.
LINUX_SLL = Link(113, 16, 14, slice(0, 2), slice(0, 2), b"\x00\x01")
LINUX_SLL2 = Link(276, 20, 0, slice(4, 8), slice(10, 11), b"\x01")
CISCO_HDLC = Link(104, 4, 2)
# BSD loopback: an address family in the byte order of some host, so the packet itself is asked.
NULL, LOOP = Link(0, 4, None), Link(108, 4, None)
RAW = tuple(Link(number, 0, None) for number in (12, 14, 101, 228, 229))
LINKS = {link.number: link for link in (ETHERNET, LINUX_SLL, LINUX_SLL2, CISCO_HDLC, NULL, LOOP, *RAW)}


class Network(NamedTuple):
    """Where the network layer begins, and what stood before it."""

    ethertype: int
    """0 when the frame is cut before that, or holds none that we know."""
    at: int
    vlan: int | None


def find_network(buffer: bytes, start: int, end: int, *, link: Link) -> Network:
    """Walk over all tags, labels and headers between the link and the network layer."""
    at = start + link.length
    if at > end:
        return Network(0, at, None)
    if link.ethertype is None:
        return Network(_by_version(buffer, at, end), at, None)
    kind = int.from_bytes(buffer[start + link.ethertype : start + link.ethertype + 2], "big")
    if kind in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
        return Network(kind, at, None)
    return walk_tags(buffer, at, end, kind)


def walk_tags(buffer: bytes, at: int, end: int, kind: int) -> Network:
    """The network layer from an EtherType and the place behind it on; the innermost VLAN counts."""
    vlan = None
    for _ in range(_MOST_TAGS):
        if kind in VLAN_TAGS:
            if at + VLAN_LENGTH > end:
                break
            vlan = (buffer[at] << 8 | buffer[at + 1]) & _VLAN_MASK
            kind = buffer[at + 2] << 8 | buffer[at + 3]
            at += VLAN_LENGTH
        elif kind in _MPLS:
            while at + 4 <= end and not buffer[at + 2] & 1:
                at += 4
            at += 4
            return Network(_by_version(buffer, at, end), at, vlan)
        elif kind == _PPPOE_SESSION:
            if at + 8 > end:
                break
            return Network(_PPP.get(buffer[at + 6] << 8 | buffer[at + 7], 0), at + 8, vlan)
        elif kind in (_BACKBONE, _FABRIC_PATH):
            # a whole Ethernet frame behind 4 bytes of service, or 2 of tree and time to live
            at += (4 if kind == _BACKBONE else 2) + ETHERNET.length
            if at > end:
                break
            kind = buffer[at - 2] << 8 | buffer[at - 1]
        elif kind == _SERVICE_CHAIN:
            if at + 8 > end:
                break
            inner = buffer[at + 3]
            at += (buffer[at + 1] & 0x3F) * 4
            if inner == 3 and at + ETHERNET.length <= end:
                at += ETHERNET.length
                kind = buffer[at - 2] << 8 | buffer[at - 1]
            else:
                return Network(_CHAINED.get(inner, 0), at, vlan)
        else:
            return Network(kind, at, vlan)
    return Network(0, at, vlan)


def _by_version(buffer: bytes, at: int, end: int) -> int:
    return _BY_VERSION.get(buffer[at] >> 4, 0) if at < end else 0


def is_broadcast(buffer: bytes, start: int, addresses: bytes, *, link: Link) -> bool:
    """True when the link carried the frame to everyone and its addresses (source, destination) agree.

    Without the netmask nothing else tells 10.0.0.255 the broadcast address from 10.0.0.255 the pod. A
    subnet's broadcast address ends in at least two set bits, and IPv6 has none.
    """
    field = link.destination
    if field is None or len(addresses) != 8 or addresses[7] & 3 != 3:
        return False
    return buffer[start + field.start : start + field.stop] == link.broadcast
