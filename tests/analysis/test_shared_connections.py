"""Which connections two captures share; large bundles are compared by the same sample at both ends."""

from __future__ import annotations

import random

import pytest

from kubectl_netpolgen.analysis.derivation import Capture
from kubectl_netpolgen.analysis.shared_connections import Comparison, Shared
from kubectl_netpolgen.model.network import Address, Protocol
from tests.factories import a_capture, a_conversation


def own(uid: str, address: Address, time: int) -> bool:
    """Every pod has the address that its UID is."""
    return uid == address


def compared(*captures: Capture, most: int = 1000) -> Comparison:
    """What is remembered of captures."""
    comparison = Comparison(own, most)
    for capture in captures:
        comparison.learn(capture)
    return comparison


def files(shared: tuple[Shared, ...]) -> list[tuple[str, str, int]]:
    """Pods and client port of each."""
    return [(item.a.split("/")[1], item.b.split("/")[1], item.at_a.client_port) for item in shared]


def test_connection_is_shared_by_its_number_and_its_clients_port() -> None:
    call = a_conversation("10.0.0.1", "10.96.0.1", keys=("t1",))
    there = call._replace(server=Address("10.0.0.2"))
    other_port, other_number = there._replace(client_port=40001), there._replace(keys=("t2",))
    found = compared(a_capture("b", there, other_port, other_number), a_capture("a", call)).shared()
    assert files(found) == [("a", "b", 40000)]
    assert (found[0].at_a, found[0].at_b) == (call, there)


@pytest.mark.parametrize("keys", [(), ("t1", "t2"), ("u40000",)])
def test_what_is_no_single_connection_is_not_compared(keys: tuple[str, ...]) -> None:
    call = a_conversation(keys=keys, protocol=Protocol.UDP)
    assert compared(a_capture("a", call), a_capture("b", call)).shared() == ()


def test_hairpin_is_seen_twice_in_one_capture_and_shared_with_nobody() -> None:
    call = a_conversation(keys=("t1",))
    assert compared(a_capture("a", call, call._replace(vlan=5))).shared() == ()


def test_large_bundles_are_compared_by_the_same_ports_in_any_order() -> None:
    calls = [a_conversation(client_port=port, keys=(f"t{port}",)) for port in range(40000, 41000)]
    captures = [a_capture("a", *calls), a_capture("b", *calls), a_capture("c")]
    found = compared(*captures, most=100).shared()
    assert 20 <= len(found) <= 50
    random.Random(1).shuffle(captures)
    assert compared(*captures, most=100).shared() == found


def test_capture_of_another_pod_is_strange_and_an_empty_one_is_none() -> None:
    call = a_conversation("10.0.0.1", "10.0.0.2")
    glances = compared(a_capture("10.0.0.3", call), a_capture("10.0.0.2", call), a_capture("x")).glances
    assert [item.strange for item in glances] == [None, call, None]
    assert [item.firsts for item in glances] == [(call.first,), (call.first,), ()]
