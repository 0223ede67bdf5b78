from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flows import MAX_KEYS, smallest_keys
from kubectl_netpolgen.model.flow import NameSource, PeerName
from kubectl_netpolgen.packets.halves import (
    ANNOUNCED,
    LISTENED,
    MOST_CONNECTIONS,
    MOST_NAMES,
    Half,
    begin_half,
    half_of,
    is_dns,
    names_in_order,
    smallest_numbers,
)


@given(st.lists(st.tuples(st.integers(0, 10**18), st.integers(0, 2**32)), min_size=1))
def test_packets_and_bytes_add_up_and_times_may_go_backwards(packets: list[tuple[int, int]]) -> None:
    half = Half(packets[0][0])
    for time, wire in packets:
        half.count(time, wire)
    times = [time for time, _ in packets]
    assert (half.packets, half.bytes) == (len(packets), sum(wire for _, wire in packets))
    assert (half.first, half.last) == (min(times), max(times))


def test_a_retransmitted_number_is_one_connection() -> None:
    half = Half(0)
    for number in (7, 7, 9, 7):
        half.open(number)
        half.accept(number + 1)
    assert half.openings == (7, 9)
    assert half.acceptances == (8, 10)


@given(st.integers(0, 2**32))
@settings(max_examples=5)
def test_of_a_flood_on_one_port_the_smallest_numbers_stay_whatever_their_order(seed: int) -> None:
    half = Half(0)
    numbers = random.Random(seed).sample(range(3 * MOST_CONNECTIONS), 3 * MOST_CONNECTIONS)
    for number in numbers:
        half.open(number)
        half.accept(number)
    for kept in (half.openings, half.acceptances):
        assert len(kept) <= 2 * MOST_CONNECTIONS
        assert smallest_numbers(kept) == set(range(MOST_CONNECTIONS))


def test_of_very_many_questions_those_stay_that_the_other_end_keeps_too() -> None:
    keys = [f"d{number:04x}:name" for number in range(5000)]
    half = Half(0)
    for key in keys:
        half.more.ask(key)
    assert len(half.more.questions) <= 4 * MAX_KEYS
    assert smallest_keys(half.more.questions) == smallest_keys(keys)


def test_of_very_many_names_the_first_stay() -> None:
    half = Half(0)
    for number in range(500, 0, -1):
        half.call(PeerName(f"n{number:03d}.test", NameSource.HTTP))
    assert len(half.names) <= 2 * MOST_NAMES
    assert names_in_order(half.names) == tuple(
        PeerName(f"n{number:03d}.test", NameSource.HTTP) for number in range(1, MOST_NAMES + 1)
    )


some_halves = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 99), st.integers(60, 99)), max_size=3),
        st.integers(0, 511),
        st.lists(st.integers(0, 9), max_size=3),
        st.lists(st.sampled_from(["a", "b"]), max_size=3),
    ),
    min_size=1,
    max_size=5,
)


def a_half(content: tuple[list[tuple[int, int]], int, list[int], list[str]]) -> Half:
    packets, signals, numbers, words = content
    half = Half()
    half.signals = signals
    for time, wire in packets:
        half.count(time, wire)
    for number in numbers:
        half.open(number)
        half.more.duplicates += 1
    for word in words:
        half.more.ask(word)
        half.more.fragments += 1
    return half


def shape(half: Half) -> tuple[object, ...]:
    times = (half.first, half.last) if half.packets else ()
    extra = half.more
    sets = (set(half.openings), set(half.acceptances), extra.questions, half.names)
    sizes = (extra.duplicates, extra.fragments, extra.fragment_bytes)
    return half.packets, half.bytes, times, half.signals, sizes, [sorted(map(str, items)) for items in sets]


@given(some_halves)
def test_halves_add_in_any_order_to_the_same(
    contents: list[tuple[list[tuple[int, int]], int, list[int], list[str]]],
) -> None:
    forwards, backwards = Half(), Half()
    for content in contents:
        forwards.add(a_half(content))
    for content in reversed(contents):
        backwards.add(half_of(a_half(content).as_row()))
    assert shape(forwards) == shape(backwards)


def test_a_port_of_dns_at_either_end_is_known_from_the_first_packet_on() -> None:
    addresses = bytes(8)
    for ports, dns in ((b"\0\x35\x9c\x40", True), (b"\x9c\x40\x14\xe9", True), (b"\0\x50\x9c\x40", False)):
        assert is_dns(addresses + ports) is dns
        assert bool(begin_half(addresses + ports, 0).signals & LISTENED) is dns
    announced = {
        ports: bool(begin_half(addresses + ports, 0).signals & ANNOUNCED)
        for ports in (b"\x14\xe9\0\1", b"\0\1\x14\xe9", b"\0\x35\0\1", b"\x14\x35\0\xe9")
    }
    assert list(announced.values()) == [True, True, False, False]
