"""What is said over and over counts as often as it is said, with its first and its last time."""

from __future__ import annotations

import random

from kubectl_netpolgen.model.flow import NameSource
from tests.packets.columns.captures import HELLO, REQUEST, read_with
from tests.packets.factories import (
    CLIENT,
    MILLISECOND,
    PSH,
    SERVER,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_message,
    dns_query,
    tcp,
    udp,
)
from tests.packets.factories_names import announcement


def requests(count: int, server: str = SERVER) -> list[Packet]:
    return [
        tcp(
            CLIENT,
            2000 + number % 7,
            server,
            80,
            flags=PSH,
            payload=REQUEST,
            time=START + number * MILLISECOND,
        )
        for number in range(count)
    ]


def test_requests_count_by_server_and_the_times_are_the_outermost() -> None:
    packets = requests(50) + requests(20, "10.244.2.8")
    random.Random(1).shuffle(packets)
    content = a_pcap(packets)
    found = read_with("fast", content)
    assert found == read_with("exact", content)
    assert [(name.address, name.count, name.first, name.last) for name in found.names] == [
        (SERVER, 50, START, START + 49 * MILLISECOND),
        ("10.244.2.8", 20, START, START + 19 * MILLISECOND),
    ]


def test_questions_and_answers_count_whatever_their_number() -> None:
    packets = []
    told = announcement(("a.local", 1, bytes((10, 0, 0, 9))))
    for number in range(40):
        time = START + number * MILLISECOND
        packets += [
            dns_query(transaction=number, client_port=3000 + number, time=time),
            dns_answer(transaction=number, client_port=3000 + number, time=time),
            udp(CLIENT, 5353, "224.0.0.251", 5353, payload=told, time=time),
            udp(CLIENT, 9, SERVER, 53, payload=b"x", time=time),
        ]
    content = a_pcap(packets)
    found = read_with("fast", content, chunk=2000)
    assert found == read_with("exact", content)
    assert [(name.name, name.count) for name in found.names] == [
        ("a.local", 40),
        ("web.shop.svc.cluster.local", 40),
    ]


def test_a_message_too_long_to_compare_counts_all_the_same() -> None:
    records = [("web.shop.svc.cluster.local", 1, bytes((10, 0, 0, number))) for number in range(30)]
    payload = dns_message(records=records, response=True)
    assert len(payload) > 256
    packets = [
        udp("10.96.0.10", 53, CLIENT, 41000, payload=payload, time=START + number) for number in range(5)
    ]
    content = a_pcap(packets, nanoseconds=True)
    found = read_with("fast", content)
    assert found == read_with("exact", content)
    assert {name.count for name in found.names} == {5}


def test_what_belongs_to_an_unfinished_hello_is_no_request() -> None:
    ends = (CLIENT, 2000, SERVER, 443)
    packets = [
        tcp(*ends, flags=PSH, sequence=1, payload=HELLO[:700], time=START),
        tcp(*ends, flags=PSH, sequence=701 + len(REQUEST), payload=HELLO[700 + len(REQUEST) :], time=START),
        tcp(*ends, flags=PSH, sequence=701, payload=REQUEST, time=START),
        *requests(3),
    ]
    content = a_pcap(packets)
    found = read_with("fast", content)
    assert found == read_with("exact", content)
    web = [name for name in found.names if name.source is NameSource.HTTP]
    assert [name.count for name in web] == [3]
