"""The harness as one thing, where nothing of it runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.harness.cluster import Harness, Stopwatch, exclusive
from tests.harness.errors import HarnessError
from tests.harness.layout import Layout


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """A harness whose directories are empty."""
    return Harness(Layout(state=tmp_path / "state", build=tmp_path / "build", cache=tmp_path / "cache"))


def test_a_cluster_that_was_never_started_is_down(harness: Harness) -> None:
    assert harness.status() == (False, ["down"])
    assert not harness.is_healthy()
    assert harness.logs(5) == ["no logs: the cluster is down"]


def test_a_half_started_cluster_is_not_healthy(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    harness.where.pids.mkdir(parents=True)
    (harness.where.pids / "etcd").write_text("1")
    healthy, lines = harness.status()
    assert not healthy
    assert lines[0].startswith("ENDED  etcd")
    assert "starts anew" in lines[-1]


def test_logs_show_where_they_are_and_how_they_end(harness: Harness) -> None:
    harness.where.logs.mkdir(parents=True)
    log = harness.where.logs / "etcd.log"
    log.write_text("one\ntwo\nthree\n")
    assert harness.logs(2) == [f"==> {log} <==", "two", "three"]
    assert harness.logs(0) == [f"==> {log} <=="]


def test_an_impossible_number_of_nodes_touches_nothing(harness: Harness) -> None:
    with pytest.raises(ValueError, match="between 1 and 9"):
        harness.up(10, print)
    assert not harness.where.state.exists()


def test_what_needs_root_says_so(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    harness.where.state.mkdir()
    with pytest.raises(HarnessError, match="sudo make cluster-down"):
        harness.down()
    with pytest.raises(HarnessError, match="sudo make cluster-status"):
        harness.status()


def test_progress_carries_the_time() -> None:
    said: list[str] = []
    Stopwatch(said.append)("network")
    assert said[0].endswith("s network")


def test_the_lock_is_free_again_afterwards(harness: Harness) -> None:
    for _ in range(2):
        with exclusive(harness.where):
            assert (harness.where.cache / "harness.lock").is_file()
