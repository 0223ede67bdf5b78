"""Peers with the ports that they may use, as masks; and what ports by name are on each class of pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.semantics.address_atoms import AddressMask
from kubectl_netpolgen.semantics.members import Classes, ClassMask, numbers_of
from kubectl_netpolgen.semantics.port_atoms import PortAtoms, PortMask, PortRange

PortNames = frozenset[tuple[Protocol, str]]


class Entry(NamedTuple):
    """Peers that may use the same ports."""

    ports: PortMask
    pods: ClassMask
    outside: AddressMask
    """Addresses that are no pod's."""

    def __bool__(self) -> bool:
        """True when it is about anybody at all."""
        return bool(self.ports and (self.pods or self.outside))


def named(classes: Classes, atoms: PortAtoms, number: int, names: PortNames) -> PortMask:
    """What names mean on a class: the numbers of its ports with such a name and protocol, if it has any."""
    found = 0
    for port in classes.members[number].ports:
        if (port.protocol, port.name) in names:
            found |= atoms.mask(PortRange(port.protocol, port.port, port.port))
    return found


def by_name(classes: Classes, atoms: PortAtoms, entry: Entry, names: PortNames) -> Iterator[Entry]:
    """Peers by the ports that the names mean on them; nothing outside has names for its ports."""
    by_ports: dict[PortMask, list[int]] = {}
    for number in numbers_of(entry.pods):
        by_ports.setdefault(entry.ports | named(classes, atoms, number, names), []).append(number)
    for ports, found in by_ports.items():
        if ports:
            yield Entry(ports, classes.mask(found), 0)
    if entry.ports and entry.outside:
        yield Entry(entry.ports, 0, entry.outside)


def merged(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The same in as few entries as there are sets of ports."""
    found: dict[PortMask, tuple[ClassMask, AddressMask]] = {}
    for ports, pods, outside in entries:
        if ports:
            known = found.get(ports, (0, 0))
            found[ports] = (known[0] | pods, known[1] | outside)
    return tuple(Entry(ports, *peers) for ports, peers in found.items() if any(peers))


def common(one: Entry, other: Entry) -> Entry:
    """What two entries share."""
    return Entry(one.ports & other.ports, one.pods & other.pods, one.outside & other.outside)


def without(entry: Entry, other: Entry) -> Iterator[Entry]:
    """What is left of an entry without another: its other ports, and its other peers on the shared ports."""
    shared = common(entry, other)
    if not shared:
        yield entry
        return
    rest = entry._replace(ports=entry.ports & ~other.ports)
    peers = Entry(shared.ports, entry.pods & ~other.pods, entry.outside & ~other.outside)
    yield from (item for item in (rest, peers) if item)
