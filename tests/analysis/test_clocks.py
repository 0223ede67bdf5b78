"""Clocks that differ by minutes are measured by what captures share and by when they ran."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kubectl_netpolgen.analysis.alignment import moved
from kubectl_netpolgen.analysis.clocks import Clock, Recording, measure_clocks, recorder_offset
from kubectl_netpolgen.analysis.derivation import Capture, derive_edges
from kubectl_netpolgen.analysis.shared_connections import Comparison
from kubectl_netpolgen.model.flow import Conversation
from tests.analysis.boutique import synthesise
from tests.factories import (
    NOON,
    SECOND,
    a_capture,
    a_conversation,
    a_pod,
    a_timeline,
    edge_words,
    networks_of,
)

PODS = [a_pod(f"{name}-1", f"10.244.1.{number}", created=0) for number, name in enumerate("abcd", 5)]
YOUNG = a_pod("young-1", "10.244.1.20", created=NOON)
TIMELINE = a_timeline(*PODS, YOUNG)


def call(port: int = 40000, at: int = 0, **changes: Any) -> Conversation:
    """A connection at some second after noon, ten seconds long."""
    first = NOON + at * SECOND
    times = {"first": first, "last": first + 10 * SECOND}
    return a_conversation(client_port=port, keys=(f"t{port}",), **{**times, **changes})


def ahead(item: Conversation, seconds: int) -> Conversation:
    """The same by another clock."""
    return item._replace(first=item.first + seconds * SECOND, last=item.last + seconds * SECOND)


def clocks(*captures: Capture, recordings: dict[str, Recording] | None = None) -> list[tuple[int, bool]]:
    """Whole seconds that each capture's clock is ahead, by file, and whether that is in doubt."""
    comparison = Comparison(TIMELINE.held)
    for capture in captures:
        comparison.learn(capture)
    found = measure_clocks(comparison.glances, comparison.shared(), TIMELINE, recordings or {})
    return [(round(found[file].offset / SECOND), found[file].doubt) for file in sorted(found)]


@pytest.mark.parametrize("seconds", [0, 1, -1])
def test_small_differences_are_tolerated(seconds: int) -> None:
    a, b = a_capture(PODS[0], call()), a_capture(PODS[1], ahead(call(), seconds))
    comparison = Comparison(TIMELINE.held)
    for capture in (a, b):
        comparison.learn(capture)
    found = measure_clocks(comparison.glances, comparison.shared(), TIMELINE, {})
    assert not any(clock.off for clock in found.values())


@pytest.mark.parametrize("seconds", [60, -60, 300, -600, 5])
def test_capture_that_differs_from_two_others_is_the_one_that_is_off(seconds: int) -> None:
    first, second = call(40000), call(40002, at=20)
    a, c = a_capture(PODS[0], first), a_capture(PODS[2], second, call(40004))
    b = a_capture(PODS[1], ahead(first, seconds), ahead(second, seconds))
    d = a_capture(PODS[3], call(40004))
    assert clocks(a, b, c, d) == [(0, False), (seconds, False), (0, False), (0, False)]


def test_difference_of_two_is_in_doubt_until_the_run_says_who_is_right() -> None:
    a, b = a_capture(PODS[0], call()), a_capture(PODS[1], ahead(call(), 300))
    assert clocks(a, b) == [(0, True), (300, True)]
    run = Recording(NOON + 295 * SECOND, NOON + 320 * SECOND)
    assert clocks(a, b, recordings={a.file: run}) == [(-300, False), (0, False)]
    assert clocks(a, b, recordings={a.file: Recording(offset=-300 * SECOND)}) == [(-300, False), (0, False)]
    late = Recording(NOON - 5 * SECOND, NOON + 20 * SECOND)
    assert clocks(a, b, recordings={b.file: late}) == [(0, False), (300, False)]


def test_first_packet_that_was_lost_and_sent_again_is_no_difference_of_clocks() -> None:
    late = call()._replace(first=NOON + 7 * SECOND)
    assert clocks(a_capture(PODS[0], call()), a_capture(PODS[1], late)) == [(0, False), (0, False)]
    others = [call(port) for port in (40002, 40004)]
    a, b = a_capture(PODS[0], call(), *others), a_capture(PODS[1], late, *others)
    assert clocks(a, b) == [(0, False), (0, False)]


