"""Addresses as they lie in packets: their one spelling, and what kind of peer they name."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from kubectl_netpolgen.model.flow import Reach
from kubectl_netpolgen.model.network import Address, is_group_address, is_loopback

_IPV4_LENGTH = 4
_UNSPECIFIED = ("0.0.0.0", "::")


class Addresses:
    """Looks at each distinct address and pair once; a capture repeats few of them very often."""

    def __init__(self) -> None:
        self._spelled: dict[bytes, Address] = {}
        self._reach: dict[bytes, Reach] = {}

    def spell(self, raw: bytes) -> Address:
        """The canonical text of 4 or 16 bytes."""
        spelled = self._spelled.get(raw)
        if spelled is None:
            spelled = self._spelled[raw] = spell_address(raw)
        return spelled

    def reach(self, pair: bytes) -> Reach:
        """Whom a packet concerns, by source and destination side by side as they lie in it."""
        known = self._reach.get(pair)
        if known is None:
            known = self._reach[pair] = _classify(*map(self.spell, halve(pair)))
        return known


@lru_cache(maxsize=1 << 16)
def spell_address(raw: bytes) -> Address:
    """The canonical text of 4 or 16 bytes, as `canonical_address` gives it; remembered from file to file."""
    if len(raw) == _IPV4_LENGTH:
        return Address(".".join(map(str, raw)))
    address = ipaddress.IPv6Address(raw)
    return Address(str(address.ipv4_mapped or address))


def _classify(*ends: Address) -> Reach:
    if any(is_loopback(end) for end in ends):
        return Reach.LOOPBACK
    if any(end in _UNSPECIFIED or is_group_address(end) for end in ends):
        return Reach.GROUP
    return Reach.PEERS


def halve(pair: bytes) -> tuple[bytes, bytes]:
    """Source and destination of two addresses side by side."""
    middle = len(pair) // 2
    return pair[:middle], pair[middle:]
