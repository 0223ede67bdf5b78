"""Policies compiled: for each class of pods and each direction, which peers may use which ports.

Peers are masks of classes and of pieces of the address space, ports are masks of pieces, so that a verdict is
a few operations on integers, and all pairs a few for each class. Policies of the same subjects are merged:
only their union counts. Each keeps its own rules for whoever asks which of them it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.policy import NetworkPolicy, Peer, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.address_atoms import AddressAtoms, AddressMask, ip_blocks
from kubectl_netpolgen.semantics.distinctions import Distinctions, distinctions_of
from kubectl_netpolgen.semantics.entries import Entry, PortNames, by_name, merged, named
from kubectl_netpolgen.semantics.members import Classes, ClassMask, Member, Selecting
from kubectl_netpolgen.semantics.port_atoms import (
    PortAtoms,
    PortMask,
    PortRange,
    port_range,
)
from kubectl_netpolgen.semantics.tier_rules import TierRules


class BlocksAndPods(str, Enum):
    """Whether an ipBlock means the addresses of pods, too: network plugins differ."""

    MATCH = "match"
    IGNORE = "ignore"


def blocks_hold(policies: Iterable[NetworkPolicy], members: Iterable[Member]) -> bool:
    """True when an ipBlock holds the address of a member, so that it matters whether it means pods."""
    blocks = tuple(ip_blocks(policies))
    atoms = AddressAtoms(blocks)
    held = 0
    for block in blocks:
        held |= atoms.mask(block)
    return any(
        held >> atoms.atom(member.address) & 1 for member in members if held and member.address is not None
    )


@dataclass(frozen=True, eq=False)
class CompiledRule:
    """One rule of one policy: a connection needs both its peer and its port."""

    policy: NetworkPolicy
    number: int
    """Counts from 1 within the direction."""
    pods: ClassMask
    outside: AddressMask
    anyone: bool
    """It names no peers."""
    ports: PortMask
    """Those that have numbers."""
    names: PortNames
    """Those that the server gives numbers."""


@dataclass(frozen=True, eq=False)
class Standing:
    """What isolates a class in one direction; one object for all classes that the same policies select."""

    policies: tuple[NetworkPolicy, ...]
    rules: tuple[CompiledRule, ...]
    named: bool
    """Some rule has a port by name."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Policies that isolate the same classes in one direction."""

    subjects: ClassMask
    policies: tuple[NetworkPolicy, ...]
    rules: tuple[CompiledRule, ...]


class _Groups:
    """The groups of one direction and namespace, by class.

    Most groups have few subjects, and are found by their numbers; the others are looked through.
    """

    def __init__(self) -> None:
        self._large: list[tuple[int, _Group]] = []
        self._small: dict[int, list[tuple[int, _Group]]] = {}
        self._count = 0

    def add(self, group: _Group) -> None:
        """Know one more."""
        self._count += 1
        if group.subjects.bit_count() > _FEW:
            self._large.append((self._count, group))
            return
        subjects = group.subjects
        while subjects:
            low = subjects & -subjects
            self._small.setdefault(low.bit_length() - 1, []).append((self._count, group))
            subjects ^= low

    def of(self, number: int) -> tuple[_Group, ...]:
        """Those that a class is in, in the order of their first policies."""
        found = [item for item in self._large if item[1].subjects >> number & 1]
        found += self._small.get(number, ())
        return tuple(group for _, group in sorted(found, key=lambda item: item[0]))


_FEW = 64


