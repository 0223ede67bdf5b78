from __future__ import annotations

import ipaddress
import struct

import pytest

from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.conversations import join_halves, judge, orient, reverse
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import (
    ACCEPTS,
    ASKS,
    CARRIES,
    OPENS,
    PROHIBITED,
    REFUSED,
    REPLIES,
    RESETS,
)


def a_key(source: str = "10.0.0.1", port: int = 40000, to: str = "10.0.0.2", to_port: int = 80) -> bytes:
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(to).packed
    return addresses + struct.pack(">HH", port, to_port)


def a_half(signals: int = 0, *, packets: int = 1, time: int = 0) -> Half:
    half = Half(time)
    for _ in range(packets):
        half.count(time, 60)
    half.signals = signals
    return half


def join_one(number: int, halves: dict[bytes, Half]) -> Conversation:
    (found,) = join_halves({number: halves}, Addresses())
    return found


@pytest.mark.parametrize("key", [a_key(), a_key("fd00::1", 1, "fd00::2", 2)])
def test_the_way_back_of_the_way_back_is_the_way(key: bytes) -> None:
    assert reverse(key) != key
    assert reverse(reverse(key)) == key


@pytest.mark.parametrize(
    ("there", "back", "direction", "turned"),
    [
        (OPENS, 0, Direction.SYN, False),
        (OPENS, ACCEPTS, Direction.SYN, False),
        (0, ACCEPTS, Direction.SYNACK, False),
        (ACCEPTS, 0, Direction.SYNACK, True),
        (ACCEPTS, OPENS, Direction.SYN, True),
        (OPENS, OPENS, Direction.SYN, False),
        (OPENS | ACCEPTS, OPENS, Direction.SYN, True),
        (CARRIES, CARRIES, Direction.HEURISTIC, False),
    ],
)
def test_a_handshake_tells_the_client(there: int, back: int, direction: Direction, turned: bool) -> None:
    assert orient(a_key(), a_half(there), a_half(back)) == (direction, turned)


@pytest.mark.parametrize(
    ("there", "back", "turned"),
    [(ASKS, 0, False), (ASKS, REPLIES, False), (REPLIES, 0, True), (0, REPLIES, False), (0, ASKS, True)],
)
def test_the_sender_of_a_dns_query_is_the_client_whatever_its_port(
    there: int, back: int, turned: bool
) -> None:
    assert orient(a_key(port=53, to_port=53), a_half(there), a_half(back)) == (Direction.HEURISTIC, turned)


@pytest.mark.parametrize(
    ("port", "to_port", "turned"), [(40000, 80, False), (80, 40000, True), (9, 9, False)]
)
def test_without_a_handshake_the_lower_port_serves_and_then_the_first_sender_asks(
    port: int, to_port: int, turned: bool
) -> None:
    key = a_key(port=port, to_port=to_port)
    assert orient(key, a_half(CARRIES), a_half(CARRIES)) == (Direction.HEURISTIC, turned)


@pytest.mark.parametrize(
    ("client", "server", "outcome"),
    [
        (OPENS, ACCEPTS, Outcome.ESTABLISHED),
        (OPENS, ACCEPTS | RESETS, Outcome.ESTABLISHED),
        (CARRIES, CARRIES, Outcome.ESTABLISHED),
        (OPENS | CARRIES, RESETS | CARRIES, Outcome.ESTABLISHED),
        (OPENS, RESETS, Outcome.REFUSED),
        (OPENS | REFUSED, 0, Outcome.REFUSED),
        (OPENS | PROHIBITED, 0, Outcome.PROHIBITED),
        (OPENS, 0, Outcome.UNANSWERED),
        (OPENS | RESETS, 0, Outcome.UNANSWERED),
        (OPENS | CARRIES, 0, Outcome.UNKNOWN),
        (CARRIES, RESETS, Outcome.UNKNOWN),
        (CARRIES, 0, Outcome.UNKNOWN),
        (RESETS, RESETS, Outcome.UNKNOWN),
        (0, 0, Outcome.UNKNOWN),
    ],
)
def test_the_outcome_of_tcp_is_the_best_that_was_seen(client: int, server: int, outcome: Outcome) -> None:
    assert judge(a_half(client), a_half(server), protocol=Protocol.TCP) is outcome


@pytest.mark.parametrize(
    ("client", "answers", "outcome"),
    [
        (0, 1, Outcome.ANSWERED),
        (REFUSED, 1, Outcome.ANSWERED),
        (0, 0, Outcome.UNANSWERED),
        (REFUSED, 0, Outcome.REFUSED),
        (PROHIBITED, 0, Outcome.PROHIBITED),
        (REFUSED | PROHIBITED, 0, Outcome.REFUSED),
    ],
)
def test_the_outcome_of_udp_is_an_answer_or_what_icmp_said(
    client: int, answers: int, outcome: Outcome
) -> None:
    found = judge(a_half(client), a_half(packets=answers), protocol=Protocol.UDP)
    assert found is outcome


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
    asked.ask("d0001:web")
    assert join_one(SCTP, {a_key(): tagged}).keys == ("s00abcdef",)
    assert join_one(UDP, {a_key(): asked}).keys == ("d0001:web",)
    assert join_one(UDP, {a_key(): asked}).dns
    assert join_one(UDP, {a_key(): a_half()}).keys == ("u40000",)


def test_the_order_is_by_protocol_client_and_server_whatever_came_first() -> None:
    keys = [a_key("fd00::1", 50000, "fd00::2"), a_key("10.0.0.9"), a_key("10.0.0.1"), a_key(port=39999)]
    halves = {key: a_half(OPENS) for key in keys}
    again = {key: a_half(OPENS) for key in reversed(keys)}
    found = join_halves({TCP: halves, UDP: {keys[0]: a_half()}}, Addresses())
    assert found == join_halves({UDP: {keys[0]: a_half()}, TCP: again}, Addresses())
    assert [(item.protocol.value, item.client, item.client_port) for item in found] == [
        ("TCP", "10.0.0.1", 39999),
        ("TCP", "10.0.0.1", 40000),
        ("TCP", "10.0.0.9", 40000),
        ("TCP", "fd00::1", 50000),
        ("UDP", "fd00::1", 50000),
    ]
