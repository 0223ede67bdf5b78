"""Traffic that NetworkPolicy has no words for: ICMP, groups, tunnels, port 0."""

from __future__ import annotations

from kubectl_netpolgen.packets.addresses import Addresses, halve
from kubectl_netpolgen.packets.network import ICMP, ICMPV6, SCTP, TCP, UDP, Transport

MOST_LINES = 1000
"""A scan of a /16 by ping must not fill the memory or the report."""

_NAMES = {
    ICMP: "ICMP",
    2: "IGMP",
    4: "IPIP",
    TCP: "TCP",
    UDP: "UDP",
    41: "IPv6-in-IP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    ICMPV6: "ICMPv6",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    SCTP: "SCTP",
}

# Destination unreachable, source quench, redirect, time exceeded, parameter problem: about other packets.
_ICMP_ERRORS = frozenset((3, 4, 5, 11, 12))
# Errors are below 128. The kernel itself sends 130-137 (RFC 4861, multicast listeners of RFC 2710) and 143
# (RFC 3810) on every IPv6 interface, and no network plugin may block them.
_ICMPV6_ECHO = 128
_ICMPV6_HOUSEKEEPING = frozenset((*range(130, 138), 143))


class Inexpressible:
    """A bounded set of `PROTOCOL SOURCE > DESTINATION`."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._seen: set[tuple[int, bytes]] = set()
        self.overflowed = False

    def add(self, protocol: int, pair: bytes) -> None:
        """Note one packet's protocol number and its two addresses, side by side."""
        if (protocol, pair) in self._seen:
            return
        if len(self._seen) >= MOST_LINES:
            self.overflowed = True
            return
        self._seen.add((protocol, pair))

    def lines(self) -> tuple[str, ...]:
        """Everything noted, sorted."""
        spell = self._addresses.spell
        found = set()
        for protocol, pair in self._seen:
            source, destination = halve(pair)
            name = _NAMES.get(protocol, f"IP-{protocol}")
            found.add(f"{name} {spell(source)} > {spell(destination)}")
        return tuple(sorted(found))


def is_housekeeping(buffer: bytes, packet: Transport) -> bool:
    """True for ICMP that reports on other packets or that every interface needs to work at all."""
    if packet.protocol not in (ICMP, ICMPV6) or packet.later_fragment or packet.at >= packet.end:
        return False
    kind = buffer[packet.at]
    if packet.protocol == ICMP:
        return kind in _ICMP_ERRORS
    return kind < _ICMPV6_ECHO or kind in _ICMPV6_HOUSEKEEPING
