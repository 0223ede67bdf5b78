"""The real agent.sh and pull.sh on this machine, with a tcpdump that does as it is told."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kubectl_netpolgen.cluster.agent import AgentLimits, AgentStatus, agent_environment, parse_status, script
from kubectl_netpolgen.cluster.collect import Collector
from kubectl_netpolgen.cluster.exec import ConnectionLost, ExecFailed

RUN = "1a2b3c4d"
TOOLS = ["cat", "date", "grep", "head", "mkdir", "mv", "rm", "sed", "sha256sum", "sleep", "tail", "tr", "wc"]

TCPDUMP = """\
#!{python} -SE
import os, signal, sys, time
behaviour = os.environ.get("FAKE_TCPDUMP", "listens")
arguments = sys.argv[1:]
def value(flag):
    return arguments[arguments.index(flag) + 1]
def say(text):
    sys.stderr.write(text + "\\n")
    sys.stderr.flush()
if behaviour == "refused":
    say("tcpdump: any: You don't have permission to perform this capture on that device")
    sys.exit(1)
if behaviour == "stays" and "-Z" not in arguments:
    say("tcpdump: Couldn't change to 'tcpdump' uid=1 gid=1: Operation not permitted")
    sys.exit(1)
if behaviour == "drops":
    say("tcpdump: Couldn't change to 'root' uid=0 gid=0: Operation not permitted")
    sys.exit(1)
if behaviour == "filter":
    say("tcpdump: can't parse filter expression: syntax error")
    sys.exit(1)
count = 0
def end(*_):
    say("%d packet%s captured" % (count, "" if count == 1 else "s"))
    say("%d packets received by filter\\n1 packet dropped by kernel" % (count + 1))
    sys.exit(0)
signal.signal(signal.SIGINT, end)
out = open(value("-w"), "wb", buffering=0)
out.write(b"\\xd4\\xc3\\xb2\\xa1" + bytes(20))
open("arguments", "w").write("\\n".join(arguments))
if behaviour == "late":
    time.sleep(0.3)
say("tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 1600 bytes")
while True:
    time.sleep(0.01)
    if os.path.exists("die"):
        sys.exit(1)
    if os.path.exists("packet"):
        out.write(open("packet", "rb").read())
        os.unlink("packet")
        count += 1
        if count == int(value("-c")):
            end()
"""


@dataclass(frozen=True)
class Shell:
    """A shell and the tools that come with it."""

    name: str
    command: tuple[str, ...]
    tools: str
    """A program that plays all tools, as busybox does; empty where each has its own."""


def shells() -> list[Shell]:
    """The shells of this machine among those that images have."""
    found = [Shell("sh", (shutil.which("dash") or "/bin/sh",), "")]
    busybox = shutil.which("busybox")
    if busybox:
        found.append(Shell("busybox", (busybox, "ash"), busybox))
    return found


@dataclass
class LocalAgent:
    """One agent as if it were in a pod; its exec runs beside it."""

    directory: Path
    shell: Shell
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    limits: AgentLimits
    run: str
    lose: Callable[[bytes], bytes | None] = lambda answer: None
    """What of an exec's answer arrives before the connection is lost; None for all, and no loss."""
    commands: list[list[str]] = field(default_factory=list)

    @property
    def files(self) -> Path:
        """The agent's own directory."""
        return self.directory / "base" / f"npg-{self.run}"

    @property
    def last_words(self) -> AgentStatus | None:
        """What the kubelet would find as termination message."""
        path = self.directory / "termination"
        return parse_status(path.read_bytes()) if path.exists() else None

    @property
    def status(self) -> AgentStatus | None:
        """What the agent says of itself now."""
        path = self.files / "status.json"
        return parse_status(path.read_bytes()) if path.exists() else None

    def execute(
        self, command: Sequence[str], *, sink: Callable[[bytes], None], limit: int, deadline: float
    ) -> None:
        """What `cluster.exec` does, without a cluster."""
        self.commands.append(list(command))
        done = subprocess.run(
            [*self.shell.command, *command[1:]],
            env=self.environment,
            capture_output=True,
            timeout=deadline,
            check=False,
        )
        arrives = self.lose(done.stdout)
        sink(done.stdout if arrives is None else arrives)
        if arrives is not None:
            raise ConnectionLost("the connection was lost")
        if done.returncode:
            raise ExecFailed("exit", exit_code=done.returncode, stderr=done.stderr.decode())
        assert len(done.stdout) <= limit

    def collector(self, *, name: str = "pod") -> Collector:
        """A collector that never sleeps between tries."""
        folder = self.directory / "bundle"
        folder.mkdir(exist_ok=True)
        collector = Collector.of(
            self.execute,
            self.run,
            paths=(folder / f"{name}.pcap", folder / f"{name}.sockets", folder / f"{name}.stderr"),
            limits=self.limits,
            clock=time.time_ns,
        )
        collector.pause = lambda seconds: None
        return collector

    def packet(self, content: bytes) -> None:
        """Let tcpdump write this, and wait until it has."""
        beside = self.files / "packet.new"
        beside.write_bytes(content)
        beside.rename(self.files / "packet")
        self.wait_for(lambda: not (self.files / "packet").exists())

    def wait_for(self, condition: Callable[[], object], *, seconds: float = 10.0) -> None:
        """Wait until something holds."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it never came about"
            time.sleep(0.01)

    def wait_until_capturing(self) -> None:
        """Wait until tcpdump listens, as the agent sees it."""
        self.wait_for(lambda: self.status is not None and self.status.listening)

    def touch(self, name: str) -> None:
        """Write one of the files by which the client speaks, and wake the agent."""
        (self.files / name).touch()
        self.process.send_signal(signal.SIGUSR1)


@contextmanager
def running_agent(
    directory: Path,
    shell: Shell,
    *,
    limits: AgentLimits | None = None,
    seconds: int = 60,
    run: str = RUN,
    tcpdump: bool = True,
    writable: bool = True,
    **environment: str,
) -> Iterator[LocalAgent]:
    """Start an agent in a directory of its own; it and its children are gone afterwards."""
    limits = limits or AgentLimits()
    path = install_tools(directory, shell, tcpdump=tcpdump)
    base = directory / "base"
    if writable:
        base.mkdir()
    variables = {
        **agent_environment(run, limits, seconds=seconds),
        "PATH": str(path),
        "NPG_BASES": str(base),
        "NPG_TERM": str(directory / "termination"),
        "NPG_TICK": "0.05",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        **environment,
    }
    process = subprocess.Popen(
        [*shell.command, "-c", script("agent.sh")],
        env=variables,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    agent = LocalAgent(directory, shell, variables, process, limits, run)
    try:
        yield agent
    finally:
        end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End an agent and its children, however far it is."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def install_tools(directory: Path, shell: Shell, *, tcpdump: bool = True) -> Path:
    """A directory for PATH with what an image has, and no more."""
    path = directory / "bin"
    path.mkdir()
    for tool in TOOLS:
        program = shell.tools or shutil.which(tool)
        assert program, f"{tool} is missing on this machine"
        (path / tool).symlink_to(program)
    if tcpdump:
        played = path / "tcpdump"
        played.write_text(TCPDUMP.format(python=sys.executable))
        played.chmod(0o755)
    return path
