"""What the kubelet says of a container."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpolgen.cluster.agent import AgentState
from kubectl_netpolgen.cluster.container_state import ContainerPhase, container_report


def pod(state: Any, *, name: str = "npg-1") -> dict[str, Any]:
    """A pod whose ephemeral container is in this state."""
    return {"status": {"ephemeralContainerStatuses": [{"name": "other"}, {"name": name, "state": state}]}}


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ({"running": {"startedAt": "2026-01-01T00:00:00Z"}}, ContainerPhase.RUNNING),
        ({"waiting": {"reason": "ContainerCreating"}}, ContainerPhase.WAITING),
        ({"waiting": {"reason": "PodInitializing"}}, ContainerPhase.WAITING),
        ({"waiting": {"reason": "ErrImagePull"}}, ContainerPhase.STUCK),
        ({"waiting": {"reason": "ImagePullBackOff"}}, ContainerPhase.STUCK),
        ({"waiting": {"reason": "CreateContainerConfigError"}}, ContainerPhase.STUCK),
        ({"waiting": {"reason": "ErrImageNeverPull"}}, ContainerPhase.HOPELESS),
        ({"waiting": {"reason": "InvalidImageName"}}, ContainerPhase.HOPELESS),
        ({"terminated": {"exitCode": 1}}, ContainerPhase.TERMINATED),
        ({}, ContainerPhase.ABSENT),
        (None, ContainerPhase.ABSENT),
        ("nonsense", ContainerPhase.ABSENT),
    ],
)
def test_every_state_is_a_phase(state: Any, phase: ContainerPhase) -> None:
    assert container_report(pod(state), "npg-1").phase is phase


@pytest.mark.parametrize(
    "status", [None, {}, {"ephemeralContainerStatuses": None}, {"ephemeralContainerStatuses": [None, 3]}]
)
def test_a_pod_that_says_nothing_of_it_has_none(status: Any) -> None:
    assert container_report({"status": status}, "npg-1").phase is ContainerPhase.ABSENT


def test_another_container_is_not_ours() -> None:
    assert container_report(pod({"running": {}}, name="npg-2"), "npg-1").phase is ContainerPhase.ABSENT


def test_the_kubelets_words_are_kept() -> None:
    report = container_report(
        pod({"waiting": {"reason": "ErrImagePull", "message": "no such host"}}), "npg-1"
    )
    assert report.words == "ErrImagePull: no such host"


def test_the_agents_last_words_come_with_the_end() -> None:
    message = json.dumps({"state": "failed", "reason": "permission", "words": "Couldn't change"})
    report = container_report(pod({"terminated": {"exitCode": 1, "message": message}}), "npg-1")
    assert report.agent is not None and report.agent.state is AgentState.FAILED
    assert report.words == "Couldn't change"
    assert report.exit_code == 1


def test_an_end_without_the_agents_words_has_the_runtimes() -> None:
    ended = {"exitCode": 128, "reason": "StartError", "message": 'exec: "sh": not found'}
    report = container_report(pod({"terminated": ended}), "npg-1")
    assert report.agent is None
    assert report.words == 'StartError: exec: "sh": not found'
