from __future__ import annotations

import ipaddress
import marshal
import struct
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Direction, Flow, NameSource, Outcome, PeerName, Tunnel
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.conversations import Pair
from kubectl_netpolgen.packets.halves import MOST_NAMES, Half
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import ASKS, REPLIES
from kubectl_netpolgen.packets.sums import FlowSum, begin_sum, flow_order, make_flow
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.verdicts import Verdict
from tests.packets.factories import CLIENT, CLIENT6, SERVER, SERVER6

ESTABLISHED = Verdict(Direction.SYN, False, Outcome.ESTABLISHED)


PLAIN = Context(TCP)


def a_half(*times: int, size: int = 60, signals: int = 0) -> Half:
    half = Half()
    for time in times:
        half.count(time, size)
    half.signals = signals
    return half


def a_pair(
    client: Half,
    server: Half | None = None,
    *,
    context: Context = PLAIN,
    ends: tuple[str, str] = (CLIENT, SERVER),
    ports: tuple[int, int] = (40000, 8080),
    verdict: Verdict = ESTABLISHED,
) -> Pair:
    addresses = b"".join(ipaddress.ip_address(end).packed for end in ends)
    return Pair(context, addresses + struct.pack(">HH", *ports), client, server or Half(), verdict)


def flow_of(*pairs: Pair, known: tuple[PeerName, ...] = ()) -> Flow:
    total, one_by_one = reduce(FlowSum.add, map(begin_sum, pairs)), begin_sum(pairs[0])
    for pair in pairs[1:]:
        one_by_one.add_halves(pair.client, pair.server, pair.verdict)
    assert one_by_one.as_row() == total.as_row()
    return make_flow(flow_order(pairs[0]), total, Addresses(), file="pod.pcap", known=known)


def test_one_conversation_is_a_flow_of_its_own() -> None:
    client, server = a_half(5, 3, size=60), a_half(4, 9, size=1000)
    client.open(1000)
    client.call(PeerName("web.test", NameSource.SNI))
    server.more.duplicates = 2
    client.more.fragments, client.more.fragment_bytes = 3, 900
    assert flow_of(a_pair(client, server, context=Context(TCP, 7, Tunnel.GENEVE))) == Flow(
        capture="pod.pcap",
        pod_uid="",
        protocol=Protocol.TCP,
        client=Address(CLIENT),
        server=Address(SERVER),
        server_port=8080,
        client_ports=1,
        packets_to_server=2,
        packets_to_client=2,
        bytes_to_server=120,
        bytes_to_client=2000,
        first=3,
        last=9,
        direction=Direction.SYN,
        outcome=Outcome.ESTABLISHED,
        connections=1,
        keys=(),
        dns=False,
        names=(PeerName("web.test", NameSource.SNI),),
        duplicates=2,
        later_fragments=3,
        later_fragment_bytes=900,
        vlan=7,
        tunnel=Tunnel.GENEVE,
    )


@pytest.mark.parametrize(
    ("client", "server", "times"),
    [((5, 7), (6, 8), (5, 8)), ((5, 7), (), (5, 7)), ((), (6, 8), (6, 8)), ((), (0,), (0, 0))],
)
def test_a_silent_end_has_no_times(
    client: tuple[int, ...], server: tuple[int, ...], times: tuple[int, int]
) -> None:
    flow = flow_of(a_pair(a_half(*client), a_half(*server)))
    assert (flow.first, flow.last) == times


def test_connections_are_those_that_either_end_saw_and_never_none() -> None:
    assert flow_of(a_pair(a_half(1))).connections == 1
    client, server = a_half(1), a_half(2)
    for number in (1, 2, 3):
        client.open(number)
    for number in (3, 4):
        server.accept(number)
    # what an end opened and what it accepted are different connections
    server.open(9)
    assert flow_of(a_pair(client, server)).connections == 4
    assert flow_of(a_pair(client, server), a_pair(a_half(1), ports=(40001, 8080))).connections == 5


