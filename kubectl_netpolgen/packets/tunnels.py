"""What is inside a tunnel.

VXLAN (RFC 7348), Geneve (RFC 8926), IP in IP (RFC 2003, 2473), GRE (RFC 2784, 2890).
"""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.model.flow import Tunnel
from kubectl_netpolgen.packets.link import ETHERNET, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Network, walk_tags
from kubectl_netpolgen.packets.network import UDP, Transport, find_transport

VXLAN_PORTS = (4789, 8472)
"""IANA's, and Linux's own default, which flannel uses."""
GENEVE_PORT = 6081
IPV4_IN_IP, IPV6_IN_IP, GRE = 4, 41, 47
_ETHERNET_IN_TUNNEL = 0x6558
_MOST_LAYERS = 8
_UDP_HEADER = 8


class Inner(NamedTuple):
    """The innermost packet of a tunnelled one."""

    tunnel: Tunnel
    vlan: int | None
    packet: Transport


def find_inner(buffer: bytes, outer: Transport) -> Inner | None:
    """Look into as many tunnels as there are; None when there is none, or nothing readable is inside."""
    found: Inner | None = None
    packet = outer
    for _ in range(_MOST_LAYERS):
        entered = _enter(buffer, packet)
        if entered is None:
            return found
        tunnel, network = entered
        inside = find_transport(buffer, network.at, packet.end, ethertype=network.ethertype)
        if inside is None:
            return found
        found = Inner(tunnel, network.vlan, inside)
        packet = inside
    return found


def _enter(buffer: bytes, packet: Transport) -> tuple[Tunnel, Network] | None:
    protocol, _, at, end, later, _ = packet
    if later:
        return None
    if protocol == IPV4_IN_IP:
        return Tunnel.IPIP, Network(ETHERTYPE_IPV4, at, None)
    if protocol == IPV6_IN_IP:
        return Tunnel.IPIP, Network(ETHERTYPE_IPV6, at, None)
    if protocol == GRE:
        return _enter_gre(buffer, at, end)
    if protocol == UDP and at + _UDP_HEADER + 8 <= end:
        # the destination alone is the tunnel's port; the source port spreads the load
        port = buffer[at + 2] << 8 | buffer[at + 3]
        at += _UDP_HEADER
        if port in VXLAN_PORTS and buffer[at] & 0x08:
            return _ethernet(Tunnel.VXLAN, buffer, at + 8, end)
        if port == GENEVE_PORT and not buffer[at] >> 6:
            kind = buffer[at + 2] << 8 | buffer[at + 3]
            at += 8 + (buffer[at] & 0x3F) * 4
            if kind == _ETHERNET_IN_TUNNEL:
                return _ethernet(Tunnel.GENEVE, buffer, at, end)
            return Tunnel.GENEVE, Network(kind, at, None)
    return None


def _enter_gre(buffer: bytes, at: int, end: int) -> tuple[Tunnel, Network] | None:
    """Version 0; each of checksum, key and sequence number adds four bytes."""
    if at + 4 > end or buffer[at + 1] & 0x07 or buffer[at] & 0x40:
        return None
    flags = buffer[at]
    kind = buffer[at + 2] << 8 | buffer[at + 3]
    at += 4 + 4 * (bool(flags & 0x80) + bool(flags & 0x20) + bool(flags & 0x10))
    if kind == _ETHERNET_IN_TUNNEL:
        return _ethernet(Tunnel.GRE, buffer, at, end)
    return Tunnel.GRE, walk_tags(buffer, at, end, kind)


def _ethernet(tunnel: Tunnel, buffer: bytes, at: int, end: int) -> tuple[Tunnel, Network] | None:
    at += ETHERNET.length
    if at > end:
        return None
    return tunnel, walk_tags(buffer, at, end, buffer[at - 2] << 8 | buffer[at - 1])
