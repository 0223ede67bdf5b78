"""Pods and templates of a family in classes that no policy tells apart, and which of them a selector selects.

Replicas fall together, so everything that follows works on as many classes as there are kinds of pods. A set
of classes is one integer, a bit for each; a selector is a few operations on such integers (lists by label).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.model.objects import ContainerPort
from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement
from kubectl_netpolgen.semantics.address_atoms import AddressAtoms
from kubectl_netpolgen.semantics.evaluation import METADATA_NAME

ClassMask = int
"""A bit for each class."""


@dataclass(frozen=True)
class Member:
    """A pod as policies see it at one of its addresses, or the template of pods that are not there yet.

    A connection has one family, so a pod of both is two members.
    """

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    address: Address | None = None


class Selecting:
    """What the selectors and port names of all policies ask about: nothing else makes classes differ."""

    def __init__(self, selectors: Iterable[LabelSelector], port_names: Iterable[str]) -> None:
        self.keys = frozenset(
            key
            for selector in selectors
            for key in (
                *(key for key, _ in selector.match_labels),
                *(item.key for item in selector.match_expressions),
            )
        )
        self.port_names = frozenset(port_names)


class Classes:
    """The classes of members, and sets of them."""

    def __init__(
        self,
        members: Sequence[Member],
        namespaces: Mapping[str, Mapping[str, str]],
        asked: Selecting,
        addresses: AddressAtoms,
        *,
        pods_have_addresses: bool = True,
    ) -> None:
        """`namespaces` has the labels of those that are defined; the others exist all the same.

        Without `pods_have_addresses` an ipBlock means, of pods, only those of the host's network.
        """
        self.of: list[int] = []
        """The class of each member."""
        self.members: list[Member] = []
        """One member of each class."""
        self.sizes: list[int] = []
        """How many members each class has."""
        at_atom: dict[int, list[int]] = {}
        known: dict[object, int] = {}
        for member in members:
            placed = pods_have_addresses or member.host_network
            atom = addresses.atom(member.address) if placed and member.address is not None else None
            key = (
                member.namespace,
                frozenset(item for item in member.labels.items() if item[0] in asked.keys),
                frozenset(port for port in member.ports if port.name and port.name in asked.port_names),
                member.host_network,
                # addresses of two families never meet, whatever policies say
                None if member.address is None else ":" in member.address,
                atom,
            )
            number = known.get(key)
            if number is None:
                number = known[key] = len(self.members)
                self.members.append(member)
                self.sizes.append(0)
                if atom is not None:
                    at_atom.setdefault(atom, []).append(number)
            self.sizes[number] += 1
            self.of.append(number)
        self.all: ClassMask = (1 << len(self.members)) - 1
        self.on_node: ClassMask = self.mask(n for n, item in enumerate(self.members) if item.host_network)
        """The classes of pods of their node's network."""
        self._by_atom = {atom: self.mask(numbers) for atom, numbers in at_atom.items()}
        self._by_value, self._by_key = self._index(asked.keys)
        self._labels = {
            name: {METADATA_NAME: name, **namespaces.get(name, {})}
            for name in {*namespaces, *(member.namespace for member in self.members)}
        }
        self._by_namespace = self._namespaces()
        self._selected: dict[LabelSelector, ClassMask] = {}
        self._in_namespaces: dict[LabelSelector, ClassMask] = {}

    def mask(self, numbers: Iterable[int]) -> ClassMask:
        """The set of these classes."""
        # bits of a bytearray: to shift into an integer one by one takes the square of the time
        bits = bytearray(len(self.members) // 8 + 1)
        for number in numbers:
            bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")

    def _index(self, keys: frozenset[str]) -> tuple[dict[tuple[str, str], ClassMask], dict[str, ClassMask]]:
        values: dict[tuple[str, str], list[int]] = {}
        present: dict[str, list[int]] = {}
        for number, member in enumerate(self.members):
            for item in member.labels.items():
                if item[0] in keys:
                    values.setdefault(item, []).append(number)
                    present.setdefault(item[0], []).append(number)
        return (
            {item: self.mask(numbers) for item, numbers in values.items()},
            {key: self.mask(numbers) for key, numbers in present.items()},
        )

    def _namespaces(self) -> dict[str, ClassMask]:
        found: dict[str, list[int]] = {}
        for number, member in enumerate(self.members):
            found.setdefault(member.namespace, []).append(number)
        return {name: self.mask(numbers) for name, numbers in found.items()}

    def in_namespace(self, name: str) -> ClassMask:
        """The classes of one namespace."""
        return self._by_namespace.get(name, 0)

    def in_namespaces(self, selector: LabelSelector) -> ClassMask:
        """The classes of all namespaces whose labels match."""
        known = self._in_namespaces.get(selector)
        if known is None:
            known = 0
            for name, labels in self._labels.items():
                if selector.matches(labels):
                    known |= self._by_namespace.get(name, 0)
            self._in_namespaces[selector] = known
        return known

    def selected(self, selector: LabelSelector) -> ClassMask:
        """The classes, of any namespace, whose labels match; never pods of the host's network."""
        known = self._selected.get(selector)
        if known is None:
            known = self.all & ~self.on_node
            for item in selector.match_labels:
                known &= self._by_value.get(item, 0)
            for requirement in selector.match_expressions:
                known &= self._required(requirement)
            self._selected[selector] = known
        return known

    def _required(self, item: Requirement) -> ClassMask:
        present = self._by_key.get(item.key, 0)
        if item.operator is Operator.EXISTS:
            return present
        if item.operator is Operator.DOES_NOT_EXIST:
            return self.all & ~present
        listed = 0
        for value in item.values:
            listed |= self._by_value.get((item.key, value), 0)
        # `NotIn` holds where the key is absent, too
        return listed if item.operator is Operator.IN else self.all & ~listed

    def at(self, atoms: int) -> ClassMask:
        """The classes whose address lies in some of these pieces."""
        found = 0
        for atom, classes in self._by_atom.items():
            if atoms >> atom & 1:
                found |= classes
        return found


def numbers_of(mask: int) -> Iterable[int]:
    """The numbers of the bits that are set, from the lowest."""
    data = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
    for place, byte in enumerate(data):
        while byte:
            low = byte & -byte
            yield place * 8 + low.bit_length() - 1
            byte ^= low
