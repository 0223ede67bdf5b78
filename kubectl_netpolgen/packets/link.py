"""Link types: where in a frame the network layer begins, and what the link says about the frame.

Layouts: https://www.tcpdump.org/linktypes.html (1, 113, 276); VLAN tags: IEEE 802.1Q and 802.1ad.
"""

from __future__ import annotations

from dataclasses import dataclass

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_IPV6 = 0x86DD
_VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100))
_VLAN_LENGTH = 4


@dataclass(frozen=True)
class Link:
    """One kind of link-layer header, by the offsets in it."""

    number: int
    length: int
    """Bytes before the network layer, VLAN tags not counted."""
    ethertype: int
    """Where the EtherType is."""
    place: slice | None
    """The bytes that tell one interface from another, on links that may show a frame once per interface."""
    destination: slice
    """The bytes that are `broadcast` when the link carried the frame to everyone."""
    broadcast: bytes


ETHERNET = Link(1, 14, 12, None, slice(0, 6), b"\xff" * 6)
# Packet type 1 is "broadcast by somebody else"; type 4, sent by us, does not say to whom.
LINUX_SLL = Link(113, 16, 14, slice(0, 2), slice(0, 2), b"\x00\x01")
LINUX_SLL2 = Link(276, 20, 0, slice(4, 8), slice(10, 11), b"\x01")
LINKS = {link.number: link for link in (ETHERNET, LINUX_SLL, LINUX_SLL2)}


def find_network(buffer: bytes, start: int, end: int, *, link: Link) -> tuple[int, int]:
    """The EtherType behind all VLAN tags and where its header begins; 0 when the frame is cut before that."""
    at = start + link.length
    if at > end:
        return 0, at
    ethertype = int.from_bytes(buffer[start + link.ethertype : start + link.ethertype + 2], "big")
    while ethertype in _VLAN_TAGS:
        if at + _VLAN_LENGTH > end:
            return 0, at
        ethertype = int.from_bytes(buffer[at + 2 : at + 4], "big")
        at += _VLAN_LENGTH
    return ethertype, at


def is_broadcast(buffer: bytes, start: int, addresses: bytes, *, link: Link) -> bool:
    """True when the link carried the frame to everyone and its addresses (source, destination) agree.

    Without the netmask nothing else tells 10.0.0.255 the broadcast address from 10.0.0.255 the pod. A
    subnet's broadcast address ends in at least two set bits, and IPv6 has none.
    """
    if len(addresses) != 8 or addresses[7] & 3 != 3:
        return False
    field = link.destination
    return buffer[start + field.start : start + field.stop] == link.broadcast
