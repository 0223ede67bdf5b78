"""Ranges for servers outside that answer under one name with several addresses.

A name's next address is likely to be near the ones seen, and a rule for single addresses breaks the day it
comes. Asked for, never done by itself; and only as far as the addresses of one name reach, within a bound.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.network import Address

SHORTEST_PREFIX = {4: 20, 6: 48}
"""By family: no range is wider, so 4,096 addresses of IPv4 at most."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def widen(edges: Iterable[Edge]) -> Mapping[Address, str]:
    """The range to write in place of an outside address, for those that get one."""
    by_name: dict[tuple[str, int], set[Address]] = {}
    for edge in edges:
        if edge.server.kind is EndpointKind.EXTERNAL:
            address = Address(edge.server.address)
            for name in edge.server.names:
                by_name.setdefault((name, ipaddress.ip_address(address).version), set()).add(address)
    found: dict[Address, _Network] = {}
    for (_, family), addresses in sorted(by_name.items()):
        network = _covering(addresses)
        if len(addresses) < 2 or network.prefixlen < SHORTEST_PREFIX[family]:
            continue
        for address in addresses:
            known = found.get(address)
            if known is None or network.prefixlen < known.prefixlen:
                found[address] = network
    return {address: str(network) for address, network in found.items()}


def _covering(addresses: Iterable[Address]) -> _Network:
    """The smallest network that has all of the addresses, which are of one family."""
    networks = [ipaddress.ip_network(address) for address in sorted(addresses)]
    found = networks[0]
    while not all(network.network_address in found for network in networks):
        found = found.supernet()
    return found


def told(edges: Iterable[Edge], ranges: Mapping[Address, str]) -> Iterator[Finding]:
    """A finding for each range, with what it rests on."""
    by_range: dict[str, tuple[set[str], set[str]]] = {}
    for edge in edges:
        cidr = ranges.get(Address(edge.server.address)) if edge.server.kind is EndpointKind.EXTERNAL else None
        if cidr is not None:
            addresses, names = by_range.setdefault(cidr, (set(), set()))
            addresses.add(edge.server.address)
            names.update(edge.server.names)
    for cidr, (addresses, names) in sorted(by_range.items()):
        size = ipaddress.ip_network(cidr).num_addresses
        yield Finding(
            "external-widened",
            Severity.WARNING,
            cidr,
            f"stands for {len(addresses)} addresses seen under {', '.join(sorted(names))}, and lets "
            f"{size} through",
            "leave --widen-external out for the addresses alone",
        )
