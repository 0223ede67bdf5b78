from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Direction, Outcome
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
from kubectl_netpolgen.packets.verdicts import (
    EPHEMERAL,
    PROVING_RECEIVERS,
    PROVING_SENDERS,
    Halves,
    Verdict,
    judge,
    judge_packed,
    pack_halves,
    proves_receiver,
    proves_sender,
)

HIGH, LOW = 40000, 8080
SYN, SYNACK, DECLARED = Direction.SYN, Direction.SYNACK, Direction.DECLARED
PROVEN, HEURISTIC = Direction.PROVEN, Direction.HEURISTIC


def judged(
    there: int | None,
    here: int | None,
    *,
    protocol: int = TCP,
    there_first: bool = True,
    ports: tuple[int, int] = (HIGH, LOW),
    proven: tuple[bool, bool] = (False, False),
) -> Verdict:
    """The verdict on two halves; None is a half without packets, ports are those of what goes there."""
    source, destination = ports
    return judge(
        Halves(
            protocol,
            there or 0,
            here or 0,
            there is not None,
            here is not None,
            there_first,
            source < destination,
            source > destination,
            source >= EPHEMERAL and destination >= EPHEMERAL,
            *proven,
        )
    )


def oriented(verdict: Verdict) -> tuple[Direction, bool]:
    return verdict.direction, verdict.turned


@pytest.mark.parametrize(
    ("there", "here", "there_first", "expected"),
    [
        (OPENS, None, True, (SYN, False)),
        (None, OPENS, False, (SYN, True)),
        (ACCEPTS, None, True, (SYNACK, True)),
        (CARRIES, ACCEPTS, True, (SYNACK, False)),
        (OPENS, ACCEPTS, False, (SYN, False)),
        # both ends opened, in two connections or at once
        (OPENS, OPENS | ACCEPTS, False, (SYN, False)),
        (OPENS | ACCEPTS, OPENS, True, (SYN, True)),
        (OPENS, OPENS, True, (SYN, False)),
        (OPENS, OPENS, False, (SYN, True)),
        (OPENS | ACCEPTS, OPENS | ACCEPTS, False, (SYN, True)),
        (OPENS | ACCEPTS, None, True, (SYN, False)),
    ],
)
def test_a_handshake_shows_the_client_and_the_accepted_or_earlier_of_two_wins(
    there: int | None, here: int | None, there_first: bool, expected: tuple[Direction, bool]
) -> None:
    for ports in ((HIGH, LOW), (LOW, HIGH), (LOW, LOW)):
        for proven in ((False, False), (True, False), (False, True)):
            verdict = judged(there, here, there_first=there_first, ports=ports, proven=proven)
            assert oriented(verdict) == expected


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (ASKS, None, (DECLARED, False)),
        (ASKS, REPLIES, (DECLARED, False)),
        (None, REPLIES, (DECLARED, False)),
        (REPLIES, None, (DECLARED, True)),
        (REPLIES, ASKS, (DECLARED, True)),
        # two servers that ask each other: their ports say more
        (ASKS, ASKS, (HEURISTIC, True)),
        (ASKS | REPLIES, None, (HEURISTIC, True)),
    ],
)
def test_who_asks_in_dns_is_the_client(
    there: int | None, here: int | None, expected: tuple[Direction, bool]
) -> None:
    assert oriented(judged(there, here, protocol=UDP, ports=(53, HIGH))) == expected


def test_an_end_that_serves_by_another_handshake_is_the_server_unless_both_do() -> None:
    assert oriented(judged(CARRIES, CARRIES, ports=(LOW, HIGH), proven=(False, True))) == (PROVEN, False)
    assert oriented(judged(CARRIES, CARRIES, ports=(HIGH, LOW), proven=(True, False))) == (PROVEN, True)
    assert oriented(judged(CARRIES, CARRIES, ports=(LOW, HIGH), proven=(True, True))) == (HEURISTIC, True)


