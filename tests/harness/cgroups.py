"""The control groups above the pods: one for each node, in either version of the kernel's hierarchy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.harness.layout import CGROUP, Node

ROOT = Path("/sys/fs/cgroup")
_CPUSET_FILES = ("cpuset.cpus", "cpuset.mems")


def is_unified(root: Path = ROOT) -> bool:
    """Whether this is cgroup v2, one hierarchy for all controllers."""
    return (root / "cgroup.controllers").is_file()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The roots under which every node needs a group."""
    if is_unified(root):
        return [root]
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())


def create(node: Node, root: Path = ROOT) -> None:
    """Make the node's group in every hierarchy."""
    for hierarchy in hierarchies(root):
        parent = hierarchy / CGROUP
        group = parent / node.name
        group.mkdir(parents=True, exist_ok=True)
        if is_unified(root):
            for above in (hierarchy, parent, group):
                _hand_controllers_down(above)
        elif (hierarchy / _CPUSET_FILES[0]).is_file():
            # A new cpuset is empty and takes no process until both are set, from the top down.
            for below in (parent, group):
                for name in _CPUSET_FILES:
                    (below / name).write_text((below.parent / name).read_text())


def _hand_controllers_down(group: Path) -> None:
    controllers = (group / "cgroup.controllers").read_text().split()
    for controller in controllers:
        with contextlib.suppress(OSError):
            (group / "cgroup.subtree_control").write_text(f"+{controller}")


def groups(root: Path = ROOT) -> Iterator[Path]:
    """Every group of the harness that exists, the innermost first."""
    for hierarchy in hierarchies(root):
        top = hierarchy / CGROUP
        if top.is_dir():
            yield from sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True)
            yield top


def remove(root: Path = ROOT) -> None:
    """Remove the harness's groups; their processes must have ended."""
    for group in groups(root):
        with contextlib.suppress(OSError):
            group.rmdir()


def contains(cgroup_file: str) -> bool:
    """Whether a process with this /proc/PID/cgroup is in a group of the harness."""
    paths = (line.split(":", 2)[-1] for line in cgroup_file.splitlines())
    return any(f"/{CGROUP}/" in f"{path}/" for path in paths)
