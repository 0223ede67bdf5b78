"""Ports as integers: every port lies in one piece, and masks print as the ranges they are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyPort, Rule
from kubectl_netpolgen.semantics.port_atoms import LAST, PortAtoms, PortRange, port_entries, port_range
from tests.factories import a_policy

PORTS = st.integers(1, LAST)
RANGES = st.tuples(st.sampled_from(Protocol), PORTS, PORTS).map(
    lambda item: PortRange(item[0], min(item[1:]), max(item[1:]))
)


@given(st.lists(RANGES, max_size=6), st.lists(PORTS, max_size=6))
def test_mask_holds_exactly_the_ports_of_its_ranges(ranges: list[PortRange], ports: list[int]) -> None:
    atoms = PortAtoms(ranges)
    mask = 0
    for item in ranges:
        mask |= atoms.mask(item)
    edges = {port for item in ranges for port in (item.first - 1, item.first, item.last, item.last + 1)}
    for protocol in Protocol:
        printed = atoms.ranges(mask).get(protocol, ())
        assert all(first > last + 1 for (_, last), (first, _) in pairwise(printed))
        for port in {1, LAST, *ports, *edges} - {0, LAST + 1}:
            expected = any(item.protocol is protocol and item.first <= port <= item.last for item in ranges)
            assert bool(mask >> atoms.atom(protocol, port) & 1) is expected
            assert any(first <= port <= last for first, last in printed) is expected


def test_everything_is_three_protocols_from_the_first_port_to_the_last() -> None:
    for atoms in (PortAtoms(()), PortAtoms([PortRange(Protocol.TCP, 80, 443)])):
        assert atoms.ranges(atoms.all) == dict.fromkeys(Protocol, ((1, LAST),))
        assert atoms.ranges(0) == {}
        assert atoms.ranges(atoms.of_protocol(Protocol.UDP)) == {Protocol.UDP: ((1, LAST),)}


def test_entry_is_a_range_a_protocol_or_a_name() -> None:
    assert port_range(PolicyPort(Protocol.UDP, 53)) == (Protocol.UDP, 53, 53)
    assert port_range(PolicyPort(Protocol.TCP, 80, 90)) == (Protocol.TCP, 80, 90)
    assert port_range(PolicyPort(Protocol.SCTP)) == (Protocol.SCTP, 1, LAST)
    assert port_range(PolicyPort(Protocol.TCP, "http")) is None


def test_entries_are_those_of_all_rules_of_both_directions() -> None:
    one, two, three = (PolicyPort(port=number) for number in (1, 2, 3))
    policy = a_policy(ingress=(Rule(ports=(one, two)),), egress=(Rule(ports=(three,)), Rule()))
    assert list(port_entries([policy])) == [one, two, three]
