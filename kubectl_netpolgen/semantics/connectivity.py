"""Everything that a set of policies allows: which pairs, and on which ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import NamedTuple

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.address_atoms import AddressRange
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.members import numbers_of
from kubectl_netpolgen.semantics.port_atoms import PortMask
from kubectl_netpolgen.semantics.rows import Piece, Rows, both, partition
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
        self.compiled = compiled
        self._cast = cast
        self._classes = {
            subject.key: tuple(sorted({compiled.classes.of[number] for number in subject.members}))
            for subject in cast.subjects
        }
        self._families = [
            None if member.address is None else ":" in member.address for member in compiled.classes.members
        ]
        self._between = cache(compiled.between)
        self.ranges = cache(compiled.ports.ranges)
        self._outside = cache(self._pieces_outside)

    def __iter__(self) -> Iterator[Connection]:
        """All that is allowed, by source and destination; addresses come after workloads."""
        subjects = self._cast.subjects
        for source in subjects:
            for destination, ports in self.row(source):
                yield Connection(source.key, destination.key, self.ranges(ports))
            for addresses, ports in self.outside(source, PolicyType.EGRESS):
                yield Connection(source.key, addresses, self.ranges(ports))
        for destination in subjects:
            for addresses, ports in self.outside(destination, PolicyType.INGRESS):
                yield Connection(addresses, destination.key, self.ranges(ports))

    @cached_property
    def rows(self) -> Rows:
        """The same of classes."""
        return Rows(self.compiled)

    def having(self, number: int) -> Iterator[Subject]:
        """The subjects that have members of a class."""
        return (self._cast.subjects[place] for place in self._places.get(number, ()))

    @cached_property
    def _places(self) -> Mapping[int, Sequence[int]]:
        """The subjects of each class, by their places."""
        found: dict[int, list[int]] = {}
        for place, subject in enumerate(self._cast.subjects):
            for number in self._classes[subject.key]:
                found.setdefault(number, []).append(place)
        return found

    def classes_of(self, subject: Subject) -> tuple[int, ...]:
        """The classes of a subject's members."""
        return self._classes[subject.key]

    def row(self, source: Subject) -> list[tuple[Subject, PortMask]]:
        """Those that a subject may connect to, in their order, with the ports."""
        subjects, classes, having = self._cast.subjects, self._classes[source.key], self._places
        found: dict[int, PortMask] = {}
        doubtful: set[int] = set()
        for client in classes:
            for ports, servers in self.rows.of(client):
                for server in numbers_of(servers):
                    places = having.get(server, ())
                    if len(classes) > 1 or not self._meet(client, server):
                        doubtful.update(places)
                    else:
                        found.update(dict.fromkeys(places, ports))
        # one class of a subject says nothing of its others
        doubtful |= {place for place in found if len(self._classes[subjects[place].key]) > 1}
        for place in doubtful:
            found[place] = self.between(source, subjects[place])
        return [
            (subjects[place], found[place])
            for place in sorted(found)
            if found[place] and subjects[place] is not source
        ]

    def selves(self) -> Iterator[Connection]:
        """Each subject with itself: nothing keeps a pod from itself."""
        everything = self.ranges(self.compiled.ports.all)
        for subject in self._cast.subjects:
            yield Connection(subject.key, subject.key, everything)

    def between(self, source: Subject, destination: Subject) -> PortMask:
        """The ports on which all pods of one may connect to all of the other that have a family in common."""
        found, met = self.compiled.ports.all, False
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
        one, other = self._families[client], self._families[server]
        return one is None or other is None or one == other

    def outside(self, subject: Subject, direction: PolicyType) -> Iterator[tuple[AddressRange, PortMask]]:
        """The addresses that are nobody's in the cluster and that all pods of a subject may use, by ports."""
        atoms = self.compiled.addresses
        ranges = (
            (addresses, ports)
            for ports, mask in self.pieces_outside(subject, direction)
            for addresses in atoms.ranges(mask)
        )
        yield from sorted(ranges, key=lambda item: atoms.order(item[0]))

    def pieces_outside(self, subject: Subject, direction: PolicyType) -> tuple[Piece, ...]:
        """The same as pieces of the address space, apart by the ports."""
        return self._outside(direction, self._classes[subject.key])

    def _pieces_outside(self, direction: PolicyType, classes: tuple[int, ...]) -> tuple[Piece, ...]:
        """Policies are about either family, whatever addresses a pod has today."""
        found: tuple[Piece, ...] | None = None
        for number in classes:
            entries = self.compiled.entries(direction, number)
            pieces = partition((entry.ports, entry.outside) for entry in entries)
            found = pieces if found is None else both(found, pieces)
        return found or ()


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
