"""Conversations add up to flows that merge the same in any order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flows import MAX_KEYS, build_flows, flow_order, smallest_keys
from kubectl_netpolgen.model.flow import Conversation, Direction, Flow, Outcome
from kubectl_netpolgen.model.network import Address, Protocol
from tests.factories import NOON, SECOND, a_conversation, a_flow

CONVERSATIONS = st.lists(
    st.builds(
        a_conversation,
        st.sampled_from(["10.244.1.5", "10.244.1.6", "fd00::5"]),
        st.sampled_from(["10.244.1.7", "fd00::7"]),
        st.sampled_from([80, 8080]),
        protocol=st.sampled_from(Protocol),
        client_port=st.integers(40000, 40009),
        first=st.integers(NOON, NOON + SECOND),
        direction=st.sampled_from(Direction),
        outcome=st.sampled_from(Outcome),
        connections=st.integers(1, 3),
    ),
    max_size=8,
)


def flows_of(*conversations: Conversation) -> tuple[Flow, ...]:
    """The flows of one capture."""
    return tuple(sorted(build_flows(conversations, capture="c", pod_uid="u"), key=flow_order))


def test_connections_between_the_same_ends_are_one_flow() -> None:
    (flow,) = flows_of(
        a_conversation(client_port=40000, first=NOON + 5, last=NOON + 9),
        a_conversation(client_port=40001, first=NOON, last=NOON + 6, outcome=Outcome.REFUSED),
    )
    assert (flow.client_ports, flow.connections, flow.packets, flow.bytes) == (2, 2, 20, 9200)
    assert (flow.first, flow.last) == (NOON, NOON + 9)
    assert (flow.outcome, flow.direction) == (Outcome.ESTABLISHED, Direction.SYN)
    assert flow.keys == ("t00009c40", "t00009c41")


def test_tcp_and_udp_on_one_port_are_two_flows() -> None:
    assert len(flows_of(a_conversation(), a_conversation(protocol=Protocol.UDP))) == 2


def test_every_server_port_is_its_own_flow() -> None:
    assert [flow.server_port for flow in flows_of(*(a_conversation(server_port=n) for n in (3, 1, 2)))] == [
        1,
        2,
        3,
    ]


@given(CONVERSATIONS, st.randoms(use_true_random=False))
def test_order_of_conversations_does_not_matter(conversations: list[Conversation], random: object) -> None:
    shuffled = list(conversations)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert flows_of(*shuffled) == flows_of(*conversations)


@given(CONVERSATIONS)
def test_nothing_is_lost(conversations: list[Conversation]) -> None:
    flows = flows_of(*conversations)
    assert sum(flow.connections for flow in flows) == sum(item.connections for item in conversations)
    assert sum(flow.packets for flow in flows) == sum(
        item.packets_to_server + item.packets_to_client for item in conversations
    )
    assert list(flows) == sorted(flows, key=flow_order)


def test_tenants_of_one_address_stay_apart() -> None:
    def tenant(address: Address, time: int) -> str:
        return "old" if time < NOON + 10 * SECOND else "new"

    early, late = a_conversation(), a_conversation(client_port=40001, first=NOON + 20 * SECOND)
    flows = build_flows([late, early], capture="c", pod_uid="u", tenant=tenant, handed_on={late.client})
    assert sorted(flow.first for flow in flows) == [NOON, NOON + 20 * SECOND]


@given(
    st.sets(st.text("0123456789abcdef", min_size=1, max_size=6), max_size=300),
    st.randoms(use_true_random=False),
)
def test_any_two_vantage_points_keep_the_same_keys(keys: set[str], random: object) -> None:
    part = {key for key in keys if random.random() < 0.5}  # type: ignore[attr-defined]
    kept = smallest_keys(keys)
    assert len(kept) <= MAX_KEYS
    assert list(kept) == sorted(kept)
    assert set(kept) & part <= set(smallest_keys(part))


def test_flows_sort_by_capture_protocol_addresses_and_port() -> None:
    flows = [
        a_flow("10.244.1.10"),
        a_flow("10.244.1.9"),
        a_flow("10.244.1.9", protocol=Protocol.UDP),
        a_flow("fd00::1", capture="captures/a"),
    ]
    assert sorted(flows, key=flow_order) == [flows[3], flows[1], flows[0], flows[2]]
