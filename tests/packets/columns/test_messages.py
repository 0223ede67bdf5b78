"""Messages of DNS count as often as they are said, and are read once while they are remembered."""

from __future__ import annotations

import numpy as np
import pytest

from kubectl_netpolgen.packets.columns.messages import Messages
from kubectl_netpolgen.packets.counting import Tally
from tests.packets.columns.captures import read_with, some_traffic
from tests.packets.columns.test_batches import batch_from
from tests.packets.factories import (
    CLIENT,
    MILLISECOND,
    SERVER,
    START,
    a_pcap,
    dns_answer,
    dns_message,
    dns_query,
    udp,
)
from tests.packets.factories_names import announcement


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


@pytest.mark.parametrize("chunk", [400, 3000])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_said_again_in_another_batch_is_only_counted(seed: int, chunk: int) -> None:
    packets = [packet for number in range(3) for packet in some_traffic(seed, 50)]
    content = a_pcap(packets)
    assert read_with("fast", content, chunk=chunk) == read_with("exact", content)


def test_a_memory_that_is_full_forgets_and_loses_nothing() -> None:
    questions = [
        dns_query(f"a{number % 5}.example.test", transaction=number, time=START + number * MILLISECOND)
        for number in range(20)
    ]
    answers = [
        dns_answer(f"a{number % 5}.example.test", transaction=number, time=START + number * MILLISECOND)
        for number in range(20)
    ]
    counts = []
    for most in (1, 3, 8192):
        tally = Tally()
        messages = Messages(tally, most=most)
        for at in range(0, 20, 4):
            batch = batch_from(a_pcap([*questions[at : at + 4], *answers[at : at + 4]]))
            asked = messages.open(batch, np.flatnonzero(batch.packets.dns))
            for number in range(asked.visited.size):
                asked.hear(number)
            asked.settle()
            assert (batch.packets.signals != 0).all()
        messages.settle()
        counts.append(
            [(item.name, item.count, item.first, item.last) for item in tally.payloads.names.collected()]
        )
    assert counts[0] == counts[1] == counts[2]
    assert [count for _, count, _, _ in counts[0]] == [4] * 5
