"""Which pods belong to a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netpolgen.runs.roster import Roster
from tests.runs.factories import a_pod
from tests.runs.fake_pods import Stage, stage


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Stage]:
    """A fake cluster."""
    with stage(tmp_path) as made:
        yield made


def roster(scene: Stage, selector: str = "") -> Roster:
    """A roster of one namespace."""
    return Roster(scene.client, ("shop",), selector, clock=lambda: 5)


def names(made: Roster) -> list[str]:
    """The pods it has."""
    return [session.name for session in made.sessions()]


def test_pods_of_the_namespaces_are_taken_and_no_others(scene: Stage) -> None:
    made = roster(scene)
    made.begin(
        [
            a_pod("b", uid="2"),
            a_pod("a", uid="1"),
            a_pod("c", uid="3", namespace="other"),
            {"kind": "Service", "metadata": {"name": "s", "namespace": "shop", "uid": "9"}},
        ]
    )
    assert names(made) == ["a", "b"]


def test_only_running_pods_are_waited_for(scene: Stage) -> None:
    made = roster(scene)
    made.begin([a_pod("a", uid="1"), a_pod("b", uid="2", status={"phase": "Pending"})])
    made.observe("ADDED", a_pod("c", uid="3"))
    assert [session.initial for session in made.sessions()] == [True, False, False]


def test_a_recreated_pod_is_another_pod(scene: Stage) -> None:
    made = roster(scene)
    made.begin([a_pod("db-0", uid="1")])
    made.observe("DELETED", a_pod("db-0", uid="1"))
    made.observe("ADDED", a_pod("db-0", uid="2"))
    first, second = made.sessions()
    assert (first.absent, second.absent) == (True, False)


def test_a_deletion_is_remembered_and_its_tombstone_says_nothing(scene: Stage) -> None:
    made = roster(scene)
    made.begin([a_pod("a", uid="1")])
    made.observe("MODIFIED", a_pod("a", uid="1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))
    made.observe("DELETED", {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop", "uid": "1"}})
    (session,) = made.sessions()
    assert session.deleting and session.absent
    assert session.node == "node1"


def test_nobody_is_added_by_being_deleted(scene: Stage) -> None:
    made = roster(scene)
    made.begin([])
    made.observe("DELETED", a_pod("a", uid="1"))
    assert names(made) == []


def test_with_a_selector_new_pods_are_candidates_until_the_server_spoke(scene: Stage) -> None:
    made = roster(scene, "app=a")
    made.begin([a_pod("b", uid="2")])
    made.observe("ADDED", a_pod("a", uid="1"))
    made.observe("MODIFIED", a_pod("a", uid="1"))
    (candidate,) = made.candidates
    assert names(made) == []
    assert not made.matches(candidate)
    scene.api.store.put("Pod", "a", namespace="shop", uid="1", metadata={"labels": {"app": "a"}})
    assert made.matches(candidate)
    made.admit(candidate)
    assert names(made) == ["a"]


def test_the_node_tells_why_a_pod_is_left_out(scene: Stage) -> None:
    made = roster(scene)
    made.begin([a_pod("a", uid="1")])
    (session,) = made.sessions()
    assert made.skip_reason(session) == ""
    labels = {"kubernetes.io/os": "windows"}
    made.observe("ADDED", {"kind": "Node", "metadata": {"name": "node1", "labels": labels}})
    assert "Windows" in made.skip_reason(session)
