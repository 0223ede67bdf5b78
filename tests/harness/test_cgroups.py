"""Control groups, on a directory that looks like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import cgroups, layout

NODE = layout.nodes(1)[0]


@pytest.fixture
def version_one(tmp_path: Path) -> Path:
    """Several hierarchies; cpuset's root knows the machine's processors."""
    for name in ("cpu", "memory", "cpuset"):
        (tmp_path / name).mkdir()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    return tmp_path


@pytest.fixture
def version_two(tmp_path: Path) -> Path:
    """One hierarchy with two controllers."""
    for directory in (tmp_path, tmp_path / layout.CGROUP, tmp_path / layout.CGROUP / NODE.name):
        directory.mkdir(exist_ok=True)
        (directory / "cgroup.controllers").write_text("cpu memory\n")
    return tmp_path


def test_every_hierarchy_gets_a_group_for_the_node(version_one: Path) -> None:
    cgroups.create(NODE, version_one)
    for name in ("cpu", "memory", "cpuset"):
        assert (version_one / name / layout.CGROUP / NODE.name).is_dir()


def test_a_cpuset_takes_processors_from_above(version_one: Path) -> None:
    cgroups.create(NODE, version_one)
    group = version_one / "cpuset" / layout.CGROUP / NODE.name
    assert (group / "cpuset.cpus").read_text() == "0-1\n"
    assert (group / "cpuset.mems").read_text() == "0\n"


def test_the_unified_hierarchy_hands_its_controllers_down(version_two: Path) -> None:
    cgroups.create(NODE, version_two)
    assert cgroups.is_unified(version_two)
    for directory in (version_two, version_two / layout.CGROUP):
        assert (directory / "cgroup.subtree_control").is_file()


def test_groups_go_from_the_inside_out(version_one: Path) -> None:
    cgroups.create(NODE, version_one)
    pod = version_one / "cpu" / layout.CGROUP / NODE.name / "kubepods" / "pod1"
    pod.mkdir(parents=True)
    (version_one / "cpuset" / layout.CGROUP / NODE.name / "cpuset.cpus").unlink()
    cgroups.remove(version_one)
    assert not (version_one / "cpu" / layout.CGROUP).exists()
    assert (version_one / "cpu").is_dir()


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (f"4:memory:/{layout.CGROUP}/node1/kubepods/pod1\n", True),
        (f"0::/{layout.CGROUP}\n", True),
        ("0::/user.slice\n", False),
        (f"0::/{layout.CGROUP}-of-another\n", False),
    ],
)
def test_a_process_is_ours_by_its_group(text: str, ours: bool) -> None:
    assert cgroups.contains(text) is ours
