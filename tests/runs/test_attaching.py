"""Climbing down the ladder, one pod at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netpolgen.cluster.agent import AgentLimits, AgentState, AgentStatus
from kubectl_netpolgen.cluster.attach import AgentContainer
from kubectl_netpolgen.cluster.container_state import ContainerPhase, ContainerReport
from kubectl_netpolgen.model.bundle import PodState, Rung
from kubectl_netpolgen.runs.attaching import Attacher
from kubectl_netpolgen.runs.pod_session import Journal, PodSession
from tests.cluster.fake_api.answers import refusal
from tests.runs.factories import RUN, attached
from tests.runs.fake_pods import NAMESPACE, Stage, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    """A fake cluster whose containers never start: only patches matter here."""
    with stage(tmp_path) as made:
        made.node.waiting = lambda pod, container: "ContainerCreating"
        yield made


def attacher(scene: Stage) -> Attacher:
    """An attacher that waits for nothing."""
    journal = Journal(scene.writer, scene.view, lambda: 5)
    container = AgentContainer(run=RUN, image="image:1", limits=AgentLimits(), seconds=60)
    execute = attached(journal, lambda mode: b"").collector
    assert execute is not None
    return Attacher(
        scene.client, container, journal, lambda session, name: execute.execute, pause=lambda seconds: None
    )


def a_session_of(scene: Stage, name: str = "w1") -> PodSession:
    """A session of a pod that the server knows."""
    return PodSession(scene.node.pod(name), 0, initial=True)


def failed(words: str, reason: str = "permission") -> AgentStatus:
    """What an agent says that cannot capture."""
    return AgentStatus(AgentState.FAILED, reason, listening=0.0, bytes=0, words=words)


CAPTURING = AgentStatus(AgentState.CAPTURING, "", listening=1.0, bytes=0, words="")


def patches(scene: Stage, *, dry: bool) -> int:
    """How many patches the server got."""
    asked = [request for request in scene.api.received if request.method == "PATCH"]
    return sum(bool(request.query.get("dryRun")) is dry for request in asked)


def test_a_dry_run_comes_before_the_patch(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.attach(session)
    assert (session.state, session.rung, session.entries) == (PodState.PATCHED, Rung.STRICT, 1)
    assert (patches(scene, dry=True), patches(scene, dry=False)) == (1, 1)
    assert session.collector is not None and session.collector.run == RUN


def test_a_preview_spares_the_dry_run_later(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.preview(session)
    made.attach(session)
    assert patches(scene, dry=True) == 1


def test_a_preview_that_fails_is_nobodys_verdict(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    scene.api.plan("PATCH", "*", refusal(403, "Forbidden", "forbidden: cannot patch"))
    made.preview(session)
    made.attach(session)
    assert session.state is PodState.PATCHED


def test_words_of_one_agent_spare_all_others_the_rung(scene: Stage) -> None:
    made, first, second = attacher(scene), a_session_of(scene), a_session_of(scene, "w2")
    made.attach(first)
    made.judge(first, failed("Couldn't change"))
    made.attach(second)
    assert (first.rung, first.entries) == (second.rung, second.entries + 1) == (Rung.BASELINE, 2)
    assert first.container == f"npg-{RUN}-2"
    made.judge(first, CAPTURING)
    assert first.capture().state is PodState.CAPTURING


def test_a_rung_that_worked_once_is_not_given_up_for_one_pod(scene: Stage) -> None:
    made, first, second = attacher(scene), a_session_of(scene), a_session_of(scene, "w2")
    made.attach(first)
    made.judge(first, CAPTURING)
    made.attach(second)
    made.judge(second, failed("no permission here"))
    assert second.rung is Rung.BASELINE
    assert not made.useless


def test_what_is_no_lack_of_privilege_says_nothing_of_other_pods(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.attach(session)
    made.judge(session, failed("syntax error", reason="tcpdump-exited"))
    assert session.rung is Rung.BASELINE
    assert not made.useless


def test_an_image_without_tcpdump_is_tried_once(scene: Stage) -> None:
    made, first, second = attacher(scene), a_session_of(scene), a_session_of(scene, "w2")
    made.attach(first)
    made.judge(first, failed("not found", reason="no-tcpdump"))
    made.attach(second)
    assert (first.state, first.entries) == (PodState.START_FAILED, 1)
    assert (second.state, second.entries) == (PodState.REJECTED, 0)
    assert "image:1 has no tcpdump" in second.reason


def test_an_image_without_a_shell_is_tried_once(scene: Stage) -> None:
    made, first, second = attacher(scene), a_session_of(scene), a_session_of(scene, "w2")
    made.attach(first)
    made.give_up(first, ContainerReport(ContainerPhase.TERMINATED, "StartError", 'exec: "sh": not found'))
    made.attach(second)
    assert second.entries == 0
    assert 'exec: "sh": not found' in second.reason


@pytest.mark.parametrize(
    ("phase", "may_run"), [(ContainerPhase.STUCK, True), (ContainerPhase.HOPELESS, False)]
)
def test_a_container_that_the_kubelet_goes_on_trying_may_still_run(
    scene: Stage, phase: ContainerPhase, may_run: bool
) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.attach(session)
    made.give_up(session, ContainerReport(phase, "ImagePullBackOff", "not found"))
    assert bool(session.may_run) is may_run


def test_a_read_only_pod_is_that_pods_own_reason(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.attach(session)
    made.judge(session, failed("no directory can be written to", reason="no-directory"))
    assert (session.state, session.entries) == (PodState.START_FAILED, 1)
    assert not made.useless and not made.hopeless


def test_a_pod_that_ends_while_starting_is_gone(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.attach(session)
    made.judge(session, failed("", reason="sigterm"))
    assert session.state is PodState.GONE


def test_a_pod_that_vanished_is_gone(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    scene.api.store.delete("Pod", "w1", namespace=NAMESPACE)
    made.attach(session)
    assert session.state is PodState.GONE


def test_what_the_moment_refused_is_tried_again(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    scene.api.plan("PATCH", "*", refusal(409, "Conflict", "the object has been modified"), times=3)
    made.attach(session)
    assert session.state is PodState.PATCHED


def test_what_is_refused_for_ever_is_not(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    scene.api.plan("PATCH", "*", refusal(409, "Conflict", "the object has been modified"), times=99)
    made.attach(session)
    assert (session.state, session.reason) == (PodState.REJECTED, "the object has been modified")


def test_an_entry_that_is_there_already_is_ours(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    made.preview(session)
    words = 'existing ephemeral containers "npg" may not be changed'
    scene.api.plan("PATCH", "*", refusal(422, "Invalid", words))
    made.attach(session)
    assert session.state is PodState.PATCHED


def test_a_webhook_that_knows_no_dry_run_leaves_it_to_the_patch(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    scene.api.plan("PATCH", "*", refusal(400, "BadRequest", 'webhook "x" does not support dry run'))
    made.attach(session)
    assert session.state is PodState.PATCHED


def test_an_old_server_is_named(scene: Stage) -> None:
    made, session = attacher(scene), a_session_of(scene)
    scene.api.plan("PATCH", "*", refusal(404, "NotFound", "the server could not find the requested resource"))
    made.attach(session)
    assert "before 1.23" in session.reason