@pytest.mark.parametrize(
    ("protocol", "ports", "there_first", "turned"),
    [
        (TCP, (HIGH, LOW), False, False),
        (TCP, (LOW, HIGH), True, True),
        (TCP, (50000, 40000), False, False),
        (UDP, (EPHEMERAL - 1, 50000), True, True),
        (UDP, (50000, EPHEMERAL), False, True),
        (UDP, (EPHEMERAL, 50000), True, False),
        (TCP, (LOW, LOW), True, False),
        (TCP, (LOW, LOW), False, True),
    ],
)
def test_without_any_evidence_the_higher_port_or_the_first_sender_is_the_client(
    protocol: int, ports: tuple[int, int], there_first: bool, turned: bool
) -> None:
    verdict = judged(CARRIES, CARRIES, protocol=protocol, ports=ports, there_first=there_first)
    assert oriented(verdict) == (HEURISTIC, turned)


@pytest.mark.parametrize(
    ("protocol", "client", "server", "outcome"),
    [
        (TCP, OPENS | CARRIES, ACCEPTS | CARRIES, Outcome.ESTABLISHED),
        (TCP, OPENS, ACCEPTS | RESETS, Outcome.ESTABLISHED),
        (SCTP, CARRIES, CARRIES, Outcome.ESTABLISHED),
        (TCP, OPENS, RESETS, Outcome.REFUSED),
        (SCTP, OPENS, RESETS, Outcome.REFUSED),
        (TCP, OPENS | REFUSED, None, Outcome.REFUSED),
        (TCP, OPENS | PROHIBITED, None, Outcome.PROHIBITED),
        (TCP, OPENS | PROHIBITED | REFUSED, None, Outcome.REFUSED),
        (TCP, OPENS, None, Outcome.UNANSWERED),
        (TCP, OPENS | CARRIES, None, Outcome.UNKNOWN),
        (TCP, CARRIES, None, Outcome.UNKNOWN),
        (TCP, CARRIES, RESETS, Outcome.UNKNOWN),
        (UDP, 0, 0, Outcome.ANSWERED),
        (UDP, REFUSED, 0, Outcome.ANSWERED),
        (UDP, REFUSED | PROHIBITED, None, Outcome.REFUSED),
        (UDP, PROHIBITED, None, Outcome.PROHIBITED),
        (UDP, 0, None, Outcome.UNANSWERED),
    ],
)
def test_what_became_of_the_attempts(
    protocol: int, client: int, server: int | None, outcome: Outcome
) -> None:
    assert judged(client, server, protocol=protocol).outcome is outcome


signals = st.integers(0, 255) | st.none()


@given(
    signals,
    signals,
    st.sampled_from([TCP, UDP, SCTP]),
    st.booleans(),
    st.tuples(*[st.sampled_from([53, LOW, EPHEMERAL, 50000])] * 2),
    st.tuples(st.booleans(), st.booleans()),
)
def test_the_other_way_round_the_verdict_is_the_same_and_turned(
    there: int | None,
    here: int | None,
    protocol: int,
    there_first: bool,
    ports: tuple[int, int],
    proven: tuple[bool, bool],
) -> None:
    straight = judged(there, here, protocol=protocol, there_first=there_first, ports=ports, proven=proven)
    turned = judged(
        here, there, protocol=protocol, there_first=not there_first, ports=ports[::-1], proven=proven[::-1]
    )
    assert turned == straight._replace(turned=not straight.turned)


halves = st.builds(
    Halves, st.sampled_from([TCP, UDP, SCTP]), st.integers(0, 255), st.integers(0, 255), *[st.booleans()] * 8
)


@given(halves)
def test_packed_into_a_number_the_verdict_is_the_same(found: Halves) -> None:
    assert judge_packed(pack_halves(found)) == judge(found)


@given(halves, halves)
def test_no_two_views_are_the_same_number(one: Halves, other: Halves) -> None:
    assert (pack_halves(one) == pack_halves(other)) == (one == other)


def test_accepting_proves_the_sender_and_going_on_after_a_question_proves_the_receiver() -> None:
    assert proves_sender(ACCEPTS)
    assert not proves_sender(OPENS | CARRIES)
    assert proves_receiver(OPENS | CARRIES | RESETS)
    assert not proves_receiver(OPENS | RESETS)
    assert not proves_receiver(CARRIES)
    assert PROVING_SENDERS[ACCEPTS] and not PROVING_SENDERS[OPENS | CARRIES]
    assert PROVING_RECEIVERS[OPENS | CARRIES] and not PROVING_RECEIVERS[CARRIES]
