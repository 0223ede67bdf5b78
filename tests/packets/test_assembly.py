from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.assembly import Assembled, Assembly, Unfinished
from tests.packets.factories import dns_message
from tests.packets.factories_names import SERVER_NAME, a_client_hello, over_tcp

KEY = b"10.0.0.1>10.0.0.2"
HELLO = a_client_hello(key_share=1220, name_last=True)
FOUND = (Assembled(100, SERVER_NAME, b""),)


def feed(assembly: Assembly, *segments: tuple[int, bytes], dns: bool = False) -> list[Assembled]:
    """Hands over (sequence, payload) at the times 100, 101 and so on."""
    found: list[Assembled] = []
    for number, (sequence, payload) in enumerate(segments):
        found += assembly.segment(KEY, sequence & 0xFFFFFFFF, payload, 100 + number, dns=dns)
    return found


def pieces(whole: bytes, *cuts: int, base: int = 1000) -> list[tuple[int, bytes]]:
    ends = [0, *cuts, len(whole)]
    return [(base + start, whole[start:end]) for start, end in itertools.pairwise(ends)]


def test_a_hello_in_one_segment_waits_for_nothing() -> None:
    assembly = Assembly()
    assert assembly.segment(KEY, 5, HELLO, 100) == FOUND
    assert not assembly.pending


def test_a_hello_over_two_segments_is_put_together_and_forgotten() -> None:
    assembly = Assembly()
    first, second = pieces(HELLO, 1000)
    assert feed(assembly, first) == []
    assert KEY in assembly.pending
    assert assembly.segment(KEY, *second, 200) == FOUND
    assert not assembly.pending


def test_a_name_in_the_first_segment_is_told_at_once() -> None:
    assembly = Assembly()
    assert assembly.segment(KEY, 5, a_client_hello(key_share=1220)[:700], 100) == FOUND
    assert not assembly.pending


@pytest.mark.parametrize("order", list(itertools.permutations(range(1, 4))))
def test_segments_out_of_order_are_kept_and_used(order: tuple[int, ...]) -> None:
    segments = pieces(HELLO, 300, 700, 1100)
    assert feed(Assembly(), segments[0], *(segments[number] for number in order)) == list(FOUND)


def test_sequence_numbers_wrap() -> None:
    assert feed(Assembly(), *pieces(HELLO, 300, 700, base=0xFFFFFFFF - 400)) == list(FOUND)


def test_retransmissions_change_nothing_and_the_first_bytes_win() -> None:
    assembly = Assembly()
    first, second, third = pieces(HELLO, 500, 900)
    forged = (second[0] - 50, bytes(450))
    found = feed(assembly, first, first, (1100, b"\xff" * 100), third, second, forged, second)
    assert found == list(FOUND)

    assert feed(Assembly(), first, second, (1400, b"\xff" * 500), third) == list(FOUND)


def test_a_segment_that_the_snap_length_cut_is_not_waited_for() -> None:
    assembly = Assembly()
    assert assembly.segment(KEY, 0, HELLO[:96], 100, cut=True) == ()
    assert (assembly.dropped, len(assembly.pending)) == (1, 0)
    assembly.segment(KEY, 0, HELLO[:96], 100)
    assert assembly.segment(KEY, 96, HELLO[96:200], 100, cut=True) == ()
    assert (assembly.dropped, len(assembly.pending)) == (2, 0)


def test_a_name_in_front_of_the_cut_is_found() -> None:
    assert Assembly().segment(KEY, 0, a_client_hello()[:140], 100, cut=True) == FOUND


def test_a_new_connection_with_the_same_addresses_begins_anew() -> None:
    assembly = Assembly()
    feed(assembly, pieces(HELLO, 900)[0])
    assert feed(assembly, *pieces(HELLO, 700, base=900_000)) == list(FOUND)
    assert assembly.dropped == 1


def test_segments_far_from_the_hello_are_not_looked_at() -> None:
    assembly = Assembly()
    first, second = pieces(HELLO, 900)
    assert feed(assembly, first, (900_000, b"later data"), second) == list(FOUND)


