"""Climbing down the ladder: the least privilege with which a pod's agent is admitted, starts and captures.

Admission is decided by dry-run, once for all pods of one template; capture by what an agent reports, once
for the whole run, since all agents use one image. Each step tried in earnest leaves a permanent entry in the
pod's spec, so nothing is tried that is known to fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.cluster.agent import AgentState, AgentStatus
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.attach import (
    LADDER,
    AgentContainer,
    Refusal,
    admit,
    attach,
    classify_refusal,
)
from kubectl_netpolgen.cluster.collect import AgentGone, Collector, Execute
from kubectl_netpolgen.cluster.container_state import ContainerPhase, ContainerReport
from kubectl_netpolgen.model.bundle import PodState, Rung
from kubectl_netpolgen.model.errors import BundleError, ClusterError
from kubectl_netpolgen.runs.pod_session import Journal, PodSession

# Reasons that no node and no privilege changes: not an image's name, no shell in it.
_OF_THE_IMAGE = frozenset({"InvalidImageName", "StartError"})
PATCH_TRIES = 4
WAIT_SECONDS = 5


@dataclass
class Attacher:
    """Puts agents into pods and learns from each what need not be tried on the others."""

    api: Api
    container: AgentContainer
    journal: Journal
    execute: Callable[[PodSession, str], Execute]
    """Makes the exec of one pod's container."""
    pause: Callable[[float], None] = time.sleep
    useless: dict[Rung, str] = field(default_factory=dict)
    """Rungs on which the image was shown not to capture, and what tcpdump said."""
    hopeless: str = ""
    """Why the image captures on no rung at all."""
    proven: set[Rung] = field(default_factory=set)
    _admissions: dict[tuple[str, str, Rung], str] = field(default_factory=dict)
    _locks: dict[tuple[str, str, Rung], threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def preview(self, session: PodSession) -> None:
        """Hold the dry-run of a pod's template ahead of time; what it says is kept."""
        rung = next((rung for rung in LADDER if rung not in self.useless), None)
        if rung is not None:
            try:
                self._admission(session, rung)
            except ClusterError:
                # It is asked again, and then answered for, when the pod's turn comes.
                return

    def attach(self, session: PodSession) -> None:
        """Put the agent on the next rung not known to fail; ends PATCHED, REJECTED, GONE or START_FAILED."""
        for rung in self._rungs(session):
            try:
                refusal = self._admission(session, rung)
                if not refusal:
                    self._patch(session, rung)
                    return
                session.fallbacks.append(f"{rung.value}: {refusal}")
            except BundleError as error:
                self.journal.fail(error)
                return
            except ClusterError as error:
                kind = classify_refusal(error)
                if kind is Refusal.VANISHED:
                    self.journal.move(session, PodState.GONE, "the pod vanished before the capture began")
                    return
                if kind is not Refusal.NEXT_RUNG:
                    self.journal.move(session, _failure(session), _explain(kind, error))
                    return
                session.fallbacks.append(f"{rung.value}: {error.message}")
        reason = self.hopeless or "; ".join(session.fallbacks) or "; ".join(self.useless.values())
        self.journal.move(session, _failure(session), reason)

    def await_listening(self, session: PodSession) -> None:
        """Ask the running agent whether tcpdump listens; ends CAPTURING, fallen, or PATCHED to ask again."""
        assert session.collector is not None
        try:
            status = session.collector.await_listening(WAIT_SECONDS)
        except AgentGone:
            # The kubelet's report of the ended container, soon to come, says more than the failed exec.
            return
        except ClusterError as error:
            session.may_run = self.container.limits.alone
            self.journal.move(session, PodState.START_FAILED, f"the agent cannot be reached: {error.message}")
            return
        if status is not None:
            self.judge(session, status)

    def judge(self, session: PodSession, status: AgentStatus) -> None:
        """Act on the agent's own words."""
        assert session.rung is not None
        if status.state in (AgentState.CAPTURING, AgentState.DONE):
            self.proven.add(session.rung)
            self.journal.move(session, PodState.CAPTURING)
        elif status.state is AgentState.FAILED:
            words = status.words or status.reason
            if status.reason == "no-directory":
                self.journal.move(session, PodState.START_FAILED, words)
                return
            if status.reason == "no-tcpdump":
                self.hopeless = f"the image {self.container.image} has no tcpdump"
            elif status.reason == "sigterm":
                self.journal.move(session, PodState.GONE, "the pod ended before the capture began")
                return
            elif status.reason == "permission" and session.rung not in self.proven:
                self.useless.setdefault(session.rung, words)
            session.fallbacks.append(f"{session.rung.value}: tcpdump could not capture: {words}")
            self.attach(session)

    def give_up(self, session: PodSession, report: ContainerReport) -> None:
        """The kubelet cannot start the container; where that is the image's fault, no other pod is tried."""
        words = report.words or f"exit status {report.exit_code}"
        session.unpullable = report.phase is ContainerPhase.STUCK
        if session.unpullable:
            # the kubelet goes on trying for as long as the pod lives
            session.may_run = self.container.limits.alone
        if report.reason in _OF_THE_IMAGE:
            self.hopeless = f"the image {self.container.image} cannot run the agent: {words}"
        self.journal.move(session, PodState.START_FAILED, words)

    def _rungs(self, session: PodSession) -> list[Rung]:
        tried = LADDER.index(session.rung) + 1 if session.rung else 0
        if self.hopeless:
            return []
        return [rung for rung in LADDER[tried:] if rung not in self.useless]

    def _admission(self, session: PodSession, rung: Rung) -> str:
        """Why admission refuses the pod's template this rung; empty when it does not."""
        key = (session.namespace, session.template, rung)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._admissions:
                refusal = ""
                try:
                    self._persist(
                        lambda: admit(
                            self.api, session.namespace, session.name, container=self.container, rung=rung
                        )
                    )
                except ClusterError as error:
                    kind = classify_refusal(error)
                    if kind is Refusal.NEXT_RUNG:
                        refusal = error.message
                    elif kind is not Refusal.UNDECIDED:
                        raise
                self._admissions[key] = refusal
            return self._admissions[key]

    def _patch(self, session: PodSession, rung: Rung) -> None:
        collector = self._collector(session, rung)
        try:
            self._persist(
                lambda: attach(self.api, session.namespace, session.name, container=self.container, rung=rung)
            )
        except ClusterError as error:
            if classify_refusal(error) is not Refusal.EXISTS:
                raise
        session.rung = rung
        session.entries += 1
        session.patched = time.monotonic()
        session.container = self.container.name(rung)
        session.collector = collector
        self.journal.move(session, PodState.PATCHED)

    def _persist(self, action: Callable[[], object]) -> None:
        """Try again what only the moment refused; a patch whose answer was lost says EXISTS then."""
        for attempt in range(PATCH_TRIES):
            try:
                action()
                return
            except ClusterError as error:
                if classify_refusal(error) is not Refusal.TRANSIENT or attempt + 1 == PATCH_TRIES:
                    raise
                self.pause(0.3 * 2**attempt)

    def _collector(self, session: PodSession, rung: Rung) -> Collector:
        writer, run = self.journal.writer, self.container.run
        return Collector.of(
            self.execute(session, self.container.name(rung)),
            self.container.suffix(rung),
            paths=(
                writer.capture_path(session.uid, run, CaptureFile.PCAP),
                writer.capture_path(session.uid, run, CaptureFile.SOCKETS),
                writer.capture_path(session.uid, run, CaptureFile.STDERR),
            ),
            limits=self.container.limits,
            clock=self.journal.clock,
        )


def _failure(session: PodSession) -> PodState:
    return PodState.START_FAILED if session.entries else PodState.REJECTED


def _explain(kind: Refusal, error: ClusterError) -> str:
    if kind is Refusal.UNSUPPORTED:
        return "the server has no ephemeral containers (Kubernetes before 1.23)"
    if kind is Refusal.RIGHTS:
        return f"no rights: {error.message}"
    return error.message
