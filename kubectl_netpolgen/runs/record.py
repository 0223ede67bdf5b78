"""The main job's first half: agents into the pods, their captures into the bundle, nothing left behind."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.attach import DEFAULT_IMAGE, AgentContainer
from kubectl_netpolgen.cluster.collect import Execute
from kubectl_netpolgen.cluster.exec import execute
from kubectl_netpolgen.cluster.resources import EVERYWHERE, run_resources
from kubectl_netpolgen.cluster.watcher import Watcher, WatchEvent
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.model.errors import BundleError, ClusterError
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.runs.attaching import Attacher
from kubectl_netpolgen.runs.collecting import Gatherer
from kubectl_netpolgen.runs.coverage import describe
from kubectl_netpolgen.runs.pod_session import Journal, PodSession, RecordView
from kubectl_netpolgen.runs.roster import Roster
from kubectl_netpolgen.runs.schedule import Schedule, Timing
from kubectl_netpolgen.runs.workers import Workers

__all__ = ["RecordOptions", "RecordView", "Recording", "RecordingBroken", "record"]

# How long the loop sleeps when nothing happens; the most that ^C and the end of the window wait for it.
_TICK = 0.1
_MARGIN = 300
_LEAVING_SECONDS = 3.0
_JOIN_SECONDS = 1.0


@dataclass(frozen=True)
class RecordOptions:
    """What to capture, for how long, and how much an agent may take."""

    namespaces: tuple[str, ...]
    selector: str = ""
    """A label selector as kubectl's `-l` takes it; the API server is the one that reads it."""
    duration: float = 60.0
    """Seconds from the moment when all pods that were running at the start are capturing."""
    image: str = DEFAULT_IMAGE
    limits: AgentLimits = field(default_factory=AgentLimits)
    timing: Timing = field(default_factory=Timing)
    workers: int = 8
    configuration: bool = False
    """Whether to look for Services in environments and ConfigMaps."""


@dataclass(frozen=True)
class Recording:
    """What came of it."""

    pods: tuple[PodCapture, ...]
    findings: tuple[Finding, ...]
    readable: tuple[str, ...]
    started: int
    """Nanoseconds since the epoch when the window began: all were capturing."""
    ended: int


def _require_pods(readable: frozenset[str], namespaces: Sequence[str]) -> None:
    for namespace in namespaces:
        if f"pods:{EVERYWHERE}" not in readable and f"pods:{namespace}" not in readable:
            raise ClusterError(
                f"namespace {namespace}: its pods may not be listed and watched",
                way_out="ask for the rights that `kubectl netpolgen rbac` prints",
            )


class RecordingBroken(BundleError):
    """The bundle could no longer be written; what arrived before is kept."""

    def __init__(self, message: str, *, way_out: str, recording: Recording) -> None:
        super().__init__(message, way_out=way_out)
        self.recording = recording


def record(
    api: Api,
    options: RecordOptions,
    writer: BundleWriter,
    *,
    view: RecordView,
    clock: Callable[[], int],
    run: str,
    stop: threading.Event,
    abandon: threading.Event,
) -> Recording:
    """Capture the pods of some namespaces into a bundle, for the duration or until `stop`.

    `run` is eight hexadecimal digits that name the agents; `stop` ends the window early and collects;
    `abandon` stops the agents and leaves at once. One pod's failure is a state and a finding of that pod.
    Raises ClusterError when the pods cannot be listed or watched, RecordingBroken when the bundle cannot be
    written any more.
    """
    writer.session(time=clock(), state="run-started", run=run, namespaces=list(options.namespaces))
    if options.configuration:
        writer.read_configuration(options.namespaces)
    inbox: queue.SimpleQueue[WatchEvent] = queue.SimpleQueue()
    watching = threading.Event()
    watcher = Watcher(
        api,
        run_resources(options.namespaces, cluster_wide=True, configuration=options.configuration),
        on_event=inbox.put,
        stop=watching,
        clock=clock,
    )
    journal = Journal(writer, view, clock)
    recorder = _Recorder(api, options, journal, run=run, inbox=inbox, stop=stop, abandon=abandon)
    try:
        objects = watcher.start()
        _require_pods(watcher.readable, options.namespaces)
        journal.write(lambda: writer.objects(objects))
        started = recorder.run(objects)
    finally:
        watching.set()
        recorder.workers.close(wait=_JOIN_SECONDS)
    watcher.join(_JOIN_SECONDS)
    recorder.drain()
    captures = tuple(session.capture() for session in recorder.roster.sessions())
    recording = Recording(
        pods=captures,
        findings=describe(recorder.roster.sessions()),
        readable=tuple(sorted(watcher.readable)),
        started=started,
        ended=recorder.ended,
    )
    if journal.error is not None:
        raise RecordingBroken(
            f"{journal.error.message}; the capture was stopped, and what had arrived is kept",
            way_out=journal.error.way_out,
            recording=recording,
        )
    return recording


