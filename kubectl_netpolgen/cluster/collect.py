"""Getting a pod's capture out, whole: increments while it runs, the rest at the end, trusted only by hash.

The agent's files only grow, so each reply continues where the last one ended, however it ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kubectl_netpolgen.cluster.agent import (
    MANIFEST_LIMIT,
    MEBIBYTE,
    STATUS_LIMIT,
    WORDS_LIMIT,
    AgentLimits,
    AgentState,
    AgentStatus,
    ManifestEntry,
    PullMode,
    parse_manifest,
    parse_status,
    pull_command,
)
from kubectl_netpolgen.cluster.exec import ConnectionLost, ExecFailed
from kubectl_netpolgen.cluster.local_file import LocalFile
from kubectl_netpolgen.cluster.reply import Clocks, Part, ReplyReader
from kubectl_netpolgen.cluster.status import ApiError, Unreachable
from kubectl_netpolgen.model.errors import ClusterError

INCREMENT = 4 * MEBIBYTE
REMAINDER = 16 * MEBIBYTE
ATTEMPTS = 5
STOP_SECONDS = 10
NO_DIRECTORY = 91

PCAP, SOCKETS, STDERR = "cap.pcap", "sockets", "tcpdump.err"
FILES = (PCAP, SOCKETS, STDERR)


class Execute(Protocol):
    """One command beside one agent: its stdout goes to the sink.

    Raises what `cluster.exec.execute` raises. A sink's own OSError would look like a broken connection there,
    so the sinks of this module raise LocalWriteFailed instead.
    """

    def __call__(
        self, command: Sequence[str], *, sink: Callable[[bytes], None], limit: int, deadline: float
    ) -> None: ...


class AgentGone(ClusterError):
    """Pod, container or the agent's files are no more.

    `pod_absent` where the server said that of the pod (404), which it may know before a watch tells it.
    """

    def __init__(self, message: str, *, pod_absent: bool = False) -> None:
        super().__init__(message)
        self.pod_absent = pod_absent


class TransferFailed(ClusterError):
    """The tries are used up; the data may still be in the pod."""


@dataclass
class Collector:
    """One agent's files on their way here. Not for two threads at once."""

    execute: Execute
    run: str
    files: dict[str, LocalFile]
    clock: Callable[[], int]
    pause: Callable[[float], None] = time.sleep
    status: AgentStatus | None = None
    status_text: bytes = b""
    manifest: tuple[ManifestEntry, ...] = ()
    clock_offset: float | None = None
    """Seconds that the node is ahead of us."""
    listening_since: int = 0
    """Nanoseconds by our clock."""
    received: int = field(default=0)

    @classmethod
    def of(
        cls,
        execute: Execute,
        run: str,
        *,
        paths: tuple[Path, Path, Path],
        limits: AgentLimits,
        clock: Callable[[], int],
    ) -> Collector:
        """A collector for packets, sockets and tcpdump's words at these paths."""
        bounds = (
            # tcpdump can write no more than this before -c ends it; the size cap is softer.
            24 + limits.packets * (limits.snap_length + 16),
            limits.sockets_size,
            WORDS_LIMIT,
        )
        files = {name: LocalFile(path, bound) for name, path, bound in zip(FILES, paths, bounds, strict=True)}
        return cls(execute, run, files, clock)

    def await_listening(self, seconds: int) -> AgentStatus | None:
        """Wait in the pod until tcpdump listens or failed; the status then, or None when neither came."""
        self._ask(PullMode.WAIT, wait=seconds, limit=0, deadline=seconds + 20.0)
        return self.status

    def pull(self) -> bool:
        """Fetch what is new, at most INCREMENT a file, and renew the lease; True when the agent is done."""
        self._ask(PullMode.PULL, wait=0, limit=INCREMENT, deadline=120.0)
        return bool(self.manifest) or (self.status is not None and self.status.state is AgentState.DONE)

    def halt(self, deadline: float) -> None:
        """Tell the agent to stop and wait for nothing; one try, and the one call that any thread may make."""
        self._tell(PullMode.HALT, deadline)

    def release(self) -> None:
        """Let the agent delete its files and exit; raises ClusterError, and the lease ends it then."""
        try:
            self._tell(PullMode.RELEASE, 15.0)
        except (ApiError, ExecFailed) as error:
            if not _gone(error) and not _outlived(error):
                raise

    def finish(self) -> str:
        """Stop the agent, fetch the rest and verify it; what is wrong with it, empty when nothing is.

        Raises AgentGone or TransferFailed with everything kept that arrived, LocalWriteFailed.
        """
        self._fetch_rest()
        wrong = self._wrong()
        if wrong:
            for local in self.files.values():
                local.truncate(0)
            self._fetch_rest()
            wrong = self._wrong()
        return wrong

    def _tell(self, mode: PullMode, deadline: float) -> None:
        self.execute(pull_command(mode, self.run), sink=lambda chunk: None, limit=4096, deadline=deadline)

    def _fetch_rest(self) -> None:
        self._ask(PullMode.STOP, wait=STOP_SECONDS, limit=REMAINDER, deadline=180.0)
        if not self.manifest and self.status is not None and self.status.state is AgentState.FAILED:
            raise TransferFailed(self.status.words or self.status.reason)
        if not self.manifest:
            raise TransferFailed(f"the agent did not finish its files within {STOP_SECONDS} s")
        while any(
            entry.size > self.files[entry.name].offset < self.files[entry.name].limit
            for entry in self.manifest
        ):
            before = self._total()
            self._ask(PullMode.PULL, wait=0, limit=REMAINDER, deadline=180.0)
            if self._total() == before:
                break

    def _wrong(self) -> str:
        for entry in self.manifest:
            local = self.files[entry.name]
            if local.offset != entry.size:
                return f"{entry.name} has {local.offset} bytes here and {entry.size} in the pod"
            if not entry.sha256:
                return f"{entry.name} cannot be verified: the image has no sha256sum"
            if local.digest() != entry.sha256:
                return f"{entry.name} differs from the pod's by its SHA-256"
        missing = sorted(set(FILES) - {entry.name for entry in self.manifest})
        return f"the agent's manifest lacks {', '.join(missing)}" if missing else ""

    def _ask(self, mode: PullMode, *, wait: int, limit: int, deadline: float) -> None:
        """One exec, repeated with pauses while nothing but the connection is at fault."""
        failures = 0
        while True:
            before = self._total()
            try:
                self._once(mode, wait=wait, limit=limit, deadline=deadline)
                return
            except (ConnectionLost, Unreachable) as error:
                # A connection that brings something each time gets there in the end.
                failures = 1 if self._total() > before else failures + 1
                if failures >= ATTEMPTS:
                    raise TransferFailed(f"{error.message} ({failures} tries)") from error
                self.pause(min(0.2 * 2**failures, 5.0))
            except (ApiError, ExecFailed) as error:
                if _gone(error):
                    absent = isinstance(error, ApiError) and error.code == 404
                    raise AgentGone(error.message, pod_absent=absent) from error
                failures += 1
                refused = isinstance(error, ApiError) and error.code in (401, 403)
                if refused or failures >= ATTEMPTS:
                    raise TransferFailed(error.message) from error
                self.pause(min(0.2 * 2**failures, 5.0))

    def _once(self, mode: PullMode, *, wait: int, limit: int, deadline: float) -> None:
        status, manifest = bytearray(), bytearray()
        fetched = {
            name: Part(local.offset, WORDS_LIMIT if name == STDERR else limit, local.write)
            for name, local in self.files.items()
        }
        parts = {
            "status.json": Part(0, STATUS_LIMIT, status.extend),
            "manifest": Part(0, MANIFEST_LIMIT, manifest.extend),
        }
        if mode in (PullMode.PULL, PullMode.STOP):
            parts.update(fetched)
        reader = ReplyReader(parts, on_clocks=self._clocks)
        command = pull_command(
            mode, self.run, limit=limit, wait=wait, offsets=[fetched[name].offset for name in FILES]
        )
        try:
            self.execute(
                command,
                sink=reader.feed,
                limit=sum(part.limit for part in parts.values()) + 4096,
                deadline=deadline,
            )
        finally:
            for local in self.files.values():
                local.flush()
            self.received = max(self.received, self._total())
        if not reader.complete:
            # The command is over and said less than it announced: nothing of it can be told apart.
            for name, part in fetched.items():
                self.files[name].truncate(part.offset)
            raise ConnectionLost("the agent's answer ends early")
        for name, part in fetched.items():
            if part.size is not None and part.size < part.offset:
                self.files[name].truncate(0)
        self._learn(bytes(status), bytes(manifest))

    def _learn(self, status: bytes, manifest: bytes) -> None:
        known = parse_status(status)
        if known is not None:
            self.status, self.status_text = known, status
            if known.listening and not self.listening_since:
                age = max(self._uptime - known.listening, 0.0)
                self.listening_since = self._answered - int(age * 1e9)
        if manifest:
            self.manifest = parse_manifest(manifest)

    _uptime = 0.0
    _answered = 0

    def _clocks(self, clocks: Clocks) -> None:
        # The pod reads its clock just before it answers, so the answer's arrival is the nearer moment.
        self._answered = self.clock()
        self._uptime = clocks.uptime
        self.clock_offset = (clocks.epoch - self._answered) / 1e9

    def _total(self) -> int:
        return sum(local.offset for local in self.files.values())


# kubelet (pkg/kubelet/server) and the runtimes say these with 400, 404 or 500.
_GONE_WORDS = ("container not found", "not running", "is not created or running", "pod does not exist")


# 128 + SIGKILL: what the kernel sends to everything else in a container whose first process has ended.
_KILLED = 137


def _outlived(error: ApiError | ExecFailed) -> bool:
    """True when the agent took the word so quickly that it ended before the command that brought it."""
    return isinstance(error, ExecFailed) and error.exit_code == _KILLED


def _gone(error: ApiError | ExecFailed) -> bool:
    if isinstance(error, ExecFailed):
        return error.exit_code == NO_DIRECTORY
    text = error.message.lower()
    return (error.code == 404) or any(words in text for words in _GONE_WORDS)