def test_captures_that_ended_at_different_times_are_compared_by_the_beginnings() -> None:
    calls = [call(port, at=port - 40000) for port in (40000, 40002, 40004)]
    for ends in (105, 105, 105), (106, 108, 110):
        cut = [
            ahead(item, 100)._replace(last=NOON + end * SECOND) for item, end in zip(calls, ends, strict=True)
        ]
        assert clocks(a_capture(PODS[0], *calls), a_capture(PODS[1], *cut)) == [(0, True), (100, True)]


def test_capture_alone_is_off_by_what_its_run_shows_at_least() -> None:
    capture = a_capture(PODS[0], *(call(40000 + n, at=n) for n in range(50)))
    run = Recording(NOON + 300 * SECOND, NOON + 360 * SECOND)
    comparison = Comparison(TIMELINE.held)
    comparison.learn(capture)
    (clock,) = measure_clocks(comparison.glances, (), TIMELINE, {capture.file: run}).values()
    assert clock.at_least
    assert -300 * SECOND < clock.offset < -280 * SECOND


def test_packets_from_before_the_pod_was_made_show_its_nodes_clock() -> None:
    capture = a_capture(YOUNG, *(call(40000 + n, at=-120) for n in range(5)))
    assert clocks(capture) == [(-118, False)]


def test_some_wild_times_are_nobodys_clock() -> None:
    wild = [call(39000, first=0), call(39001, last=NOON + 10**18)]
    capture = a_capture(PODS[0], *(call(40000 + n) for n in range(30)), *wild)
    run = Recording(NOON - SECOND, NOON + 20 * SECOND)
    assert clocks(capture, recordings={capture.file: run}) == [(0, False)]


def test_times_that_fit_by_no_offset_are_odd() -> None:
    capture = a_capture(PODS[0], *(call(40000 + n, at=n * 100) for n in range(30)))
    comparison = Comparison(TIMELINE.held)
    comparison.learn(capture)
    run = {capture.file: Recording(NOON, NOON + 60 * SECOND)}
    (clock,) = measure_clocks(comparison.glances, (), TIMELINE, run).values()
    assert (clock.odd, clock.offset) == (True, 0)


@pytest.mark.parametrize(
    ("offsets", "found"),
    [([], 0), ([1, 2], 0), ([300, 301, 0], 300), ([300, 0, -300], 0), ([-90, -91], -91)],
)
def test_recorders_clock_is_judged_by_most_nodes(offsets: list[int], found: int) -> None:
    assert recorder_offset(item * SECOND for item in offsets) == found * SECOND


@pytest.mark.parametrize("seed", range(30))
def test_application_has_the_same_edges_whichever_clock_is_off(seed: int) -> None:
    run, chance = synthesise(seed), random.Random(seed)
    timeline, networks = a_timeline(*run.objects), networks_of(*run.networks)
    whole = derive_edges(run.captures, networks, timeline)
    at = chance.randrange(len(run.captures))
    seconds = chance.choice((-1, 1)) * chance.randrange(60, 601)
    captures = list(run.captures)
    captures[at] = moved(captures[at], Clock(-seconds * SECOND))
    found = derive_edges(captures, networks, timeline)
    assert edge_words(found.edges) == edge_words(whole.edges)
    told = [item for item in found.findings if item.code == "clock-skew"]
    name = f"pod shop/{timeline.pods[captures[at].pod_uid].name}"
    shares = any(item.keys and item.keys[0][0] == "t" for item in captures[at].contents.conversations)
    if told:
        assert name in {item.subject for item in told} or any(
            "nothing says which" in item.message for item in told
        )
    else:
        assert not _shared_with_others(captures, at) or not shares


def _shared_with_others(captures: list[Capture], at: int) -> bool:
    """Whether any other capture shows one of its connections."""

    def numbers(capture: Capture) -> set[tuple[str, int]]:
        items = capture.contents.conversations
        return {(item.keys[0], item.client_port) for item in items if item.keys and item.keys[0][0] != "u"}

    return any(numbers(captures[at]) & numbers(other) for n, other in enumerate(captures) if n != at)
