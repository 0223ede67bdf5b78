from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Direction, Tunnel
from kubectl_netpolgen.packets.conversations import Pair, encode_pair, order_of
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.engines import ExactCounter, PairTable, Table
from kubectl_netpolgen.packets.frames import frames_of_records
from kubectl_netpolgen.packets.halves import Row
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.network import TCP
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.sums import FlowSum, begin_sum, flow_order
from kubectl_netpolgen.packets.table import Context, HalfTable
from tests.packets.factories import (
    CLIENT,
    ETHERNET,
    LINUX_SLL,
    LINUX_SLL2,
    SERVER,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_echo,
    icmp_unreachable,
    sctp,
    tcp_close,
    tcp_handshake,
    tcp_syn,
    tcp_syn_ack,
    udp,
)
from tests.packets.factories_tunnels import a_hello_in_two, fragments_of, in_vxlan

PACKETS = [
    *tcp_handshake(),
    *tcp_handshake(client_port=40001),
    *tcp_close(client_port=40002),
    dns_query(),
    dns_answer(),
    udp(),
    icmp_unreachable(udp()),
    icmp_echo(),
    sctp(chunk=1, initiate_tag=5),
    *a_hello_in_two(),
    *fragments_of(udp(payload=bytes(60))),
    in_vxlan(tcp_syn()),
]


def a_counter(tally: Tally, *, inner: bool = False) -> ExactCounter:
    return ExactCounter(tally, inner=inner)


def counted(
    packets: Sequence[Packet],
    *,
    link: int = ETHERNET,
    inner: bool = False,
    as_frames: bool = False,
) -> tuple[Tally, Table]:
    """What the engine counts of a classic capture, as one or as any other container."""
    source = io.BytesIO(a_pcap(packets, link=link))
    header = read_header(source, "pod.pcap")
    records, counter = Records(source, header), a_counter(Tally(inner=inner), inner=inner)
    if as_frames:
        counter.count_frames(frames_of_records(records, LINKS[link]))
    else:
        counter.count_records(records, header, LINKS[link])
    assert (records.count, records.truncated) == (len(packets), None)
    return counter.tally, counter.finish()


def rows_of(table: Table) -> list[Row]:
    return [encode_pair(pair) for pair in sorted(pairs_of(table), key=order_of)]


def pairs_of(table: Table) -> list[Pair]:
    return list(table.pairs(table.proven()))


@pytest.mark.parametrize("link", [ETHERNET, LINUX_SLL, LINUX_SLL2])
@pytest.mark.parametrize("inner", [False, True])
def test_every_container_gives_the_same(link: int, inner: bool) -> None:
    tally, table = counted(PACKETS, link=link, inner=inner)
    other_tally, other = counted(PACKETS, link=link, inner=inner, as_frames=True)
    assert rows_of(table) == rows_of(other)
    assert table.proven() == other.proven() != frozenset()
    assert tally.payloads.names.collected() == other_tally.payloads.names.collected() != ()
    assert (
        (tally.unread, tally.later_fragments) == (other_tally.unread, other_tally.later_fragments) == (2, 4)
    )


class Looking(Tally):
    """Notes which frames were looked at closely."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at = 0

    def meet(self, frame: Frame) -> None:
        self.looked_at += 1
        super().meet(frame)


@pytest.mark.parametrize(
    ("link", "version", "inner", "looked_at"),
    [
        (ETHERNET, (2, 4), False, 0),
        (ETHERNET, (2, 4), True, 3),
        # lengths that may be swapped
        (ETHERNET, (2, 3), False, 3),
        (LINUX_SLL, (2, 4), False, 3),
    ],
)
def test_ethernet_has_a_quick_way(link: int, version: tuple[int, int], inner: bool, looked_at: int) -> None:
    source = io.BytesIO(a_pcap(tcp_handshake(), link=link, version=version))
    header = read_header(source, "pod.pcap")
    tally = Looking()
    a_counter(tally, inner=inner).count_records(Records(source, header), header, LINKS[link])
    assert tally.looked_at == looked_at
    assert len(tally.table.tcp) == 2


def test_what_is_inside_a_tunnel_is_a_row_of_its_own_when_it_is_asked_for() -> None:
    tunnels = {pair.context.tunnel for pair in pairs_of(counted(PACKETS)[1])}
    inner = {pair.context.tunnel for pair in pairs_of(counted(PACKETS, inner=True)[1])}
    assert (tunnels, inner) == ({None}, {None, Tunnel.VXLAN})


def test_a_large_table_is_spilled_between_buffers_of_a_file() -> None:
    source = io.BytesIO(a_pcap(PACKETS))
    header = read_header(source, "pod.pcap")
    halves = HalfTable(most=30)
    counter = a_counter(Tally(table=halves))
    for port in range(30):
        halves.half(Context(TCP, 9), bytes(8) + port.to_bytes(4, "big")).count(START, 60)
    counter.count_records(Records(source, header), header, LINKS[ETHERNET])
    assert halves.rows[Context(TCP, 9)] == {}
    with closing(counter.finish()) as table:
        found = [pair for pair in pairs_of(table) if pair.context.vlan is None]
    assert [encode_pair(pair) for pair in sorted(found, key=order_of)] == rows_of(counted(PACKETS)[1])


@given(st.permutations(PACKETS), st.frozensets(st.integers(0, len(PACKETS)), max_size=4))
def test_a_spilled_table_is_joined_to_the_same_pairs(packets: list[Packet], moments: frozenset[int]) -> None:
    found = []
    for spilled in (frozenset(), moments):
        source = io.BytesIO(a_pcap(packets))
        tally = Tally()
        for frame in frames_of_records(Records(source, read_header(source, "pod.pcap")), LINKS[ETHERNET]):
            if frame.number in spilled:
                tally.table.spill()
            tally.meet(frame)
        with closing(PairTable(tally.table)) as table:
            found.append(rows_of(table))
    assert found[0] == found[1]


def test_sums_are_those_of_the_pairs() -> None:
    _, table = counted(PACKETS)
    expected: dict[tuple[object, ...], FlowSum] = {}
    found: dict[tuple[object, ...], FlowSum] = {}
    for pair in pairs_of(table):
        add(expected, flow_order(pair), begin_sum(pair))
    for order, total in table.sums(table.proven()):
        add(found, order, total)
    assert {order: total.as_row() for order, total in found.items()} == {
        order: total.as_row() for order, total in expected.items()
    }
    assert max(total.client_ports for total in found.values()) == 3


def add(sums: dict[tuple[object, ...], FlowSum], order: tuple[object, ...], total: FlowSum) -> None:
    sums[order] = sums[order].add(total) if order in sums else total


def test_a_table_may_be_asked_with_what_other_files_prove() -> None:
    one_way = [tcp_close(CLIENT, 8080, SERVER, 40000)[1]]
    _, table = counted(one_way)
    (pair,) = table.pairs(table.proven())
    assert pair.verdict.direction is Direction.HEURISTIC
    _, other = counted([tcp_syn_ack("10.244.9.9", 1, SERVER, 40000)])
    (pair,) = table.pairs(other.proven())
    assert (pair.verdict.direction, pair.key[-2:]) == (Direction.PROVEN, (40000).to_bytes(2, "big"))


def test_an_empty_table_gives_nothing_and_may_be_closed() -> None:
    with closing(PairTable(HalfTable())) as table:
        assert (rows_of(table), list(table.sums(frozenset())), table.proven()) == ([], [], frozenset())
