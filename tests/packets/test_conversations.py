from __future__ import annotations

import ipaddress
import struct

from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome, Reach, Tunnel
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.conversations import (
    decode_pair,
    encode_pair,
    make_conversation,
    order_of,
    pair_halves,
)
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.network import ICMP, SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import ACCEPTS, ASKS, BROADCAST, CARRIES, OPENS
from kubectl_netpolgen.packets.table import Context, End, Rows, destination_end, reverse


def a_key(source: str = "10.0.0.1", port: int = 40000, to: str = "10.0.0.2", to_port: int = 80) -> bytes:
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed
    return addresses + struct.pack(">HH", port, to_port)


def a_half(signals: int = 0, *, packets: int = 1, time: int = 0) -> Half:
    half = Half(time)
    for _ in range(packets):
        half.count(time, 60)
    half.signals = signals
    return half


def join(rows: Rows, proven: frozenset[End] = frozenset()) -> list[Conversation]:
    pairs = sorted(pair_halves(rows, proven), key=order_of)
    assert [decode_pair(encode_pair(pair)).verdict for pair in pairs] == [pair.verdict for pair in pairs]
    return [make_conversation(pair, Addresses()) for pair in pairs]


def join_one(number: int, halves: dict[bytes, Half], proven: frozenset[End] = frozenset()) -> Conversation:
    (found,) = join({Context(number): halves}, proven)
    return found


def test_both_halves_become_one_conversation_from_client_to_server() -> None:
    there, back = a_half(OPENS, packets=3, time=20), a_half(ACCEPTS, packets=2, time=30)
    there.open(5)
    back.accept(5)
    back.accept(6)
    found = join_one(TCP, {reverse(a_key()): back, a_key(): there})
    assert found == Conversation(
        protocol=Protocol.TCP,
        client=Addresses().spell(bytes((10, 0, 0, 1))),
        client_port=40000,
        server=Addresses().spell(bytes((10, 0, 0, 2))),
        server_port=80,
        packets_to_server=3,
        packets_to_client=2,
        bytes_to_server=180,
        bytes_to_client=120,
        first=20,
        last=30,
        direction=Direction.SYN,
        outcome=Outcome.ESTABLISHED,
        connections=2,
        keys=("t00000005", "t00000006"),
        dns=False,
    )


def test_an_end_that_sent_nothing_has_no_times() -> None:
    found = join_one(TCP, {reverse(a_key()): a_half(ACCEPTS, time=50)})
    assert (found.client_port, found.server_port) == (40000, 80)
    assert (found.packets_to_server, found.packets_to_client) == (0, 1)
    assert (found.first, found.last, found.connections) == (50, 50, 1)


def test_a_conversation_with_itself_is_one() -> None:
    found = join_one(UDP, {a_key(to="10.0.0.1", to_port=40000): a_half(packets=2)})
    assert (found.client, found.packets_to_server, found.packets_to_client) == (found.server, 2, 0)


def test_keys_say_by_their_letter_what_they_are() -> None:
    tagged, asked = a_half(OPENS), a_half(ASKS)
    tagged.open(0xABCDEF)
    asked.more.ask("d0001:web")
    assert join_one(SCTP, {a_key(): tagged}).keys == ("s00abcdef",)
    assert join_one(UDP, {a_key(): asked}).keys == ("d0001:web",)
    assert join_one(UDP, {a_key(): asked}).dns
    assert join_one(UDP, {a_key(): a_half()}).keys == ("u40000",)


def test_the_order_is_by_protocol_client_and_server_whatever_came_first() -> None:
    keys = [a_key("fd00::1", 50000, "fd00::2"), a_key("10.0.0.9"), a_key("10.0.0.1"), a_key(port=39999)]
    halves = {key: a_half(OPENS) for key in keys}
    again = {key: a_half(OPENS) for key in reversed(keys)}
    found = join({Context(TCP): halves, Context(UDP): {keys[0]: a_half()}})
    assert found == join({Context(UDP): {keys[0]: a_half()}, Context(TCP): again})
    assert [(item.protocol.value, item.client, item.client_port) for item in found] == [
        ("TCP", "10.0.0.1", 39999),
        ("TCP", "10.0.0.1", 40000),
        ("TCP", "10.0.0.9", 40000),
        ("TCP", "fd00::1", 50000),
        ("UDP", "fd00::1", 50000),
    ]


def test_the_smaller_key_may_be_the_silent_one() -> None:
    for key in (a_key(), reverse(a_key())):
        found = join_one(TCP, {key: a_half(CARRIES)})
        assert (found.client_port, found.server_port, found.direction) == (40000, 80, Direction.HEURISTIC)


def test_without_a_handshake_the_end_that_another_one_proved_is_the_server() -> None:
    key = a_key(port=40000, to_port=50051)
    proven = frozenset({(TCP, destination_end(key))})
    assert join_one(TCP, {key: a_half(CARRIES)}).server_port == 40000
    found = join_one(TCP, {key: a_half(CARRIES)}, proven)
    assert (found.server_port, found.direction) == (50051, Direction.PROVEN)


def test_a_half_that_was_only_quoted_is_no_conversation_and_icmp_is_none() -> None:
    assert join({Context(UDP): {a_key(): a_half(packets=0)}, Context(ICMP): {a_key(): a_half()}}) == []


def test_vlans_and_tunnels_are_rows_of_their_own_behind_the_plain_one() -> None:
    contexts = [Context(TCP, 7), Context(TCP, None, Tunnel.VXLAN), Context(TCP), Context(TCP, 7, Tunnel.GRE)]
    found = join({context: {a_key(): a_half(OPENS)} for context in contexts})
    assert [(item.vlan, item.tunnel) for item in found] == [
        (None, None),
        (None, Tunnel.VXLAN),
        (7, None),
        (7, Tunnel.GRE),
    ]


def test_whom_it_concerns_is_told_by_the_addresses_or_by_the_link() -> None:
    assert join_one(UDP, {a_key(): a_half()}).reach is Reach.PEERS
    assert join_one(UDP, {a_key(to="127.0.0.1"): a_half()}).reach is Reach.LOOPBACK
    assert join_one(UDP, {a_key(to="239.1.1.1"): a_half()}).reach is Reach.GROUP
    assert join_one(UDP, {a_key(): a_half(BROADCAST)}).reach is Reach.GROUP
