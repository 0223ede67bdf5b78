"""Random sets of policies on the real cluster: what the evaluator says is what the pods experience."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.e2e.sets.room import Result, Room, room
from tests.harness.target import Target

pytestmark = pytest.mark.harness_only

FIRST = int(os.environ.get("NETPOLGEN_E2E_FIRST_SET", "1"))
COUNT = int(os.environ.get("NETPOLGEN_E2E_SETS", "10"))
WRITTEN = os.environ.get("NETPOLGEN_E2E_SETS_RESULTS")
ROOMS = 2


@pytest.fixture(scope="module")
def rooms(cluster: Target) -> Iterator[list[Room]]:
    """Several at a time, each with namespaces of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(room(cluster.kubectl, str(number))) for number in range(ROOMS)]


@pytest.fixture(scope="module")
def results(rooms: list[Room]) -> list[Result]:
    """Every set, judged in one room or another; each written down as soon as it is known."""

    def judge(number: int) -> list[Result]:
        found = []
        for seed in range(FIRST + number, FIRST + COUNT, ROOMS):
            found.append(rooms[number].judge(seed))
            if WRITTEN:
                with Path(WRITTEN).open("a") as stream:
                    stream.write(json.dumps(asdict(found[-1])) + "\n")
        return found

    # before any policy, everything connects; an attempt that never does would prove nothing by timing out
    for each in rooms:
        outcomes = each.try_all(each.attempts(each.pods()))
        assert {str(item): said for item, said in outcomes.items() if said != "connected"} == {}
    with ThreadPoolExecutor(max_workers=ROOMS) as pool:
        return [item for found in pool.map(judge, range(ROOMS)) for item in found]


def test_every_verdict_is_what_the_pods_experience(results: list[Result]) -> None:
    """Both families, TCP and UDP, ports by number, name and range, ranges of addresses with holes."""
    assert len(results) == COUNT
    assert [item for found in results for item in found.differences] == []


def test_the_sets_allow_something_and_deny_something(results: list[Result]) -> None:
    """Sets of which every attempt ends the same way would show little."""
    for found in results:
        assert found.attempts >= 1000
    assert sum(0.1 < item.allowed / item.attempts < 0.95 for item in results) >= len(results) * 0.6
