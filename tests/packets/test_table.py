from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import NameSource, PeerName, Tunnel
from kubectl_netpolgen.packets.halves import ANNOUNCED, LISTENED, Half
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import ACCEPTS, CARRIES, OPENS, REFUSED, RESETS
from kubectl_netpolgen.packets.table import (
    Context,
    HalfTable,
    Rows,
    destination_end,
    partition_of,
    reverse,
    source_end,
    unmapped_key,
)
from tests.packets.factories import CLIENT, CLIENT6, SERVER, SERVER6, START

Shape = dict[tuple[Context, bytes], tuple[object, ...]]
Step = Callable[[HalfTable], None]


def a_key(
    source: str = CLIENT, source_port: int = 40000, destination: str = SERVER, destination_port: int = 8080
) -> bytes:
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return ends + struct.pack(">HH", source_port, destination_port)


def mapped(address: str) -> str:
    return f"::ffff:{address}"


def shape(table: HalfTable) -> Shape:
    """Everything that the parts hold, each key once."""
    found: Shape = {}
    for rows in table.parts():
        for context, halves in rows.items():
            for key, half in halves.items():
                assert (context, key) not in found
                found[context, key] = content(half)
    return found


def content(half: Half) -> tuple[object, ...]:
    extra = half.more
    sets = (set(half.openings), set(half.acceptances), extra.questions, half.names)
    times = (half.first, half.last) if half.packets else ()
    counts = (extra.duplicates, extra.fragments, extra.fragment_bytes)
    return (half.packets, half.bytes, times, half.signals, *counts, *(sorted(map(str, one)) for one in sets))


def packet(context: Context, key: bytes, time: int, wire: int, signals: int, number: int | None) -> Step:
    def take(table: HalfTable) -> None:
        half = table.half(context, key)
        half.count(time, wire)
        half.signals |= signals
        if number is not None:
            half.open(number)
            half.accept(number + 1)
            half.more.ask(f"d{number:04x}:a.test")
            half.call(PeerName(f"{number}.test", NameSource.SNI))

    return take


def remark(context: Context, key: bytes) -> Step:
    def take(table: HalfTable) -> None:
        half = table.mark(context, key)
        half.signals |= REFUSED
        half.more.fragments += 1
        half.more.fragment_bytes += 100

    return take


contexts = st.sampled_from(
    [Context(TCP), Context(UDP), Context(SCTP), Context(1), Context(TCP, 7), Context(TCP, None, Tunnel.GRE)]
)
four = st.sampled_from([CLIENT, SERVER])
ends = st.tuples(four, four) | st.tuples(four.map(mapped), four.map(mapped)) | st.just((CLIENT6, SERVER6))
ports = st.sampled_from([53, 8080, 40000])
keys = st.builds(lambda both, one, other: a_key(both[0], one, both[1], other), ends, ports, ports)
signals = st.sampled_from([0, OPENS, ACCEPTS, CARRIES, RESETS])
packets = st.builds(
    packet,
    contexts,
    keys,
    st.integers(START, START + 9),
    st.integers(40, 99),
    signals,
    st.none() | st.integers(0, 9),
)
steps = st.lists(packets | st.builds(remark, contexts, keys), max_size=25)


def run(told: Sequence[Step], *, spilled_before: frozenset[int] = frozenset()) -> tuple[Shape, object]:
    with closing(HalfTable()) as table:
        for number, step in enumerate(told):
            if number in spilled_before:
                table.spill()
            step(table)
        return shape(table), table.proven()


@given(steps, st.frozensets(st.integers(0, 24), max_size=5))
def test_when_it_was_spilled_makes_no_difference(told: list[Step], moments: frozenset[int]) -> None:
    assert run(told, spilled_before=moments) == run(told)


@given(steps)
def test_both_directions_lie_in_one_part_and_parts_may_be_asked_again(told: list[Step]) -> None:
    with closing(HalfTable()) as table:
        for step in told:
            step(table)
        table.spill()
        once = shape(table)
        for rows in table.parts():
            here = {(context, key) for context, halves in rows.items() for key in halves}
            for context, key in once.keys() - here:
                assert (context, reverse(key)) not in here
        assert shape(table) == once


@given(keys)
def test_a_key_its_reverse_and_their_mapped_forms_share_a_partition(key: bytes) -> None:
    assert reverse(reverse(key)) == key
    assert partition_of(key) == partition_of(reverse(key)) == partition_of(unmapped_key(key))
    assert (source_end(key), destination_end(key)) == (
        destination_end(reverse(key)),
        source_end(reverse(key)),
    )


