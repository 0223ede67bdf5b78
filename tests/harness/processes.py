"""Commands that end and processes that stay: the only place where the harness starts anything."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.harness.errors import HarnessError
from tests.harness.layout import CHECKOUT, Layout

# Every process started here carries this variable, and so do its children: teardown knows its own.
MARKER = "NPG_HARNESS_STATE"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_environment() -> dict[str, str]:
    """The user's environment, with the system's programs in its search path.

    A user's path often lacks /usr/sbin, where iptables and sysctl are.
    """
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"}


def run(
    *command: str | Path, check: bool = True, timeout: float = 120.0, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a failure becomes a HarnessError that quotes the command's words."""
    arguments = [str(part) for part in command]
    finished = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=cwd,
        env=search_environment(),
    )
    if check and finished.returncode != 0:
        said = (finished.stderr or finished.stdout).strip()
        raise HarnessError(f"`{' '.join(arguments)}` failed with {finished.returncode}: {said}")
    return finished


def inside(network_namespace: str, *command: str | Path) -> list[str]:
    """The command line that runs `command` in a network namespace.

    Not `ip netns exec`: that mounts a new /sys, and the container runtime loses the cgroups.
    """
    return ["nsenter", f"--net=/run/netns/{network_namespace}", "--", *map(str, command)]


def component_environment(layout: Layout) -> dict[str, str]:
    """The environment of every component: short, marked, and without the user's proxies.

    A proxy variable would send the API server's own webhook calls out of the machine.
    """
    return {"PATH": SYSTEM_PATH, "HOME": "/root", "LANG": "C.UTF-8", MARKER: str(layout.state)}


@dataclass(frozen=True)
class Component:
    """A process that stays, known by its name in logs and status."""

    name: str
    command: tuple[str, ...]
    network_namespace: str | None = None

    def start(self, layout: Layout) -> None:
        """Start the process in a session of its own, so that ^C on `up` does not reach it.

        The shell in between ends at once: the process is then nobody's child that has to be waited for.
        """
        command = list(self.command)
        if self.network_namespace is not None:
            command = inside(self.network_namespace, *command)
        with (layout.logs / f"{self.name}.log").open("ab") as log:
            subprocess.run(
                ["sh", "-c", 'setsid "$@" & echo $! > "$0"', str(layout.pids / self.name), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=component_environment(layout),
                cwd=CHECKOUT,
                check=True,
            )


def carries_marker(pid: int, layout: Layout) -> bool:
    """Whether this process was started by the harness, directly or by a child of its."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(f"{MARKER}={layout.state}") in environment.split(b"\0")


def is_running(pid: int) -> bool:
    """Whether the process exists and has not ended; a zombie has ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def recorded_components(layout: Layout) -> dict[str, bool]:
    """Each component that was started, and whether it still runs.

    A reused process id does not count: the marker must be there as well.
    """
    running: dict[str, bool] = {}
    for recorded in sorted(layout.pids.glob("*")):
        pid = int(recorded.read_text().strip() or "0")
        running[recorded.name] = is_running(pid) and carries_marker(pid, layout)
    return running
