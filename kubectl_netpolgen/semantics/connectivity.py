"""Everything that a set of policies allows: which pairs, and on which ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.address_atoms import AddressRange
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.port_atoms import PortMask
from kubectl_netpolgen.semantics.subjects import Cast, Subject

End = ObjectKey | AddressRange
Allowed = Mapping[Protocol, tuple[tuple[int, int], ...]]


class Connection(NamedTuple):
    """Who may connect to whom, and on which ports."""

    source: End
    destination: End
    allowed: Allowed


class Connectivity:
    """Answers for pairs of subjects, and of subjects and the world outside.

    A workload may connect only where all of its pods may. A pair that shares its only pod is no pair.
    """

    def __init__(self, compiled: Compiled, cast: Cast) -> None:
        self._compiled = compiled
        self._cast = cast
        self._classes = {
            subject.key: tuple(sorted({compiled.classes.of[number] for number in subject.members}))
            for subject in cast.subjects
        }
        self._between = cache(compiled.between)
        self._ranges = cache(compiled.ports.ranges)

    def __iter__(self) -> Iterator[Connection]:
        """All that is allowed, by source and destination; addresses come after workloads."""
        for source in self._cast.subjects:
            for destination in self._cast.subjects:
                if source is not destination:
                    ports = self.between(source, destination)
                    if ports:
                        yield Connection(source.key, destination.key, self._ranges(ports))
            for addresses, ports in self.outside(source, PolicyType.EGRESS):
                yield Connection(source.key, addresses, self._ranges(ports))
        for destination in self._cast.subjects:
            for addresses, ports in self.outside(destination, PolicyType.INGRESS):
                yield Connection(addresses, destination.key, self._ranges(ports))

    def selves(self) -> Iterator[Connection]:
        """Each subject with itself: nothing keeps a pod from itself."""
        everything = self._ranges(self._compiled.ports.all)
        for subject in self._cast.subjects:
            yield Connection(subject.key, subject.key, everything)

    def between(self, source: Subject, destination: Subject) -> PortMask:
        """The ports on which all pods of one may connect to all of the other that have a family in common."""
        found, met = self._compiled.ports.all, False
        for client in self._classes[source.key]:
            for server in self._classes[destination.key]:
                if self._meet(client, server):
                    met = True
                    found &= self._between(client, server)
                    if not found:
                        return 0
        return found if met else 0

    def _meet(self, client: int, server: int) -> bool:
        """A connection is of one family, so addresses of two never meet."""
        addresses = [self._compiled.classes.members[number].address for number in (client, server)]
        families = {":" in address for address in addresses if address is not None}
        return len(families) < 2

    def outside(self, subject: Subject, direction: PolicyType) -> Iterator[tuple[AddressRange, PortMask]]:
        """The addresses that are nobody's in the cluster and that all pods of a subject may use, by ports."""
        atoms: dict[PortMask, int] = {}
        for atom in range(self._compiled.addresses.count):
            found = self._compiled.ports.all
            for number in self._classes[subject.key]:
                # policies are about either family, whatever addresses a pod has today
                found &= self._compiled.outside(direction, number, atom)
            if found:
                atoms[found] = atoms.get(found, 0) | 1 << atom
        ranges = (
            (addresses, ports)
            for ports, mask in atoms.items()
            for addresses in self._compiled.addresses.ranges(mask)
        )
        yield from sorted(ranges, key=lambda item: self._compiled.addresses.order(item[0]))


def all_ports(allowed: Allowed) -> bool:
    """True when every port of every protocol is allowed."""
    return len(allowed) == len(Protocol) and all(ranges == ((1, 65535),) for ranges in allowed.values())


def focused(connections: Iterable[Connection], names: frozenset[str]) -> Iterator[Connection]:
    """Those that begin or end at one of these: `name`, `namespace/name` or `namespace/Kind/name`."""
    for item in connections:
        if any(spelling in names for end in (item.source, item.destination) for spelling in spellings(end)):
            yield item


def spellings(end: End) -> Iterator[str]:
    """The names by which a person may ask for an end."""
    if isinstance(end, AddressRange):
        yield str(end)
    else:
        yield from (end.name, f"{end.namespace}/{end.name}", f"{end.namespace}/{end.kind}/{end.name}")