def test_segments_and_bytes_of_one_hello_have_bounds() -> None:
    endless = a_client_hello(key_share=60_000, name_last=True, cuts=tuple(range(10_000, 60_000, 10_000)))
    few = Assembly()
    feed(few, *pieces(endless, *range(300, 300 + 20 * 20, 20))[:20])
    assert (few.dropped, len(few.pending)) == (1, 0)
    large = Assembly()
    feed(large, *pieces(endless, 300, 9000, 20_000)[:3])
    assert (large.dropped, len(large.pending)) == (1, 0)
    at_once = Assembly()
    feed(at_once, (0, endless[:17_000]))
    assert (at_once.dropped, len(at_once.pending)) == (1, 0)


def test_the_oldest_of_too_many_is_given_up() -> None:
    assembly = Assembly(most=2)
    for number in range(4):
        assembly.segment(bytes((number,)), 0, HELLO[:900], number)
    assert (list(assembly.pending), assembly.dropped) == ([b"\2", b"\3"], 2)


def test_what_never_became_whole_can_be_looked_at() -> None:
    assembly = Assembly()
    feed(assembly, (1000, HELLO[:500]), (1600, HELLO[600:700]))
    assert list(assembly.unfinished()) == [Unfinished(KEY, 100, HELLO[:500])]


def test_what_begins_nothing_is_not_kept() -> None:
    assembly = Assembly()
    assert feed(assembly, (0, b"GET / HTTP/1.1\r\n"), (16, b"")) == []
    assert (assembly.dropped, len(assembly.pending)) == (0, 0)


MESSAGES = tuple(dns_message(f"n{number}.test", transaction=number) for number in range(3))


def told(found: list[Assembled]) -> list[bytes]:
    return [item.message for item in found]


def test_dns_messages_in_one_segment_are_told_apart() -> None:
    assembly = Assembly()
    assert told(feed(assembly, (0, over_tcp(*MESSAGES)), dns=True)) == list(MESSAGES)
    assert not assembly.pending


@pytest.mark.parametrize("cut", range(1, 70))
def test_dns_messages_over_segments_are_put_together(cut: int) -> None:
    assembly = Assembly()
    assert told(feed(assembly, *pieces(over_tcp(*MESSAGES), cut), dns=True)) == list(MESSAGES)
    assert not assembly.pending


def test_a_length_alone_in_a_segment_is_waited_for() -> None:
    stream = over_tcp(MESSAGES[0])
    assert told(feed(Assembly(), *pieces(stream, 1, 2), dns=True)) == [MESSAGES[0]]


def test_a_stream_that_is_no_dns_is_not_waited_for() -> None:
    assembly = Assembly()
    assert feed(assembly, (0, b"\0\1no dns"), dns=True) == []
    assert not assembly.pending


def test_a_message_has_the_time_of_the_segment_it_began_in() -> None:
    one, two = MESSAGES[:2]
    found = feed(Assembly(), *pieces(over_tcp(one, two), 5, len(one) + 10), dns=True)
    assert [item.time for item in found] == [100, 101]


@given(st.data())
def test_any_cutting_of_a_hello_and_any_order_behind_its_start_give_the_same(data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(6, len(HELLO) - 1), min_size=1, max_size=9)))
    base = data.draw(st.integers(0, 2**32 - 1))
    first, *others = pieces(HELLO, *cuts, base=base)
    shuffled = list(others)
    random.Random(data.draw(st.integers(0, 99))).shuffle(shuffled)
    again = data.draw(st.lists(st.sampled_from([first, *others[:-1]]), max_size=2))
    assert [item.server_name for item in feed(Assembly(), first, *again, *shuffled)] == [SERVER_NAME]


@given(st.sets(st.integers(1, len(over_tcp(*MESSAGES)) - 1), max_size=9), st.integers(0, 2**32 - 1))
def test_any_cutting_of_a_stream_of_messages_gives_the_same(cuts: set[int], base: int) -> None:
    segments = pieces(over_tcp(*MESSAGES), *sorted(cuts), base=base)
    assembly = Assembly()
    assert told(feed(assembly, *segments, dns=True)) == list(MESSAGES)
    assert not assembly.pending


@given(st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=60), st.booleans()), max_size=30))
def test_nothing_that_segments_hold_can_raise(segments: list[tuple[int, bytes, bool]]) -> None:
    assembly = Assembly(most=3)
    for number, (sequence, payload, dns) in enumerate(segments):
        start = HELLO[:40] if number % 5 == 0 else b""
        assembly.segment(
            bytes((number % 4,)), sequence, start + payload, number, dns=dns, cut=number % 7 == 6
        )
    assert len(assembly.pending) <= 3
