"""The fixed orders by which merged flows keep the stronger word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Direction, Outcome, better_outcome, stronger_direction
from tests.factories import a_flow

OUTCOMES = st.sampled_from(Outcome)
DIRECTIONS = st.sampled_from(Direction)


def test_handshake_is_stronger_than_tables_and_tables_than_guesses() -> None:
    assert stronger_direction(Direction.HEURISTIC, Direction.SYN) is Direction.SYN
    assert stronger_direction(Direction.LISTEN, Direction.PROVEN) is Direction.LISTEN
    assert stronger_direction(Direction.DECLARED, Direction.HEURISTIC) is Direction.DECLARED


def test_one_success_makes_the_edge_real() -> None:
    assert better_outcome(Outcome.REFUSED, Outcome.ESTABLISHED) is Outcome.ESTABLISHED
    assert better_outcome(Outcome.UNANSWERED, Outcome.ONE_WAY) is Outcome.ONE_WAY
    assert better_outcome(Outcome.UNKNOWN, Outcome.UNANSWERED) is Outcome.UNANSWERED


@given(OUTCOMES, OUTCOMES, OUTCOMES)
def test_outcomes_merge_in_any_order(a: Outcome, b: Outcome, c: Outcome) -> None:
    assert better_outcome(a, b) is better_outcome(b, a)
    assert better_outcome(a, better_outcome(b, c)) is better_outcome(better_outcome(a, b), c)
    assert better_outcome(a, a) is a


@given(DIRECTIONS, DIRECTIONS, DIRECTIONS)
def test_directions_merge_in_any_order(a: Direction, b: Direction, c: Direction) -> None:
    assert stronger_direction(a, b) is stronger_direction(b, a)
    assert stronger_direction(a, stronger_direction(b, c)) is stronger_direction(stronger_direction(a, b), c)


def test_outcome_is_accepted_or_failed_or_open() -> None:
    assert {item for item in Outcome if item.accepted} == {
        Outcome.ESTABLISHED,
        Outcome.ANSWERED,
        Outcome.ONE_WAY,
    }
    assert {item for item in Outcome if item.failed} == {
        Outcome.REFUSED,
        Outcome.PROHIBITED,
        Outcome.UNANSWERED,
    }


def test_flow_adds_up_both_ways() -> None:
    flow = a_flow(packets_to_server=3, packets_to_client=2, bytes_to_server=30, bytes_to_client=20)
    assert (flow.packets, flow.bytes) == (5, 50)
