"""Administrators' tiers over the compiled policies: ordered rules of which the first that matches decides.

The order is the Admin tier, then NetworkPolicies, which decide for good about the pods that they isolate,
then the Baseline tier, then everything is allowed (network-policy-api, ClusterNetworkPolicySpec.tier).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, PolicyType
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import Action, Tier, TierPeer, TierPolicy, TierRule
from kubectl_netpolgen.semantics.address_atoms import AddressAtoms
from kubectl_netpolgen.semantics.entries import Entry, by_name, common, merged, named, without
from kubectl_netpolgen.semantics.members import Classes, ClassMask
from kubectl_netpolgen.semantics.port_atoms import PortAtoms, PortRange


class RuleOfTier(NamedTuple):
    """One rule for one class."""

    policy: TierPolicy
    number: int
    """Counts from 1 within the direction."""
    action: Action
    entries: tuple[Entry, ...]


class TierRules:
    """The rules of both tiers, for each class that they are about."""

    def __init__(
        self, policies: Iterable[TierPolicy], classes: Classes, addresses: AddressAtoms, ports: PortAtoms
    ) -> None:
        self._classes, self._addresses, self._ports = classes, addresses, ports
        # equal priorities have no order of their own, so the name gives them one
        ordered = sorted(policies, key=lambda item: (item.priority, item.name))
        self._policies = {
            tier: [(item, self._subjects(item)) for item in ordered if item.tier is tier] for tier in Tier
        }

    def __bool__(self) -> bool:
        return any(self._policies.values())

    def _subjects(self, policy: TierPolicy) -> ClassMask:
        return self._classes.selected(policy.pods or _EVERYTHING) & self._classes.in_namespaces(
            policy.namespaces
        )

    def rules(self, tier: Tier, direction: PolicyType, number: int) -> Iterator[RuleOfTier]:
        """The rules of a tier about a class, in the order in which they are asked."""
        for policy, subjects in self._policies[tier]:
            if subjects >> number & 1:
                for place, rule in enumerate(policy.rules(direction), 1):
                    yield RuleOfTier(
                        policy, place, rule.action, tuple(self._entries(rule, direction, number))
                    )

    def _entries(self, rule: TierRule, direction: PolicyType, number: int) -> Iterator[Entry]:
        pods = outside = 0
        for peer in rule.peers:
            found = self._peer(peer)
            pods, outside = pods | found.pods, outside | found.outside
        fixed = 0 if rule.ports else self._ports.all
        names = set()
        for port in rule.ports:
            if port.protocol is None:
                names |= {(protocol, port.name) for protocol in Protocol}
            else:
                fixed |= self._ports.mask(PortRange(port.protocol, port.first, port.last))
        if direction is PolicyType.INGRESS:
            fixed |= named(self._classes, self._ports, number, frozenset(names))
            yield Entry(fixed, pods, outside)
        elif names:
            yield from by_name(self._classes, self._ports, Entry(fixed, pods, outside), frozenset(names))
        else:
            yield Entry(fixed, pods, outside)

    def _peer(self, peer: TierPeer) -> Entry:
        pods = outside = 0
        if peer.namespaces is not None:
            pods = self._classes.selected(peer.pods or _EVERYTHING) & self._classes.in_namespaces(
                peer.namespaces
            )
        for text in peer.networks:
            block = self._addresses.mask(IPBlock(text))
            outside |= block
            pods |= self._classes.at(block)
        return Entry(0, pods, outside)

    def allowed(
        self, direction: PolicyType, number: int, isolated: Sequence[Entry] | None
    ) -> tuple[Entry, ...]:
        """What a class may in the end; `isolated` is what NetworkPolicies allow, None if none selects it."""
        everything = [Entry(self._ports.all, self._classes.all, self._addresses.all)]
        accepted, undecided = self._judge(everything, self.rules(Tier.ADMIN, direction, number))
        if isolated is not None:
            rest = [common(one, other) for one in undecided for other in isolated]
        else:
            more, rest = self._judge(undecided, self.rules(Tier.BASELINE, direction, number))
            accepted += more
        return merged((*accepted, *rest))

    def _judge(self, asked: list[Entry], rules: Iterable[RuleOfTier]) -> tuple[list[Entry], list[Entry]]:
        """What a tier accepts of what is asked, and what it leaves to the next."""
        accepted: list[Entry] = []
        passed: list[Entry] = []
        for rule in rules:
            for entry in rule.entries:
                matched = [found for item in asked if (found := common(item, entry))]
                asked = [rest for item in asked for rest in without(item, entry)]
                if rule.action is Action.ACCEPT:
                    accepted += matched
                elif rule.action is Action.PASS:
                    passed += matched
        return accepted, [*passed, *asked]


_EVERYTHING = LabelSelector()


def tier_selectors(policies: Iterable[TierPolicy]) -> Iterator[LabelSelector]:
    """The selectors of pods of all these policies."""
    for policy in policies:
        found = [policy.pods]
        for direction in PolicyType:
            found += [peer.pods for rule in policy.rules(direction) for peer in rule.peers]
        yield from (item for item in found if item is not None)


def tier_blocks(policies: Iterable[TierPolicy]) -> Iterator[IPBlock]:
    """The networks of all these policies."""
    for policy in policies:
        for rule in policy.egress:
            yield from (IPBlock(text) for peer in rule.peers for text in peer.networks)


def tier_ports(policies: Iterable[TierPolicy]) -> Iterator[PortRange | str]:
    """The ports of all these policies, by number or by name."""
    for policy in policies:
        for direction in PolicyType:
            for rule in policy.rules(direction):
                for port in rule.ports:
                    yield (
                        port.name
                        if port.protocol is None
                        else PortRange(port.protocol, port.first, port.last)
                    )
