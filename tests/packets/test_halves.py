from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flows import MAX_KEYS, smallest_keys
from kubectl_netpolgen.packets.halves import MOST_CONNECTIONS, Half


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
    assert half.opened == (7, 9)
    assert half.accepted == (8, 10)


def test_a_flood_on_one_port_stays_bounded() -> None:
    half = Half(0)
    for number in range(MOST_CONNECTIONS + 10):
        half.open(number)
        half.accept(number)
    assert len(half.opened) == len(half.accepted) == MOST_CONNECTIONS


def test_of_very_many_questions_those_stay_that_the_other_end_keeps_too() -> None:
    keys = [f"d{number:04x}:name" for number in range(5000)]
    half = Half(0)
    for key in keys:
        half.ask(key)
    assert half.questions is not None
    assert len(half.questions) <= 4 * MAX_KEYS
    assert smallest_keys(half.questions) == smallest_keys(keys)
