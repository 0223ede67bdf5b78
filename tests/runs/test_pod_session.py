"""Sessions and the journal of their changes."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.cluster.attach import AgentContainer
from kubectl_netpolgen.cluster.container_state import ContainerPhase
from kubectl_netpolgen.model.bundle import PodState, Rung
from kubectl_netpolgen.model.errors import BundleError
from tests.runs.factories import RUN, UID, a_journal, a_pod, a_session

CONTAINER = AgentContainer(run=RUN, image="i", limits=AgentLimits(), seconds=60)


def test_a_change_is_a_line_and_a_sight(tmp_path: Path) -> None:
    journal, view = a_journal(tmp_path / "bundle")
    session = a_session(rung=Rung.BASELINE)
    journal.move(session, PodState.REJECTED, "because")
    (line,) = (tmp_path / "bundle" / "session.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "pod": "shop/web",
        "uid": UID,
        "state": "rejected",
        "reason": "because",
        "rung": "baseline",
    }
    assert view.states == [("web", PodState.REJECTED)]


def test_a_session_that_was_left_behind_changes_no_more(tmp_path: Path) -> None:
    journal, view = a_journal(tmp_path / "bundle")
    session = a_session(PodState.TRANSFER_FAILED, left=True)
    journal.move(session, PodState.VERIFIED)
    assert session.state is PodState.TRANSFER_FAILED
    assert not view.states


def test_the_first_failure_to_write_is_kept(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/bundle/x")

    def later() -> None:
        raise BundleError("later")

    journal.write(full)
    journal.write(later)
    assert journal.error is not None
    assert journal.error.message == "/bundle/x: No space left on device"


def test_pods_of_one_owner_share_a_template() -> None:
    owner = {"kind": "ReplicaSet", "uid": "u1", "controller": True}
    other = {"kind": "ConfigMap", "uid": "u2"}
    assert a_session(pod=a_pod(metadata={"ownerReferences": [other, owner]})).template == "u1"
    assert a_session(pod=a_pod(metadata={"ownerReferences": [other]})).template == UID


def test_a_session_says_what_the_model_keeps() -> None:
    capture = a_session(PodState.REJECTED, reason="r", entries=2).capture()
    assert (capture.uid, capture.namespace, capture.name) == (UID, "shop", "web")
    assert (capture.state, capture.reason, capture.entries) == (PodState.REJECTED, "r", 2)
    assert (capture.pcap, capture.started, capture.dropped) == ("", 0, None)


def test_the_report_is_about_the_present_rung() -> None:
    statuses = [
        {"name": f"npg-{RUN}", "state": {"terminated": {"exitCode": 1}}},
        {"name": f"npg-{RUN}-2", "state": {"running": {}}},
    ]
    session = a_session(pod=a_pod(status={"ephemeralContainerStatuses": statuses}))
    assert session.report(CONTAINER).phase is ContainerPhase.ABSENT
    session.rung = Rung.STRICT
    assert session.report(CONTAINER).phase is ContainerPhase.TERMINATED
    session.rung = Rung.BASELINE
    assert session.report(CONTAINER).phase is ContainerPhase.RUNNING


@pytest.mark.parametrize(
    ("policy", "states", "completed"),
    [
        ("Never", [{"terminated": {"exitCode": 0}}], True),
        ("Never", [{"terminated": {"exitCode": 1}}], True),
        ("Never", [{"terminated": {"exitCode": 0}}, {"running": {}}], False),
        ("Never", [], False),
        ("OnFailure", [{"terminated": {"exitCode": 0}}], True),
        ("OnFailure", [{"terminated": {"exitCode": 1}}], False),
        ("Always", [{"terminated": {"exitCode": 0}}], False),
    ],
)
def test_a_pod_is_completed_when_nothing_of_it_will_run_again(
    policy: str, states: list[dict[str, Any]], completed: bool
) -> None:
    statuses = [{"name": f"c{number}", "state": state} for number, state in enumerate(states)]
    session = a_session()
    session.pod = a_pod(
        "job", spec={"restartPolicy": policy}, status={"containerStatuses": statuses, "phase": "Running"}
    )
    assert session.completed is completed
    assert session.leaving is completed
