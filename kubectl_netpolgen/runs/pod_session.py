"""One pod's part of a run while it runs, and the journal of its changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.cluster.attach import AgentContainer
from kubectl_netpolgen.cluster.collect import Collector
from kubectl_netpolgen.cluster.container_state import ContainerReport, container_report
from kubectl_netpolgen.model.bundle import PodCapture, PodState, Rung
from kubectl_netpolgen.model.errors import BundleError


class RecordView(Protocol):
    """Where a run shows itself; called from one thread at a time."""

    def pod(self, capture: PodCapture, *, received: int) -> None:
        """A pod's state or the bytes received from it changed."""

    def say(self, message: str) -> None:
        """One line for the person who waits."""

    def phase(self, name: str) -> None:
        """A phase begins: attaching, capturing, collecting."""


@dataclass
class PodSession:
    """What the run knows and does about one pod.

    Changed by one thread at a time: the worker whose task it is while `busy`, else the run's own loop.
    """

    pod: Mapping[str, Any]
    """As last seen."""
    discovered: int
    """Nanoseconds since the epoch."""
    initial: bool
    """It was there, and running, when the run began: the window waits for it."""
    state: PodState = PodState.DISCOVERED
    reason: str = ""
    rung: Rung | None = None
    patched: float = 0.0
    """Monotonic seconds."""
    unpullable: bool = False
    """The kubelet could not start the container within the grace time."""
    entries: int = 0
    fallbacks: list[str] = field(default_factory=list)
    """Why each rung that was tried before did not do."""
    collector: Collector | None = None
    capture_files: dict[str, str] = field(default_factory=dict)
    sha256: str = ""
    verified: bool = False
    ended: int = 0
    busy: bool = False
    deleting: bool = False
    absent: bool = False
    """The API server said DELETED."""
    previewed: bool = False
    """Its template's dry-run was asked for ahead of its turn."""
    left: bool = False
    """The run left it behind: what its worker still finds out comes too late."""
    agent_done: bool = False
    """The agent stopped by itself."""
    lingering: bool = False
    """Its agent waits for the word that all is collected."""
    attempted: float = 0.0
    """Monotonic seconds of the last pull."""
    container: str = ""
    may_run: int = 0
    """Seconds from its start that an agent runs by itself which was given up and may run all the same."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The pod's metadata."""
        return self.pod.get("metadata") or {}

    @property
    def uid(self) -> str:
        return str(self.metadata.get("uid", ""))

    @property
    def namespace(self) -> str:
        return str(self.metadata.get("namespace", ""))

    @property
    def name(self) -> str:
        return str(self.metadata.get("name", ""))

    @property
    def node(self) -> str:
        return str((self.pod.get("spec") or {}).get("nodeName") or "")

    @property
    def label(self) -> str:
        """How a person names the pod."""
        return f"{self.namespace}/{self.name}"

    @property
    def template(self) -> str:
        """What its pods have in common with others: the controlling owner's UID, or its own."""
        for owner in self.metadata.get("ownerReferences") or ():
            if owner.get("controller"):
                return str(owner.get("uid", ""))
        return self.uid

    @property
    def received(self) -> int:
        return self.collector.received if self.collector else 0

    @property
    def completed(self) -> bool:
        """True when its own containers have ended for good, as a job's do.

        The kubelet then ends the agent too, after the pod's grace time, while the phase is still Running.
        """
        status, spec = self.pod.get("status") or {}, self.pod.get("spec") or {}
        policy, containers = spec.get("restartPolicy"), status.get("containerStatuses")
        if policy not in ("Never", "OnFailure") or not containers:
            return False
        ends = [(container.get("state") or {}).get("terminated") for container in containers]
        return all(end is not None and (policy == "Never" or end.get("exitCode") == 0) for end in ends)

    @property
    def leaving(self) -> bool:
        """True when the agent has a few seconds left: what it holds is fetched now or never."""
        return self.deleting or self.completed

    @property
    def attached(self) -> bool:
        """True while an agent may be running."""
        return self.state in (PodState.PATCHED, PodState.CAPTURING, PodState.PULLING)

    def report(self, container: AgentContainer) -> ContainerReport:
        """What the kubelet says of the container of the present rung."""
        return container_report(self.pod, container.name(self.rung) if self.rung else "")

    def capture(self) -> PodCapture:
        """The session as the bundle and the analysis know it."""
        collector = self.collector
        status = collector.status if collector else None
        return PodCapture(
            uid=self.uid,
            namespace=self.namespace,
            name=self.name,
            state=self.state,
            reason=self.reason,
            rung=self.rung,
            pcap=self.capture_files.get("pcap", ""),
            sockets=self.capture_files.get("sockets", ""),
            bytes=self.received,
            sha256=self.sha256,
            verified=self.verified,
            dropped=status.dropped if status else None,
            started=collector.listening_since if collector else 0,
            ended=self.ended,
            clock_offset=round(collector.clock_offset or 0.0, 3) if collector else 0.0,
            stopped_by=status.reason if status else "",
            entries=self.entries,
        )


class Journal:
    """Tells every change to session.jsonl and to the view.

    A bundle that cannot be written any more must not end the threads that find out: the first error is kept,
    and the run's loop acts on it.
    """

    def __init__(self, writer: BundleWriter, view: RecordView, clock: Callable[[], int]) -> None:
        self.writer = writer
        self.clock = clock
        self.error: BundleError | None = None
        self._view = view
        self._lock = threading.Lock()

    def run(self, state: str, **fields: object) -> None:
        """A change of the whole run."""
        self.write(lambda: self.writer.session(time=self.clock(), state=state, **fields))

    def move(self, session: PodSession, state: PodState, reason: str = "") -> None:
        """A pod's change of state."""
        with self._lock:
            if session.left:
                return
            session.state, session.reason = state, reason
            line: dict[str, object] = {
                "pod": session.label,
                "uid": session.uid,
                "state": state.value,
                "reason": reason,
                "rung": session.rung.value if session.rung else None,
            }
        self.write(lambda: self.writer.session(time=self.clock(), **line))
        self.progress(session)

    def event(self, time: int, *, type: str, object: Mapping[str, Any]) -> None:
        """Something that the watch told."""
        self.write(lambda: self.writer.event(time=time, type=type, object=object))

    def progress(self, session: PodSession) -> None:
        """Only the view: bytes arrived."""
        with self._lock:
            self._view.pod(session.capture(), received=session.received)

    def say(self, message: str) -> None:
        """One line of conversation."""
        with self._lock:
            self._view.say(message)

    def phase(self, name: str) -> None:
        """The next phase."""
        with self._lock:
            self._view.phase(name)

    def write(self, action: Callable[[], None]) -> None:
        """Write to the bundle; the first failure is kept in `error`."""
        try:
            action()
        except OSError as error:
            self.fail(
                BundleError(
                    f"{error.filename or self.writer.root}: {error.strerror or error}",
                    way_out="make room on that disk, or write to another one with --bundle",
                )
            )
        except BundleError as error:
            self.fail(error)

    def fail(self, error: BundleError) -> None:
        """Keep the first error that makes writing pointless."""
        if self.error is None:
            self.error = error
