"""Everything of the harness off the machine again, whatever state an interrupted `up` left it in.

Shims and containers outlive their container runtime, so nothing here relies on what was recorded.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.harness import cgroups, layout, network
from tests.harness.errors import HarnessError
from tests.harness.layout import Layout
from tests.harness.processes import carries_marker, is_running, run

# Directories at fixed places that container runtime, CNI plugins and kubelet make by themselves.
SHARED_DIRECTORIES = (
    Path("/run/containerd"),
    Path("/run/runc"),
    Path("/etc/cni"),
    Path("/opt/cni"),
    Path("/opt/containerd"),
    Path("/var/lib/cni"),
    Path("/var/lib/containerd"),
    Path("/var/lib/kubelet"),
    Path("/var/lib/kube-proxy"),
    Path("/var/log/containers"),
    Path("/var/log/pods"),
    Path("/usr/libexec/kubernetes"),
)
_KILL_SECONDS = 20.0


@dataclass(frozen=True)
class Leftovers:
    """What of the harness is on the machine now."""

    processes: tuple[int, ...]
    mounts: tuple[str, ...]
    links: tuple[str, ...]
    namespaces: tuple[str, ...]
    cgroups: tuple[str, ...]
    state: bool

    def __bool__(self) -> bool:
        """Whether there is anything at all."""
        return any((self.processes, self.mounts, self.links, self.namespaces, self.cgroups, self.state))


def leftovers(where: Layout) -> Leftovers:
    """Look at the machine itself rather than at records: a killed `up` leaves none."""
    return Leftovers(
        tuple(processes(where)),
        tuple(mounts(where.state, Path("/proc/self/mounts").read_text())),
        tuple(path.name for path in sorted(Path("/sys/class/net").glob("npg*"))),
        tuple(network.namespaces()),
        tuple(str(path) for path in cgroups.groups()),
        where.state.exists(),
    )


def processes(where: Layout) -> Iterator[int]:
    """Every process of the harness: marked at its start, or in its namespaces or control groups."""
    inodes = {layout.netns_path(name).stat().st_ino for name in network.namespaces()}
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        if pid == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if not is_running(pid):
                continue
            if (
                carries_marker(pid, where)
                or (entry / "ns" / "net").stat().st_ino in inodes
                or cgroups.contains((entry / "cgroup").read_text())
            ):
                yield pid


def mounts(state: Path, mount_table: str) -> list[str]:
    """The mount points under the state directory, innermost first."""
    prefix = f"{state}/"
    points = [line.split()[1].encode().decode("unicode_escape") for line in mount_table.splitlines()]
    return sorted((point for point in points if point.startswith(prefix)), reverse=True)


def remember_shared_directories(where: Layout) -> None:
    """Note which of the shared directories are not there yet: those are ours to remove."""
    absent = [str(path) for path in SHARED_DIRECTORIES if not path.exists()]
    (where.state / "made-by-us").write_text("\n".join(absent))


def tear_down(where: Layout) -> None:
    """Remove everything; raise when something stays."""
    _kill(where)
    _remove_runtime_sockets(where)
    for point in mounts(where.state, Path("/proc/self/mounts").read_text()):
        run("umount", "--lazy", point, check=False)
    network.remove()
    cgroups.remove()
    _remove_shared(where)
    shutil.rmtree(where.state, ignore_errors=True)
    for file in (where.admin_kubeconfig, where.dev_kubeconfig, where.kubectl):
        file.unlink(missing_ok=True)
    left = leftovers(where)
    if left:
        raise HarnessError(f"could not remove everything of the harness: {left}")


def _kill(where: Layout) -> None:
    """Kill until none is left: nothing of the state is to be kept, so nobody needs a goodbye."""
    deadline = time.monotonic() + _KILL_SECONDS
    while found := list(processes(where)):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise HarnessError(f"processes {found} do not end")
        time.sleep(0.1)


def _remove_runtime_sockets(where: Layout) -> None:
    """Shims listen in a directory that all container runtimes of the machine share."""
    for address in where.state.glob("node*/run/io.containerd.runtime.v2.task/*/*/address"):
        Path(address.read_text().strip().removeprefix("unix://")).unlink(missing_ok=True)


def _remove_shared(where: Layout) -> None:
    """Remove what the components made outside of the state directory."""
    for result in Path("/var/lib/cni/results").glob(f"{layout.CNI_NETWORK}-*"):
        result.unlink(missing_ok=True)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{where.state}/"):
            link.unlink(missing_ok=True)
    record = where.state / "made-by-us"
    made = record.read_text().splitlines() if record.is_file() else []
    for directory in made:
        if Path(directory) in SHARED_DIRECTORIES:
            shutil.rmtree(directory, ignore_errors=True)
