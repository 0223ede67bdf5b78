"""What is decided about each pod; whole runs are in test_record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.cluster.attach import AgentContainer
from kubectl_netpolgen.model.bundle import PodState, Rung
from kubectl_netpolgen.runs.attaching import Attacher
from kubectl_netpolgen.runs.collecting import Gatherer
from kubectl_netpolgen.runs.pod_session import Journal, PodSession
from kubectl_netpolgen.runs.roster import Roster
from kubectl_netpolgen.runs.schedule import Schedule, Timing
from kubectl_netpolgen.runs.workers import Workers
from tests.runs.factories import RUN, a_journal, a_pod
from tests.runs.fake_pods import stage


@dataclass
class Queued(Workers):
    """Workers that only remember; a test lets a task run when it wants to."""

    tasks: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def submit(self, urgency: int, task: Callable[[], None]) -> None:
        """Remember."""
        self.tasks.append((urgency, task))


@dataclass
class Desk:
    """A schedule, and all it looks at."""

    schedule: Schedule
    roster: Roster
    attacher: Attacher
    journal: Journal
    workers: Queued

    def turn(self) -> list[int]:
        """One turn; the urgencies of what was submitted."""
        self.workers.tasks.clear()
        self.schedule.turn(self.journal)
        return [urgency for urgency, _ in self.workers.tasks]

    def session(self, name: str) -> PodSession:
        """A session by its pod's name."""
        return next(session for session in self.roster.sessions() if session.name == name)

    def put(self, name: str, state: PodState, **fields: Any) -> PodSession:
        """Bring a session into a state."""
        session = self.session(name)
        session.state, session.busy = state, False
        for key, value in {"rung": Rung.STRICT, **fields}.items():
            setattr(session, key, value)
        return session


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Three pods on two nodes."""
    with stage(tmp_path) as scene:
        journal, _ = a_journal(tmp_path / "other")
        roster = Roster(scene.client, ("shop",), "", clock=lambda: 0)
        roster.begin([a_pod(f"w{n}", uid=str(n), spec={"nodeName": f"node{n % 2}"}) for n in range(3)])
        container = AgentContainer(run=RUN, image="i", limits=AgentLimits(), seconds=60)
        attacher = Attacher(scene.client, container, journal, lambda session, name: no_exec)
        workers = Queued()
        schedule = Schedule(
            roster, attacher, Gatherer(journal), workers, timing=Timing(pilot=60.0, pull_grace=60.0)
        )
        yield Desk(schedule, roster, attacher, journal, workers)


def no_exec(*arguments: Any, **options: Any) -> None:
    """Nothing runs here."""


def state_of(name: str, state: dict[str, Any], node: str) -> dict[str, Any]:
    """A pod whose agent is in this state, as the kubelet tells."""
    statuses = [{"name": f"npg-{RUN}", "state": state}]
    return a_pod(name, spec={"nodeName": node}, status={"ephemeralContainerStatuses": statuses})


def test_one_pod_goes_first_and_the_others_are_previewed(desk: Desk) -> None:
    assert desk.turn() == [1, 2, 2]
    assert desk.turn() == []


def test_all_others_follow_once_the_first_one_captures(desk: Desk) -> None:
    desk.turn()
    desk.put("w0", PodState.CAPTURING, attempted=time.monotonic())
    for name in ("w1", "w2"):
        desk.put(name, PodState.DISCOVERED, rung=None)
    assert desk.turn() == [1, 1]


def test_all_others_follow_once_a_rung_is_known_to_be_useless(desk: Desk) -> None:
    desk.turn()
    desk.put("w0", PodState.PATCHED, patched=time.monotonic())
    desk.attacher.useless[Rung.STRICT] = "words"
    for name in ("w1", "w2"):
        desk.put(name, PodState.DISCOVERED, rung=None)
    assert desk.turn() == [1, 1]


def test_an_image_that_one_node_cannot_pull_is_tried_on_one_other(desk: Desk) -> None:
    desk.turn()
    desk.put("w0", PodState.START_FAILED, unpullable=True, reason="cannot be pulled")
    for name in ("w1", "w2"):
        desk.put(name, PodState.DISCOVERED, rung=None)
    assert desk.turn() == [1]
    assert desk.session("w1").busy
    desk.put("w1", PodState.START_FAILED, unpullable=True, reason="cannot be pulled")
    assert desk.turn() == [1]
    assert desk.attacher.hopeless == "cannot be pulled"


def test_a_leaving_pod_goes_before_all_others(desk: Desk) -> None:
    now = time.monotonic()
    desk.put("w0", PodState.CAPTURING, deleting=True, attempted=now)
    desk.put("w1", PodState.CAPTURING, attempted=now)
    desk.put("w2", PodState.CAPTURING, attempted=0.0)
    assert desk.turn() == [0, 2]


def test_a_job_that_is_done_is_fetched_at_once_for_its_agent_ends_with_it(desk: Desk) -> None:
    now = time.monotonic()
    for name in ("w0", "w1", "w2"):
        desk.put(name, PodState.CAPTURING, attempted=now)
    ended = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]}
    desk.session("w1").pod = a_pod("w1", uid="1", spec={"restartPolicy": "Never"}, status=ended)
    assert desk.turn() == [0]
    assert desk.session("w1").busy
    desk.put("w1", PodState.VERIFIED, lingering=True)
    assert desk.turn() == [1]


def test_the_end_finishes_what_captures_and_gives_up_what_never_started(desk: Desk) -> None:
    desk.put("w0", PodState.CAPTURING)
    desk.put("w1", PodState.PATCHED)
    desk.put("w2", PodState.DISCOVERED, rung=None)
    desk.schedule.ending = True
    assert desk.turn() == [1]
    assert [session.state for session in desk.roster.sessions()] == [
        PodState.CAPTURING,
        PodState.START_FAILED,
        PodState.SKIPPED,
    ]
    assert not desk.schedule.idle
    assert desk.session("w1").may_run == AgentLimits().alone
    assert desk.session("w2").may_run == 0


def test_verified_pods_are_released_when_all_are(desk: Desk) -> None:
    for name in ("w0", "w1"):
        desk.put(name, PodState.VERIFIED, lingering=True)
    desk.put("w2", PodState.REJECTED)
    desk.schedule.ending = True
    seen = [(desk.turn(), desk.schedule.idle)]
    desk.schedule.releasing = True
    seen.append(([], desk.schedule.idle))
    assert seen == [([], True), ([], False)]
    assert desk.turn() == [1, 1]


def test_a_running_agent_is_asked_and_not_asked_again_at_once(desk: Desk) -> None:
    desk.put("w0", PodState.PATCHED, patched=time.monotonic(), pod=state_of("w0", {"running": {}}, "node0"))
    for name in ("w1", "w2"):
        desk.put(name, PodState.REJECTED)
    assert desk.turn() == [1]
    desk.session("w0").busy = False
    assert desk.turn() == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"terminated": {"exitCode": 127}}, "exit status 127"),
        ({"terminated": {"exitCode": 1, "message": '{"state": "starting"}'}}, "starting"),
        ({"waiting": {"reason": "InvalidImageName", "message": "couldn't parse"}}, "couldn't parse"),
    ],
)
def test_an_agent_that_cannot_run_is_given_up(desk: Desk, state: dict[str, Any], words: str) -> None:
    desk.put("w0", PodState.PATCHED, patched=time.monotonic(), pod=state_of("w0", state, "node0"))
    for name in ("w1", "w2"):
        desk.put(name, PodState.REJECTED)
    desk.turn()
    assert desk.session("w0").state is PodState.START_FAILED
    assert words in desk.session("w0").reason


def test_the_window_waits_for_running_pods_alone(desk: Desk) -> None:
    assert not desk.schedule.settled()
    desk.put("w0", PodState.CAPTURING)
    desk.put("w1", PodState.START_FAILED)
    desk.put("w2", PodState.PATCHED, deleting=True)
    assert desk.schedule.settled()


def test_a_run_without_a_pod_that_can_capture_has_no_hope(desk: Desk) -> None:
    for name in ("w0", "w1", "w2"):
        desk.put(name, PodState.SKIPPED)
    assert not desk.schedule.hopeful
    desk.put("w0", PodState.RELEASED, verified=True)
    assert desk.schedule.hopeful
