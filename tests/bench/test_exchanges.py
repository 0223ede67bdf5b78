"""What a slice plans: every kind, no 5-tuple twice, no more packets than asked for."""

from __future__ import annotations

import numpy as np
import pytest

from bench.exchanges import CLIENT_PORTS, SLICE, Exchanges, Kind, next_ports, plan, window
from bench.hosts import CLIENTS, the_hosts


def a_plan(index: int = 0, *, arp: bool = True) -> Exchanges:
    """A slice of Ethernet traffic."""
    return plan(the_hosts(), 1, index, np.zeros(2 * CLIENTS, np.int64), ethernet=True, arp=arp)


def test_every_kind_and_every_fate_occurs() -> None:
    exchanges = a_plan()
    assert set(exchanges.kind.tolist()) == set(Kind)
    for fate in ("ipv6", "tagged", "midway", "retried", "refused", "reset", "fragmented"):
        assert getattr(exchanges, fate).any()


def test_shares_are_those_of_a_pod() -> None:
    exchanges = a_plan()
    packets = exchanges.packets.sum()
    assert exchanges.packets[exchanges.kind == Kind.DNS].sum() / packets == pytest.approx(0.18, abs=0.02)
    assert exchanges.packets[exchanges.ipv6].sum() / packets == pytest.approx(0.10, abs=0.02)


def test_arp_is_left_out_where_a_link_cannot_hold_it() -> None:
    assert Kind.ARP not in a_plan(arp=False).kind


def test_a_client_port_comes_back_only_after_all_others() -> None:
    used = np.zeros(2, np.int64)
    client = np.zeros(CLIENT_PORTS, np.int64)
    ports = next_ports(used, client)
    assert len(set(ports.tolist())) == CLIENT_PORTS
    assert next_ports(used, client[:1])[0] == ports[0]
    assert used.tolist() == [CLIENT_PORTS + 1, 0]


def test_ports_go_on_in_the_next_slice() -> None:
    used = np.zeros(2 * CLIENTS, np.int64)
    slices = [plan(the_hosts(), 1, index, used, ethernet=True, arp=True) for index in range(3)]
    tuples = {
        row
        for part in slices
        for row in zip(part.ipv6.tolist(), part.client.tolist(), part.client_port.tolist(), strict=True)
    }
    assert len(tuples) == 3 * SLICE


@pytest.mark.parametrize("packets", [1, 100, 5000])
def test_a_cut_slice_has_exactly_the_packets_asked_for(packets: int) -> None:
    assert a_plan().up_to(packets).packets.sum() == packets


def test_windows_touch() -> None:
    assert window(0)[0] == 0
    assert window(3)[1] == window(4)[0]
    start = a_plan(4).start
    assert window(4)[0] <= start.min() <= start.max() < window(4)[1]
