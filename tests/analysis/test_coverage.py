"""Whether one may stop: what was seen just once tells how much was not seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.coverage import Coverage, measure_coverage
from kubectl_netpolgen.analysis.unused import Unused, UnusedKind
from kubectl_netpolgen.analysis.watched import WatchedPod
from kubectl_netpolgen.model.edge import Edge, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.objects import ObjectKey
from tests.factories import NOON, SECOND, an_edge


def measured(*edges: Edge, seconds: int = 60) -> Coverage:
    return measure_coverage(edges, started=NOON, ended=NOON + seconds * SECOND, pods_captured=3, pods_there=4)


def edges(*connections: int | None) -> list[Edge]:
    return [an_edge(port=port, connections=number) for port, number in enumerate(connections, 1)]


@pytest.mark.parametrize(
    ("connections", "unseen"),
    [((5, 9, 100), 0), ((1, 1, 1, 2, 9), 1.5), ((1, 1, 1, 1), 6), ((1,), 0), ((), 0), ((None, None), 0)],
)
def test_estimate_is_chaos_lower_bound(connections: tuple[int | None, ...], unseen: float) -> None:
    assert measured(*edges(*connections)).unseen == unseen


@given(st.lists(st.integers(1, 5), max_size=30))
def test_estimate_is_never_negative_and_needs_what_was_seen_once(connections: list[int]) -> None:
    found = measured(*edges(*connections))
    assert found.unseen >= 0
    assert (found.unseen > 0) == (connections.count(1) > 1)


def test_failures_and_probes_are_no_edges_to_wait_for() -> None:
    found = measured(an_edge(outcome=Outcome.REFUSED), an_edge(port=9, role=Role.PROBE), an_edge(port=80))
    assert (found.edges, found.seen_once) == (1, 1)


def test_line_says_whether_to_go_on() -> None:
    often = [an_edge(port=port, connections=9) for port in (80, 81)]
    assert str(measured(*often)) == (
        "3 of 4 pods captured; the newest edge came 0 s into 60 s; about 0 more edges are to be expected "
        "(you may stop, as far as such hours tell)"
    )
    assert "(go on)" in str(measured(*edges(1, 1, 1)))
    late = an_edge(connections=9, first=NOON + 50 * SECOND)
    assert "came 50 s into 60 s" in str(measured(late)) and "(go on)" in str(measured(late))
    assert str(measured()) == "3 of 4 pods captured; no edge was seen"


def test_losses_are_said_only_where_there_are_some() -> None:
    often = an_edge(connections=9)
    lost = WatchedPod("a", "shop", "a", (NOON, NOON + 9 * SECOND), (NOON + 5 * SECOND, NOON + 9 * SECOND), 3)
    skipped = WatchedPod("b", "shop", "b", (NOON, NOON + 9 * SECOND), None, None, skipped=True)
    key = ObjectKey("Deployment", "shop", "api")
    unused = (
        *(Unused(UnusedKind.PORT, key, name) for name in ("80/TCP", "81/TCP")),
        Unused(UnusedKind.CRON_JOB, ObjectKey("CronJob", "shop", "night")),
    )
    found = measure_coverage(
        [often],
        started=NOON,
        ended=NOON + 9 * SECOND,
        pods_captured=1,
        pods_there=1,
        pods=(lost, skipped),
        unused=unused,
    )
    assert (found.missed, found.dropped) == (5 * SECOND, 3)
    assert str(found).startswith(
        "1 of 1 pods captured; 5 s of their time missed; 3 packets lost; "
        "without traffic: 2 declared ports, 1 CronJob; the newest edge came"
    )


def test_losses_that_nobody_counted_are_unknown() -> None:
    assert measured().dropped is None