class _Recorder:
    """The loop that hands pods to workers; everything it decides from is in the sessions."""

    def __init__(
        self,
        api: Api,
        options: RecordOptions,
        journal: Journal,
        *,
        run: str,
        inbox: queue.SimpleQueue[WatchEvent],
        stop: threading.Event,
        abandon: threading.Event,
    ) -> None:
        self.options, self.journal = options, journal
        self.inbox, self.stop, self.abandon = inbox, stop, abandon
        container = AgentContainer(
            run=run,
            image=options.image,
            limits=options.limits,
            seconds=int(options.duration) + _MARGIN,
        )
        self.roster = Roster(api, options.namespaces, options.selector, clock=journal.clock)
        self.attacher = Attacher(api, container, journal, _executor(api))
        self.gatherer = Gatherer(journal)
        self.workers = Workers(options.workers)
        self.schedule = Schedule(
            self.roster, self.attacher, self.gatherer, self.workers, timing=options.timing
        )
        self.ended = 0

    def run(self, objects: Sequence[Mapping[str, Any]]) -> int:
        """The whole run; when the window began, in nanoseconds since the epoch."""
        journal = self.journal
        self.roster.begin(objects)
        journal.phase("attaching")
        self._until(self.schedule.settled)
        began = journal.clock()
        if self.schedule.settled():
            journal.run("run-all-capturing")
        journal.phase("capturing")
        over = time.monotonic() + self.options.duration
        self._until(lambda: time.monotonic() >= over or not self.schedule.hopeful)
        self.ended = journal.clock()
        journal.run("run-duration-over")
        journal.phase("collecting")
        self.schedule.ending = True
        self._until(lambda: self.schedule.idle, ending=True)
        if self._leaving:
            self._leave()
        else:
            journal.run("run-collected")
            self.schedule.releasing = True
            self._until(lambda: self.schedule.idle, ending=True)
        return began

    @property
    def _leaving(self) -> bool:
        return self.abandon.is_set() or self.journal.error is not None

    def _until(self, reached: Callable[[], bool], *, ending: bool = False) -> None:
        """Turn the loop until something is reached; ^C reaches the end of the window, twice everything."""
        while not self._leaving and (ending or not self.stop.is_set()):
            self.workers.check()
            self.drain()
            self.schedule.turn(self.journal)
            if reached():
                return
            self.schedule.wait(_TICK)

    def drain(self) -> None:
        """Take what the watch brought: into the bundle, and pods to the roster."""
        while True:
            try:
                event = self.inbox.get_nowait()
            except queue.Empty:
                return
            self.journal.event(event.time, type=event.type, object=event.object)
            self.roster.observe(event.type, event.object)

    def _leave(self) -> None:
        """Tell all agents to stop, wait for none, and say what runs until when."""
        left = [session for session in self.roster.sessions() if session.attached]
        threads = [
            threading.Thread(
                target=self.gatherer.halt, args=(session,), kwargs={"seconds": _LEAVING_SECONDS}, daemon=True
            )
            for session in left
            if session.collector is not None
        ]
        for thread in threads:
            thread.start()
        until = time.monotonic() + _LEAVING_SECONDS
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
        limits = self.options.limits
        now = self.journal.clock() // 1_000_000_000
        for session in left:
            lease, gone = (
                time.strftime("%H:%M:%S", time.localtime(now + s))
                for s in (limits.lease, limits.lease + limits.linger)
            )
            reason = f"left behind: it stops capturing by {lease} and ends by {gone}"
            self.journal.say(f"{session.label}: container {session.container} was {reason}")
            self.gatherer.settle(session, PodState.TRANSFER_FAILED, reason)
            session.left = True
        if left:
            where = ",".join(sorted({session.namespace for session in left}))
            self.journal.say(f"`kubectl netpolgen clean -n {where}` ends them at once")


def _executor(api: Api) -> Callable[[PodSession, str], Execute]:
    def of(session: PodSession, container: str) -> Execute:
        namespace, pod = session.namespace, session.name

        def run(
            command: Sequence[str], *, sink: Callable[[bytes], None], limit: int, deadline: float
        ) -> None:
            execute(
                api,
                namespace,
                pod,
                container=container,
                command=command,
                sink=sink,
                limit=limit,
                deadline=deadline,
            )

        return run

    return of
