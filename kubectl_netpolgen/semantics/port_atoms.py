"""Ports cut into pieces that no rule tells apart, so that a set of ports is one integer.

TCP, UDP and SCTP are the protocols that NetworkPolicy speaks of; "everything" means these three.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyPort, PolicyType

FIRST, LAST = 1, 65535
PortMask = int
"""A bit for each piece of a protocol's ports."""


class PortRange(NamedTuple):
    """Ports of one protocol, both ends included."""

    protocol: Protocol
    first: int
    last: int


class PortAtoms:
    """Numbers the pieces between all bounds that policies and named ports draw."""

    def __init__(self, ranges: Iterable[PortRange]) -> None:
        bounds: dict[Protocol, set[int]] = {protocol: {FIRST} for protocol in Protocol}
        for item in ranges:
            bounds[item.protocol] |= {item.first, item.last + 1}
        self._starts = {
            protocol: sorted(bound for bound in found if bound <= LAST) for protocol, found in bounds.items()
        }
        self._offsets: dict[Protocol, int] = {}
        self.count = 0
        for protocol, starts in self._starts.items():
            self._offsets[protocol] = self.count
            self.count += len(starts)
        self.all: PortMask = (1 << self.count) - 1

    def atom(self, protocol: Protocol, port: int) -> int:
        """The number of the piece that a port lies in."""
        return self._offsets[protocol] + bisect_right(self._starts[protocol], port) - 1

    def mask(self, item: PortRange) -> PortMask:
        """The pieces of a range whose bounds were given at the start."""
        low, high = self.atom(item.protocol, item.first), self.atom(item.protocol, item.last)
        return (1 << high + 1) - (1 << low)

    def of_protocol(self, protocol: Protocol) -> PortMask:
        """All ports of one protocol."""
        return self.mask(PortRange(protocol, FIRST, LAST))

    def ranges(self, mask: PortMask) -> Mapping[Protocol, tuple[tuple[int, int], ...]]:
        """The ports of a mask by protocol, neighbours merged; protocols without any are left out."""
        found: dict[Protocol, tuple[tuple[int, int], ...]] = {}
        for protocol, starts in self._starts.items():
            bits = mask >> self._offsets[protocol] & (1 << len(starts)) - 1
            if bits:
                found[protocol] = tuple(_runs(bits, starts))
        return found


def _runs(bits: int, starts: list[int]) -> Iterable[tuple[int, int]]:
    begun: int | None = None
    for number, start in enumerate(starts):
        if bits >> number & 1:
            begun = start if begun is None else begun
        elif begun is not None:
            yield begun, start - 1
            begun = None
    if begun is not None:
        yield begun, LAST


def port_range(item: PolicyPort) -> PortRange | None:
    """The ports that an entry of `ports` names by number; None for a name, which each pod gives a number."""
    if isinstance(item.port, str):
        return None
    if item.port is None:
        return PortRange(item.protocol, FIRST, LAST)
    return PortRange(item.protocol, item.port, item.end_port or item.port)


def port_entries(policies: Iterable[NetworkPolicy]) -> Iterable[PolicyPort]:
    """Every entry of `ports` of every rule."""
    for policy in policies:
        for direction in PolicyType:
            for rule in policy.rules(direction):
                yield from rule.ports