class Compiled:
    """A set of policies over a set of pods."""

    def __init__(
        self,
        policies: Iterable[NetworkPolicy],
        members: Sequence[Member],
        namespaces: Mapping[str, Mapping[str, str]],
        *,
        blocks: BlocksAndPods = BlocksAndPods.MATCH,
        ports: Iterable[PortRange] = (),
        tiers: Sequence[TierPolicy] = (),
        beside: Distinctions | None = None,
    ) -> None:
        """`ports` are more of those that one will ask about; others are judged with their neighbours.

        What `beside` tells apart is apart here too, so that both number classes and pieces alike.
        """
        self.policies = tuple(policies)
        found = distinctions_of(self.policies, tiers)
        if beside is not None:
            found |= beside
        self.addresses = AddressAtoms(found.blocks)
        self.classes = Classes(
            members,
            namespaces,
            Selecting(found.selectors, found.port_names),
            self.addresses,
            pods_have_addresses=blocks is BlocksAndPods.MATCH or found.networks,
        )
        declared = (
            PortRange(port.protocol, port.port, port.port)
            for member in self.classes.members
            for port in member.ports
            if port.name in found.port_names
        )
        self.ports = PortAtoms((*found.ports, *declared, *ports))
        self.tiers = TierRules(tiers, self.classes, self.addresses, self.ports)
        self._in_blocks = self.classes.all if blocks is BlocksAndPods.MATCH else self.classes.on_node
        self._groups = {direction: self._group(direction) for direction in PolicyType}
        self._known: dict[tuple[PolicyType, int], Standing | None] = {}
        self._standings: dict[tuple[_Group, ...], Standing] = {}
        self._entries: dict[tuple[Standing | None, PolicyType, int], tuple[Entry, ...]] = {}

    def _group(self, direction: PolicyType) -> dict[str, _Groups]:
        """The groups of each namespace."""
        found: dict[tuple[str, ClassMask], list[NetworkPolicy]] = {}
        for policy in self.policies:
            if direction in policy.policy_types:
                subjects = self.classes.selected(policy.pod_selector) & self.classes.in_namespace(
                    policy.namespace
                )
                if subjects:
                    found.setdefault((policy.namespace, subjects), []).append(policy)
        groups: dict[str, _Groups] = {}
        for (namespace, subjects), policies in found.items():
            rules = tuple(
                self._rule(policy, number, rule)
                for policy in policies
                for number, rule in enumerate(policy.rules(direction), 1)
            )
            groups.setdefault(namespace, _Groups()).add(_Group(subjects, tuple(policies), rules))
        return groups

    def _rule(self, policy: NetworkPolicy, number: int, rule: Rule) -> CompiledRule:
        pods, outside = self._peers(rule.peers, policy.namespace)
        ports: PortMask = 0 if rule.ports else self.ports.all
        names = set()
        for item in rule.ports:
            known = port_range(item)
            if known is not None:
                ports |= self.ports.mask(known)
            else:
                names.add((item.protocol, str(item.port)))
        return CompiledRule(policy, number, pods, outside, not rule.peers, ports, frozenset(names))

    def ports_of(self, rule: CompiledRule, server: int | None) -> PortMask:
        """The ports of a rule towards a server of a class, or towards an address that is nobody's."""
        if server is None or not rule.names:
            return rule.ports
        return rule.ports | named(self.classes, self.ports, server, rule.names)

    def _peers(self, peers: Sequence[Peer], namespace: str) -> tuple[ClassMask, AddressMask]:
        if not peers:
            return self.classes.all, self.addresses.all
        pods = outside = 0
        for peer in peers:
            if peer.ip_block is not None:
                block = self.addresses.mask(peer.ip_block)
                outside |= block
                pods |= self.classes.at(block) & self._in_blocks
                continue
            found = self.classes.selected(peer.pod_selector or _EVERYTHING)
            if peer.namespace_selector is None:
                found &= self.classes.in_namespace(namespace)
            else:
                found &= self.classes.in_namespaces(peer.namespace_selector)
            pods |= found
        return pods, outside

    def standing(self, direction: PolicyType, number: int) -> Standing | None:
        """What isolates a class in a direction; None where it is open."""
        asked = (direction, number)
        if asked not in self._known:
            here = self._groups[direction].get(self.classes.members[number].namespace)
            groups = here.of(number) if here is not None else ()
            known = self._standings.get(groups)
            if known is None and groups:
                policies = tuple(policy for group in groups for policy in group.policies)
                rules = tuple(rule for group in groups for rule in group.rules)
                known = Standing(policies, rules, any(rule.names for rule in rules))
                self._standings[groups] = known
            self._known[asked] = known
        return self._known[asked]

    def entries(self, direction: PolicyType, number: int) -> tuple[Entry, ...]:
        """Which peers may use which ports of a class, or it of theirs: as few entries as can be."""
        standing = self.standing(direction, number)
        # names of ports are the server's, so that what they mean to who is served depends on who that is
        own = standing is not None and standing.named and direction is PolicyType.INGRESS
        # tiers have subjects of their own
        asked = (standing, direction, number if own or self.tiers else -1)
        known = self._entries.get(asked)
        if known is None:
            known = self._entries[asked] = self._merge(standing, direction, number)
        return known

    def _merge(self, standing: Standing | None, direction: PolicyType, number: int) -> tuple[Entry, ...]:
        isolated = None
        if standing is not None:
            isolated = merged(
                entry for rule in standing.rules for entry in self._entries_of(rule, direction, number)
            )
        if self.tiers:
            return self.tiers.allowed(direction, number, isolated)
        return (
            (Entry(self.ports.all, self.classes.all, self.addresses.all),) if isolated is None else isolated
        )

    def _entries_of(self, rule: CompiledRule, direction: PolicyType, number: int) -> Iterable[Entry]:
        """For egress a port's name is another number on other peers, so a rule may fall into several."""
        if rule.names and direction is PolicyType.EGRESS:
            return by_name(self.classes, self.ports, Entry(rule.ports, rule.pods, rule.outside), rule.names)
        return (Entry(self.ports_of(rule, number), rule.pods, rule.outside),)

    def between(self, source: int, destination: int) -> PortMask:
        """The ports on which a pod of one class may connect to another pod of a class: both ends agree."""
        out = _ports(self.entries(PolicyType.EGRESS, source), destination)
        return out & _ports(self.entries(PolicyType.INGRESS, destination), source) if out else 0

    def outside(self, direction: PolicyType, number: int, atom: int) -> PortMask:
        """The ports on which a class may connect to an address of a piece, or be connected to from there."""
        found = 0
        for entry in self.entries(direction, number):
            if entry.outside >> atom & 1:
                found |= entry.ports
        return found


_EVERYTHING = LabelSelector()


def _ports(entries: Iterable[Entry], number: int) -> PortMask:
    found = 0
    for entry in entries:
        if entry.pods >> number & 1:
            found |= entry.ports
    return found