@pytest.mark.parametrize(("client", "server"), [(ASKS, 0), (0, REPLIES)])
def test_one_message_of_dns_makes_it_dns(client: int, server: int) -> None:
    pair = a_pair(a_half(1, signals=client), a_half(1, signals=server), context=Context(UDP))
    assert flow_of(pair).dns
    assert flow_of(pair, a_pair(a_half(1))).dns
    assert flow_of(a_pair(a_half(1)), pair).dns
    assert not flow_of(a_pair(a_half(1))).dns


def test_the_strongest_direction_and_the_best_outcome_stay() -> None:
    verdicts = [
        Verdict(Direction.HEURISTIC, False, Outcome.UNANSWERED),
        Verdict(Direction.SYNACK, True, Outcome.ESTABLISHED),
        Verdict(Direction.SYN, False, Outcome.REFUSED),
    ]
    flow = flow_of(*(a_pair(a_half(1), verdict=verdict) for verdict in verdicts))
    assert (flow.direction, flow.outcome) == (Direction.SYN, Outcome.ESTABLISHED)


def test_names_are_united_in_order_and_bounded() -> None:
    halves = [a_half(1), a_half(1)]
    for number in range(MOST_NAMES):
        halves[number % 2].call(PeerName(f"{number:03}.test", NameSource.HTTP))
    known = (PeerName("000.test", NameSource.DNS), PeerName("zzz.test", NameSource.DNS))
    names = flow_of(a_pair(halves[0]), a_pair(halves[1]), known=known).names
    assert len(names) == MOST_NAMES
    assert names == tuple(sorted(names))
    assert names[:2] == (known[0], PeerName("000.test", NameSource.HTTP))
    assert known[1] not in names


def test_flows_are_told_apart_by_everything_but_the_clients_port() -> None:
    pairs = [
        a_pair(a_half(1), context=Context(SCTP)),
        a_pair(a_half(1), ends=(CLIENT, "10.244.2.6")),
        a_pair(a_half(1), ports=(40000, 80)),
        a_pair(a_half(1)),
        a_pair(a_half(1), context=Context(TCP, None, Tunnel.GRE)),
        a_pair(a_half(1), context=Context(TCP, 0)),
        a_pair(a_half(1), ends=(CLIENT6, SERVER6)),
        a_pair(a_half(1), context=Context(UDP)),
    ]
    orders = [flow_order(pair) for pair in pairs]
    assert orders == sorted(set(orders))
    assert flow_order(a_pair(a_half(1), ports=(1, 80))) == orders[2]


counts = st.integers(0, 2**40)
names = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["sni", "http"])), unique=True, max_size=4
)
totals = st.builds(
    lambda numbers, first, last, ranks, dns, said: FlowSum(
        (*numbers[:5], first, last, *ranks, numbers[5], dns, *numbers[6:], tuple(sorted(said)))
    ),
    st.tuples(*[counts] * 9),
    counts,
    counts,
    st.tuples(st.integers(0, 5), st.integers(0, 6)),
    st.booleans(),
    names,
)


def copied(total: FlowSum) -> FlowSum:
    """The sum as a temporary file gives it back."""
    return FlowSum(marshal.loads(marshal.dumps(total.as_row())))


@given(st.lists(totals, min_size=1, max_size=5))
def test_sums_add_in_any_order_and_through_files(several: list[FlowSum]) -> None:
    forward = reduce(FlowSum.add, map(copied, several))
    backward = reduce(lambda one, other: copied(copied(other).add(copied(one))), several)
    assert forward.as_row() == backward.as_row()
    assert copied(forward).as_row() == forward.as_row()


def test_every_field_of_a_sum_is_in_its_row() -> None:
    total = begin_sum(a_pair(a_half(1)))
    assert len(total.as_row()) == len(FlowSum.__slots__)
    # what a flow has besides: whose it is, its five-tuple without a port, VLAN, tunnel and keys
    assert len(Flow._fields) == len(FlowSum.__slots__) + 9
