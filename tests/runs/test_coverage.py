"""Findings about how well pods were captured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cluster.agent import AgentState, AgentStatus
from kubectl_netpolgen.model.bundle import PodState
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.times import parse_rfc3339
from kubectl_netpolgen.runs.coverage import describe, late_by
from tests.runs.factories import a_journal, a_pod, a_session, attached


def codes(*sessions: Any) -> list[str]:
    """The codes of the findings."""
    return [finding.code for finding in describe(sessions)]


def the(*sessions: Any) -> Finding:
    """The only finding."""
    (finding,) = describe(sessions)
    return finding


def status(**fields: Any) -> AgentStatus:
    """An agent's last status."""
    known: dict[str, Any] = {"reason": "client", "listening": 1.0, "bytes": 0, "words": "", **fields}
    return AgentStatus(state=AgentState.DONE, **known)


def test_a_pod_that_went_well_is_no_finding() -> None:
    assert codes(a_session(PodState.RELEASED, entries=1)) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (PodState.SKIPPED, "pod-skipped"),
        (PodState.REJECTED, "pod-not-captured"),
        (PodState.START_FAILED, "pod-not-captured"),
        (PodState.GONE, "pod-not-captured"),
        (PodState.TRANSFER_FAILED, "transfer-failed"),
        (PodState.SUSPECT, "capture-suspect"),
    ],
)
def test_every_bad_end_is_a_finding_with_its_reason(state: PodState, code: str) -> None:
    finding = the(a_session(state, reason="the reason"))
    assert (finding.code, finding.subject) == (code, "Pod shop/web")
    assert "the reason" in finding.message


def test_a_pod_that_left_something_is_captured_in_part(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    session = attached(journal, lambda mode: b"")
    session.state = PodState.GONE
    assert session.collector is not None
    session.collector.received = 5
    assert codes(session) == ["capture-cut-off"]


@pytest.mark.parametrize(
    ("reason", "way_out"),
    [
        ("ErrImagePull: not found", "--image"),
        ("no rights: forbidden", "rbac"),
        ('violates PodSecurity "restricted:latest"', "baseline"),
        ("something else", ""),
    ],
)
def test_the_way_out_fits_the_reason(reason: str, way_out: str) -> None:
    finding = the(a_session(PodState.REJECTED, reason=reason))
    assert way_out in finding.way_out and bool(finding.way_out) == bool(way_out)


def test_more_entries_than_one_are_said() -> None:
    finding = the(a_session(PodState.RELEASED, entries=2, fallbacks=["strict: no"]))
    assert finding.code == "rung-fallback"
    assert "keeps 2" in finding.message and "strict: no" in finding.message


def test_an_agent_that_may_start_after_all_is_named_with_its_end_and_how_to_end_it() -> None:
    session = a_session(
        PodState.START_FAILED,
        reason="the agent did not start in time",
        may_run=1080,
        container="npg-1a2b3c4d",
    )
    found = {finding.code: finding for finding in describe([session])}
    assert list(found) == ["pod-not-captured", "agent-left-behind"]
    left = found["agent-left-behind"]
    assert "npg-1a2b3c4d" in left.message and "18m after its start" in left.message
    assert "kubectl netpolgen clean -n shop" in left.way_out


def test_losses_and_limits_are_said(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    session = attached(journal, lambda mode: b"")
    session.state = PodState.RELEASED
    assert session.collector is not None
    session.collector.status = status(dropped=3, received=10, reason="packet-cap")
    found = describe([session])
    assert [finding.code for finding in found] == ["capture-limited", "packets-dropped"]
    assert "3 of 10 packets" in found[1].message
    assert "only its sockets" in found[0].message


def test_a_late_capture_says_what_it_missed(tmp_path: Path) -> None:
    journal, _ = a_journal(tmp_path / "bundle")
    started = {"state": {"running": {"startedAt": "2026-01-01T00:00:10Z"}}, "lastState": {}}
    never = {"state": {"waiting": {"reason": "x"}}}
    pod = a_pod(status={"containerStatuses": [started, never], "initContainerStatuses": None})
    session = attached(journal, lambda mode: b"", pod=pod, initial=False)
    session.state = PodState.RELEASED
    assert session.collector is not None
    session.collector.listening_since = parse_rfc3339("2026-01-01T00:00:13.500Z")
    assert late_by(session) == 3_500_000_000
    assert "first 3.5 s" in the(session).message
    assert the(session).severity is Severity.NOTE
    session.pod["spec"]["initContainers"] = [{"name": "mesh", "restartPolicy": "Always"}]
    assert the(session).severity is Severity.NOTE
    session.pod["spec"]["initContainers"].append({"name": "migrate"})
    assert the(session).severity is Severity.WARNING
    assert the(session).message.endswith("ran then: migrate")
    session.collector.listening_since = parse_rfc3339("2026-01-01T00:00:09Z")
    assert codes(session) == []
    session.initial = True
    assert late_by(session) == 0
