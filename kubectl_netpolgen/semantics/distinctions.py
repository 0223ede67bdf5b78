"""All that policies tell apart: by which labels, names of ports, addresses and ports.

What they do not tell apart is one class, or one piece. Two sets of policies are compared over the classes
and pieces of both, so that the same integer means the same pods to either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, PolicyType
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.address_atoms import ip_blocks
from kubectl_netpolgen.semantics.port_atoms import PortRange, port_entries, port_range
from kubectl_netpolgen.semantics.tier_rules import tier_blocks, tier_ports, tier_selectors


@dataclass(frozen=True)
class Distinctions:
    """What makes pods, addresses and ports differ to a set of policies."""

    selectors: frozenset[LabelSelector] = frozenset()
    port_names: frozenset[str] = frozenset()
    blocks: frozenset[IPBlock] = frozenset()
    ports: frozenset[PortRange] = frozenset()
    networks: bool = False
    """Tiers name networks, which mean pods' addresses whatever an ipBlock means."""

    def __or__(self, other: Distinctions) -> Distinctions:
        return Distinctions(
            self.selectors | other.selectors,
            self.port_names | other.port_names,
            self.blocks | other.blocks,
            self.ports | other.ports,
            self.networks or other.networks,
        )


def distinctions_of(policies: Iterable[NetworkPolicy], tiers: Iterable[TierPolicy] = ()) -> Distinctions:
    """Those of NetworkPolicies and of administrators' tiers together."""
    known, administrators = tuple(policies), tuple(tiers)
    entries = tuple(port_entries(known))
    theirs = tuple(tier_ports(administrators))
    networks = frozenset(tier_blocks(administrators))
    return Distinctions(
        frozenset((*_selectors(known), *tier_selectors(administrators))),
        frozenset(item.port for item in entries if isinstance(item.port, str))
        | frozenset(item for item in theirs if isinstance(item, str)),
        frozenset(ip_blocks(known)) | networks,
        frozenset(item for item in map(port_range, entries) if item is not None)
        | frozenset(item for item in theirs if isinstance(item, PortRange)),
        bool(networks),
    )


def _selectors(policies: Iterable[NetworkPolicy]) -> Iterator[LabelSelector]:
    for policy in policies:
        yield policy.pod_selector
        for direction in PolicyType:
            for rule in policy.rules(direction):
                for peer in rule.peers:
                    if peer.pod_selector is not None:
                        yield peer.pod_selector
