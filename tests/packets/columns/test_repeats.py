"""What is said over and over counts as often as it is said, with its first and its last time."""

from __future__ import annotations

import random

import numpy as np

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.packets.columns.repeats import first_of_each, times_of_groups
from tests.packets.columns.captures import HELLO, REQUEST, read_with
from tests.packets.factories import (
    CLIENT,
    MILLISECOND,
    PSH,
    SERVER,
    START,
    Packet,
    a_pcap,
    tcp,
)


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


def test_groups_come_first_where_their_numbers_reach_a_new_height() -> None:
    group = np.array([0, 0, 1, 0, 2, 1, 3])
    assert first_of_each(group).tolist() == [0, 2, 4, 6]
    assert first_of_each(group[:0]).tolist() == []
    counts, first, last = times_of_groups(group, np.array([5, 3, 9, 4, 7, 8, 1]), 5)
    assert counts.tolist() == [3, 2, 1, 1, 0]
    assert first.tolist()[:4] == [3, 8, 7, 1]
    assert last.tolist()[:4] == [5, 9, 7, 1]
