"""Sets of peers with sets of ports: shared, taken away and merged without losing or adding a pair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.semantics.address_atoms import AddressAtoms
from kubectl_netpolgen.semantics.entries import Entry, by_name, common, merged, named, without
from kubectl_netpolgen.semantics.members import Classes, Member, Selecting
from kubectl_netpolgen.semantics.port_atoms import PortAtoms, PortRange
from tests.factories import a_port

MASKS = st.integers(0, 15)
ENTRIES = st.builds(Entry, MASKS, MASKS, MASKS)
Triple = tuple[int, str, int]


def triples(*entries: Entry) -> set[Triple]:
    """Each port with each peer."""
    return {
        (port, kind, peer)
        for ports, pods, outside in entries
        for port in range(4)
        if ports >> port & 1
        for kind, mask in (("pod", pods), ("address", outside))
        for peer in range(4)
        if mask >> peer & 1
    }


@given(ENTRIES, ENTRIES)
def test_what_is_shared_and_what_is_left_are_exact(one: Entry, other: Entry) -> None:
    assert triples(common(one, other)) == triples(one) & triples(other)
    rest = tuple(without(one, other))
    assert triples(*rest) == triples(one) - triples(other)
    assert sum(len(triples(item)) for item in rest) == len(triples(*rest))


@given(st.lists(ENTRIES))
def test_merged_entries_say_the_same_with_each_set_of_ports_once(entries: list[Entry]) -> None:
    found = merged(entries)
    assert triples(*found) == triples(*entries)
    assert len({item.ports for item in found}) == len(found)
    assert all(found)


@given(ENTRIES)
def test_an_entry_about_nobody_is_false(entry: Entry) -> None:
    assert bool(entry) is bool(triples(entry))


HTTP = (Protocol.TCP, "http")


def test_names_are_each_pods_own_numbers_and_nothing_outside() -> None:
    members = [
        Member("shop", ports=(a_port(8080, "http"),)),
        Member("shop", ports=(a_port(9090, "http"), a_port(8080, "http", Protocol.UDP))),
        Member("shop"),
    ]
    classes = Classes(members, {}, Selecting([], ["http"]), AddressAtoms([]))
    at_8080, at_9090 = (PortRange(Protocol.TCP, port, port) for port in (8080, 9090))
    atoms = PortAtoms([at_8080, at_9090, PortRange(Protocol.UDP, 8080, 8080)])
    names = frozenset({HTTP})
    assert [named(classes, atoms, number, names) for number in classes.of] == [
        atoms.mask(at_8080),
        atoms.mask(at_9090),
        0,
    ]
    assert set(by_name(classes, atoms, Entry(0, classes.all, 1), names)) == {
        Entry(atoms.mask(at_8080), classes.mask([classes.of[0]]), 0),
        Entry(atoms.mask(at_9090), classes.mask([classes.of[1]]), 0),
    }
    fixed = atoms.mask(at_8080)
    assert Entry(fixed, 0, 1) in set(by_name(classes, atoms, Entry(fixed, classes.all, 1), names))
