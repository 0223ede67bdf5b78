"""From when to when a pod was there, and how much of that its capture covers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.watched import WatchedPod, watched_pods
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.model.objects import Pod
from tests.factories import NOON, SECOND, a_pod, an_event

END = NOON + 60 * SECOND


def a_capture(name: str = "web-1", **changes: Any) -> PodCapture:
    started, ended = NOON + SECOND, END
    words = {"state": PodState.VERIFIED, "started": started, "ended": ended, "dropped": 0, **changes}
    return PodCapture(uid=f"uid-{name}", namespace="shop", name=name, **words)


def watched(
    capture: PodCapture, *pods: Pod, events: tuple[Any, ...] = (), readable: bool = True
) -> WatchedPod:
    known = {pod.uid: pod for pod in pods}
    uids = {capture.uid} if readable else set()
    (found,) = watched_pods([capture], known, events, uids, started=NOON, ended=END)
    return found


OLD = a_pod("web-1")


def test_a_pod_that_was_there_all_along_misses_what_came_before_its_capture() -> None:
    found = watched(a_capture(), OLD)
    assert (found.there, found.captured) == ((NOON, END), (NOON + SECOND, END))
    assert (found.missed, found.dropped) == (SECOND, 0)


def test_a_pod_that_came_later_misses_nothing_before_it() -> None:
    born = NOON + 20 * SECOND
    found = watched(a_capture(started=born + 2 * SECOND), a_pod("web-1", created=born))
    assert (found.there, found.missed) == ((born, END), 2 * SECOND)


@pytest.mark.parametrize(("pod", "kind"), [(OLD, "DELETED"), (a_pod("web-1", phase="Succeeded"), "MODIFIED")])
def test_a_pod_that_ended_misses_nothing_after_it(pod: Pod, kind: str) -> None:
    over = NOON + 30 * SECOND
    events = (an_event(pod, at=over, type=kind), an_event(pod, at=over + SECOND, type="DELETED"))
    found = watched(a_capture(ended=over), OLD, events=events)
    assert (found.there, found.missed) == ((NOON, over), SECOND)


def test_without_a_capture_all_of_it_was_missed_and_nobody_counted_losses() -> None:
    for found in (watched(a_capture(), OLD, readable=False), watched(a_capture(started=0, dropped=7), OLD)):
        assert (found.captured, found.missed, found.dropped) == (None, 60 * SECOND, None)


def test_a_capture_whose_end_nobody_noted_lasts_as_long_as_its_pod() -> None:
    assert watched(a_capture(ended=0), OLD).captured == (NOON + SECOND, END)


def test_losses_that_nobody_counted_are_unknown() -> None:
    assert watched(a_capture(dropped=None), OLD).dropped is None
    assert watched(a_capture(dropped=3), OLD).dropped == 3


def test_one_that_is_not_to_be_captured_says_why() -> None:
    found = watched(a_capture(state=PodState.SKIPPED, reason="hostNetwork", started=0), OLD)
    assert (found.skipped, found.reason) == (True, "hostNetwork")


def test_a_pod_that_no_object_names_is_taken_to_have_been_there_all_along() -> None:
    assert watched(a_capture()).there == (NOON, END)


@given(st.tuples(*(st.integers(-100, 200) for _ in range(4))))
def test_what_was_missed_is_never_negative_nor_more_than_there_was(times: tuple[int, int, int, int]) -> None:
    created, started, ended, gone = (NOON + number * SECOND for number in times)
    pod = a_pod("web-1", created=created)
    events = (an_event(pod, at=gone, type="DELETED"),)
    found = watched(a_capture(started=started, ended=ended), pod, events=events)
    assert NOON <= found.there[0] <= found.there[1] <= END
    assert 0 <= found.missed <= found.there[1] - found.there[0]
