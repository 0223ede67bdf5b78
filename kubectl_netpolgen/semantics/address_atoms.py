"""Addresses cut into pieces that no ipBlock tells apart, so that a set of addresses is one integer.

The families never mix: `0.0.0.0/0` holds no IPv6 address, and a piece lies in one of them.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, PolicyType

AddressMask = int
"""A bit for each piece."""
_SIZES = {4: 1 << 32, 6: 1 << 128}


class AddressRange(NamedTuple):
    """Addresses from the first to the last, both included, of one family."""

    first: Address
    last: Address

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class AddressAtoms:
    """Numbers the pieces between all bounds of CIDRs and their exceptions, IPv4 before IPv6."""

    def __init__(self, blocks: Iterable[IPBlock]) -> None:
        bounds: dict[int, set[int]] = {4: {0}, 6: {0}}
        for block in blocks:
            for text in (block.cidr, *block.except_):
                network = ipaddress.ip_network(text, strict=False)
                bounds[network.version] |= {int(network[0]), int(network[-1]) + 1}
        self._starts = {
            family: sorted(bound for bound in found if bound < _SIZES[family])
            for family, found in bounds.items()
        }
        self._offsets = {4: 0, 6: len(self._starts[4])}
        self.count = len(self._starts[4]) + len(self._starts[6])
        self.all: AddressMask = (1 << self.count) - 1
        self._blocks: dict[IPBlock, AddressMask] = {}

    def atom(self, address: Address) -> int:
        """The number of the piece that an address lies in."""
        parsed = ipaddress.ip_address(address)
        return self._atom(parsed.version, int(parsed))

    def _atom(self, family: int, number: int) -> int:
        return self._offsets[family] + bisect_right(self._starts[family], number) - 1

    @staticmethod
    def order(item: AddressRange) -> tuple[bool, int]:
        """IPv4 before IPv6, then by number."""
        return ":" in item.first, int(ipaddress.ip_address(item.first))

    def mask(self, block: IPBlock) -> AddressMask:
        """The pieces of a block, less its exceptions."""
        known = self._blocks.get(block)
        if known is None:
            known = self._network(block.cidr)
            for text in block.except_:
                known &= ~self._network(text)
            self._blocks[block] = known
        return known

    def _network(self, text: str) -> AddressMask:
        network = ipaddress.ip_network(text, strict=False)
        low, high = (self._atom(network.version, int(network[place])) for place in (0, -1))
        return (1 << high + 1) - (1 << low)

    def ranges(self, mask: AddressMask) -> Iterator[AddressRange]:
        """The addresses of a mask, neighbours merged within a family."""
        for family, starts in self._starts.items():
            begun: int | None = None
            for number, start in enumerate(starts):
                if mask >> self._offsets[family] + number & 1:
                    begun = start if begun is None else begun
                elif begun is not None:
                    yield _range(family, begun, start - 1)
                    begun = None
            if begun is not None:
                yield _range(family, begun, _SIZES[family] - 1)


def _range(family: int, first: int, last: int) -> AddressRange:
    make = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    return AddressRange(Address(str(make(first))), Address(str(make(last))))


def ip_blocks(policies: Iterable[NetworkPolicy]) -> Iterator[IPBlock]:
    """Every ipBlock of every rule."""
    for policy in policies:
        for direction in PolicyType:
            for rule in policy.rules(direction):
                for peer in rule.peers:
                    if peer.ip_block is not None:
                        yield peer.ip_block