def test_a_table_that_grew_too_large_is_spilled_and_not_before() -> None:
    with closing(HalfTable(most=2)) as table:
        tcp, udp = table.tcp, table.udp
        table.half(Context(TCP), a_key()).count(START, 60)
        table.relieve()
        assert len(tcp) == 1
        table.mark(Context(UDP), a_key())
        table.relieve()
        # emptied, not replaced: the loop holds on to them
        assert (len(tcp), table.tcp, table.udp) == (0, tcp, udp)
        table.half(Context(TCP), a_key()).count(START + 5, 40)
        (found,) = [half for rows in table.parts() for half in rows.get(Context(TCP), {}).values()]
    assert (found.packets, found.bytes, found.first, found.last) == (2, 100, START, START + 5)


def test_a_mark_waits_for_packets_and_then_belongs_to_their_half() -> None:
    with closing(HalfTable()) as table:
        table.mark(Context(TCP), a_key()).signals |= REFUSED
        assert table.tcp == {}
        half = table.half(Context(TCP), a_key())
        half.count(START, 60)
        assert (half.signals, table.mark(Context(TCP), a_key())) == (0, half)
        ((found,),) = [rows[Context(TCP)].values() for rows in table.parts()]
    assert (found.packets, found.first, found.signals) == (1, START, REFUSED)


def test_mapped_addresses_are_the_ipv4_addresses_that_they_are() -> None:
    with closing(HalfTable()) as table:
        table.half(Context(TCP), a_key(mapped(CLIENT), 1, mapped(SERVER), 2)).count(START + 1, 80)
        table.half(Context(TCP), a_key(CLIENT, 1, SERVER, 2)).count(START, 60)
        table.half(Context(TCP), a_key(mapped(CLIENT), 3, SERVER6, 4)).count(START, 80)
        (rows,) = table.parts()
        assert list(rows[Context(TCP)]) == [
            a_key(CLIENT, 1, SERVER, 2),
            a_key(mapped(CLIENT), 3, SERVER6, 4),
        ]
        half = rows[Context(TCP)][a_key(CLIENT, 1, SERVER, 2)]
    assert (half.packets, half.bytes, half.first, half.last) == (2, 140, START, START + 1)


def test_a_half_with_a_port_of_dns_is_listened_to_from_its_beginning() -> None:
    table = HalfTable()
    assert table.half(Context(UDP), a_key(destination_port=53)).signals == LISTENED
    assert table.mark(Context(TCP), a_key(source_port=5353)).signals == LISTENED | ANNOUNCED
    assert table.half(Context(UDP), a_key(destination_port=54)).signals == 0


@pytest.mark.parametrize(
    ("protocol", "signals", "end"),
    [
        (TCP, ACCEPTS, source_end(a_key())),
        (SCTP, ACCEPTS | CARRIES, source_end(a_key())),
        (TCP, OPENS | CARRIES, destination_end(a_key())),
        (TCP, OPENS, None),
        (TCP, CARRIES, None),
        (UDP, ACCEPTS, None),
    ],
)
@pytest.mark.parametrize("ends", [(CLIENT, SERVER), (mapped(CLIENT), mapped(SERVER))])
@pytest.mark.parametrize("spilled", [False, True])
def test_handshakes_prove_who_serves(
    protocol: int, signals: int, end: bytes | None, ends: tuple[str, str], spilled: bool
) -> None:
    with closing(HalfTable()) as table:
        key = a_key(ends[0], 40000, ends[1], 8080)
        packet(Context(protocol, 7), key, START, 60, signals, None)(table)
        if spilled:
            table.spill()
        assert table.proven() == (frozenset() if end is None else {(protocol, end)})


def test_a_client_that_opened_before_a_spill_and_went_on_behind_it_proves_its_server() -> None:
    told = [packet(Context(TCP), a_key(), START, 60, signals, None) for signals in (OPENS, CARRIES)]
    for moments in (frozenset[int](), frozenset((1,)), frozenset((0, 1))):
        assert run(told, spilled_before=moments)[1] == {(TCP, destination_end(a_key()))}


def test_a_mark_without_packets_proves_nothing() -> None:
    table = HalfTable()
    table.mark(Context(TCP), a_key()).signals |= ACCEPTS
    rows: list[Rows] = list(table.parts())
    assert len(rows) == 1
    assert table.proven() == frozenset()
