from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flow_sums import MOST_NAMES, row_order, sum_conversations, unite_names
from kubectl_netpolgen.model.flow import Direction, NameSource, Outcome, PeerName, Tunnel
from tests.factories import a_conversation


def names(count: int) -> list[PeerName]:
    return [PeerName(f"n{number:02d}.test", NameSource.SNI) for number in range(count)]


def test_conversations_of_one_flow_add_up() -> None:
    first = a_conversation(client_port=1, first=5, last=9, direction=Direction.HEURISTIC, duplicates=1)
    second = first._replace(client_port=2, first=3, last=7, direction=Direction.SYN, names=tuple(names(1)))
    third = first._replace(client_port=3, outcome=Outcome.UNANSWERED, later_fragments=2)
    (flow,) = sum_conversations([first, second, third], file="x.pcap")
    assert (flow.capture, flow.client_ports, flow.first, flow.last) == ("x.pcap", 3, 3, 9)
    assert (flow.direction, flow.outcome) == (Direction.SYN, first.outcome)
    assert flow.packets_to_server == 3 * first.packets_to_server
    assert (flow.duplicates, flow.later_fragments, flow.names) == (3, 2, tuple(names(1)))


def test_vlans_tunnels_and_ports_are_flows_of_their_own() -> None:
    base = a_conversation()
    others = [base._replace(vlan=7), base._replace(tunnel=Tunnel.GRE), base._replace(server_port=1), base]
    found = sum_conversations(others, file="x")
    assert len(found) == 4
    assert list(found) == sorted(found, key=row_order)


@given(st.permutations(range(6)))
def test_the_order_of_conversations_does_not_matter(order: list[int]) -> None:
    items = [
        a_conversation(client_port=number % 3, server_port=number // 3, first=number) for number in order
    ]
    assert sum_conversations(items, file="x") == sum_conversations(sorted(items, key=row_order), file="x")


def test_a_row_has_so_many_names_and_always_the_same() -> None:
    assert unite_names(names(40), names(3)) == tuple(names(MOST_NAMES))
    assert unite_names(reversed(names(40))) == tuple(names(MOST_NAMES))
