"""Traffic that NetworkPolicy has no words for: ICMP, groups, tunnels, port 0."""

from __future__ import annotations

from kubectl_netpolgen.model.flow import Reach
from kubectl_netpolgen.packets.addresses import Addresses, halve
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.network import ICMP, ICMPV6, SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import BROADCAST
from kubectl_netpolgen.packets.table import Rows

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

_PORTED = (TCP, UDP, SCTP)
_NO_PORT = bytes(2)

# Destination unreachable, source quench, redirect, time exceeded, parameter problem: about other packets.
_ICMP_ERRORS = frozenset((3, 4, 5, 11, 12))
# Errors are below 128. The kernel itself sends 130-137 (RFC 4861, multicast listeners of RFC 2710) and 143
# (RFC 3810) on every IPv6 interface, and no network plugin may block them.
_ICMPV6_ECHO = 128
_ICMPV6_HOUSEKEEPING = frozenset((*range(130, 138), 143))


class Inexpressible:
    """A bounded set of `PROTOCOL SOURCE > DESTINATION`, made from the rows of a table."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._seen: set[tuple[int, bytes]] = set()
        self.overflowed = False

    def add_rows(self, rows: Rows) -> None:
        """Note what policies cannot say among the halves of a part of the table."""
        for context, halves in rows.items():
            if context.tunnel is not None:
                continue
            for key, half in halves.items():
                if half.packets and self._concerns(context.protocol, key, half):
                    self.add(context.protocol, key[:-4])

    def add(self, protocol: int, pair: bytes) -> None:
        """Note a protocol number and two addresses, side by side."""
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

    def _concerns(self, protocol: int, key: bytes, half: Half) -> bool:
        reach = self._addresses.reach(key[:-4])
        if reach is Reach.LOOPBACK:
            return False
        if protocol not in _PORTED:
            return not is_housekeeping(protocol, key[-1])
        no_port = key[-4:-2] == _NO_PORT or key[-2:] == _NO_PORT
        return reach is Reach.GROUP or bool(half.signals & BROADCAST) or no_port


def is_housekeeping(protocol: int, kind: int) -> bool:
    """True for ICMP of a type that reports on other packets, or that every interface needs to work."""
    if protocol == ICMP:
        return kind in _ICMP_ERRORS
    return protocol == ICMPV6 and (kind < _ICMPV6_ECHO or kind in _ICMPV6_HOUSEKEEPING)
