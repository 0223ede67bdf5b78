"""Starting, recognising and losing processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.harness import processes, teardown
from tests.harness.errors import HarnessError
from tests.harness.layout import Layout
from tests.harness.processes import Component


@pytest.fixture
def where(tmp_path: Path) -> Layout:
    """A place for logs and records."""
    found = Layout(state=tmp_path / "state", build=tmp_path / "build", cache=tmp_path / "cache")
    found.logs.mkdir(parents=True)
    found.pids.mkdir()
    return found


def test_a_failed_command_speaks_for_itself() -> None:
    with pytest.raises(HarnessError, match=r"`sh -c .*` failed with 3: broken"):
        processes.run("sh", "-c", "echo broken >&2; exit 3")
    assert processes.run("false", check=False).returncode == 1


def test_a_namespace_is_entered_without_touching_mounts() -> None:
    assert processes.inside("npg-node1", "ip", "link")[:2] == ["nsenter", "--net=/run/netns/npg-node1"]


def test_components_do_not_inherit_the_users_proxy(monkeypatch: pytest.MonkeyPatch, where: Layout) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.test")
    assert "HTTPS_PROXY" not in processes.component_environment(where)


def test_a_component_is_known_by_its_marker_until_it_ends(where: Layout) -> None:
    Component("sleeper", ("sh", "-c", "echo up; exec sleep 60")).start(where)
    pid = int((where.pids / "sleeper").read_text())
    deadline = time.monotonic() + 5
    while not processes.carries_marker(pid, where) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.recorded_components(where) == {"sleeper": True}
    assert pid in set(teardown.processes(where))
    os.kill(pid, 9)
    while processes.is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.recorded_components(where) == {"sleeper": False}


def test_another_process_under_the_same_number_is_not_ours(where: Layout) -> None:
    (where.pids / "etcd").write_text(str(os.getpid()))
    assert processes.recorded_components(where) == {"etcd": False}
