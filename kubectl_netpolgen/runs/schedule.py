"""What to do next with each pod of a run, and when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from kubectl_netpolgen.cluster.agent import AgentState
from kubectl_netpolgen.cluster.container_state import ContainerPhase
from kubectl_netpolgen.model.bundle import PodState
from kubectl_netpolgen.model.errors import ClusterError
from kubectl_netpolgen.runs.attaching import Attacher
from kubectl_netpolgen.runs.collecting import Gatherer
from kubectl_netpolgen.runs.pod_session import Journal, PodSession
from kubectl_netpolgen.runs.roster import Roster
from kubectl_netpolgen.runs.workers import Workers

# Pods that are leaving go before everything else; what merely repeats goes last.
_LEAVING, _NORMAL, _REPEATED = 0, 1, 2

# Between two questions to an agent that was there and is not, while the kubelet has not said so yet.
_AGAIN = 0.5

_PILOT_NODES = 2


@dataclass(frozen=True)
class Timing:
    """Seconds that a run waits for things."""

    pilot: float = 20.0
    """For the first pod's agent to say whether the image captures, before the others are touched.

    Long enough to see a wrong image name refused: an entry in each pod for nothing stays there for good.
    """
    pull_grace: float = 20.0
    """For an image that cannot be pulled at once."""
    start: float = 120.0
    """For a patched pod's agent to start; a pod that is still Pending has no limit."""
    pull_interval: float = 20.0


class Schedule:
    """Decides from sessions and clock, and submits tasks; called from the run's loop alone."""

    def __init__(
        self, roster: Roster, attacher: Attacher, gatherer: Gatherer, workers: Workers, *, timing: Timing
    ) -> None:
        self._roster = roster
        self._attacher = attacher
        self._gatherer = gatherer
        self._workers = workers
        self._timing = timing
        self._pilot: PodSession | None = None
        self._pilot_until = 0.0
        self._piloted: set[str] = set()
        self._woken = threading.Event()
        self.ending = False
        """The window is over: stop, fetch, verify."""
        self.releasing = False
        """All is verified: let the agents go."""

    def turn(self, journal: Journal) -> None:
        """Look at every pod once."""
        for session in self._roster.sessions():
            if not session.busy:
                self._decide(session, journal)
        while self._roster.candidates and not self.ending:
            self._ask(self._roster.candidates.pop(), journal)

    def settled(self) -> bool:
        """True when every pod that was running at the start is capturing or will not."""
        waiting = (PodState.DISCOVERED, PodState.PATCHED)
        return not any(
            s.initial and not s.deleting and not s.absent and s.state in waiting
            for s in self._roster.sessions()
        )

    @property
    def hopeful(self) -> bool:
        """False when no pod is left that could capture anything."""
        return any(not s.state.ended or s.verified for s in self._roster.sessions())

    @property
    def idle(self) -> bool:
        """True when nothing runs and nothing is left to do."""
        if any(session.busy for session in self._roster.sessions()):
            return False
        if self.releasing:
            return not any(self._releasable(session) for session in self._roster.sessions())
        return all(session.state.ended for session in self._roster.sessions())

    def wait(self, seconds: float) -> None:
        """Sleep until a task has ended, at most this long."""
        self._woken.wait(seconds)
        self._woken.clear()

    def _decide(self, session: PodSession, journal: Journal) -> None:
        if session.state is PodState.DISCOVERED:
            self._begin(session, journal)
        elif session.state is PodState.PATCHED:
            self._start(session, journal)
        elif session.state is PodState.CAPTURING:
            self._follow(session)
        elif self._releasable(session) and (self.releasing or session.leaving):
            session.lingering = False
            self._submit(_NORMAL, session, self._gatherer.release)

    @staticmethod
    def _releasable(session: PodSession) -> bool:
        return session.lingering and session.state in (PodState.VERIFIED, PodState.SUSPECT)

    def _begin(self, session: PodSession, journal: Journal) -> None:
        if session.absent:
            journal.move(session, PodState.GONE, "the pod vanished before the capture began")
            return
        reason = self._roster.skip_reason(session)
        if not reason and self.ending:
            reason = "it appeared when the capture was ending"
        if reason:
            journal.move(session, PodState.SKIPPED, reason)
            return
        if self._my_turn(session):
            self._submit(_NORMAL, session, self._attacher.attach)

    def _my_turn(self, session: PodSession) -> bool:
        """The first pod goes alone: what cannot work costs one permanent entry then, not many."""
        pilot = self._pilot
        if pilot is not None and pilot.unpullable and not self._attacher.proven:
            return self._other_pilot(session, pilot)
        if pilot is None:
            # A pod that is not running yet would say nothing soon.
            return self._lead(session) if session.initial else self.settled()
        if pilot.state not in (PodState.DISCOVERED, PodState.PATCHED) or self._attacher.useless:
            return True
        stuck = pilot.report(self._attacher.container).phase is ContainerPhase.STUCK
        if time.monotonic() >= self._pilot_until and not stuck:
            return True
        self._preview(session)
        return False

    def _lead(self, session: PodSession) -> bool:
        self._pilot, self._pilot_until = session, time.monotonic() + self._timing.pilot
        self._piloted.add(session.node)
        return True

    def _other_pilot(self, session: PodSession, failed: PodSession) -> bool:
        """An image that one node cannot pull is tried on one more before it is given up for all pods."""
        if len(self._piloted) < _PILOT_NODES:
            if session.initial and session.node not in self._piloted:
                return self._lead(session)
            if any(
                other.initial and other.state is PodState.DISCOVERED and other.node not in self._piloted
                for other in self._roster.sessions()
            ):
                return False
        self._attacher.hopeless = failed.reason
        return True

    def _preview(self, session: PodSession) -> None:
        """Use the pilot's time for the others' dry-runs."""
        if session.previewed:
            return
        session.previewed = True
        self._submit(_REPEATED, session, self._attacher.preview)

    def _start(self, session: PodSession, journal: Journal) -> None:
        report = session.report(self._attacher.container)
        now = time.monotonic()
        if session.absent:
            journal.move(session, PodState.GONE, "the pod was deleted before the capture began")
        elif report.phase is ContainerPhase.RUNNING and not self.ending:
            if now - session.attempted >= _AGAIN:
                session.attempted = now
                self._submit(_NORMAL, session, self._attacher.await_listening)
        elif report.phase is ContainerPhase.RUNNING:
            self._submit(_NORMAL, session, self._finish)
        elif report.phase is ContainerPhase.TERMINATED:
            status = report.agent
            if (
                status is not None
                and status.state in (AgentState.FAILED, AgentState.DONE)
                and not self.ending
            ):
                self._submit(_NORMAL, session, lambda s: self._attacher.judge(s, status))
            else:
                self._attacher.give_up(session, report)
        elif report.phase is ContainerPhase.HOPELESS or self._stuck(session, report.phase, now):
            self._attacher.give_up(session, report)
        elif self.ending or (session.initial and now - session.patched > self._timing.start):
            words = report.words or "the kubelet has not started it"
            session.may_run = self._attacher.container.limits.alone
            journal.move(session, PodState.START_FAILED, f"the agent did not start in time: {words}")

    def _stuck(self, session: PodSession, phase: ContainerPhase, now: float) -> bool:
        """True when the kubelet says that it cannot start the container, and the grace time is over."""
        return phase is ContainerPhase.STUCK and now - session.patched > self._timing.pull_grace

    def _follow(self, session: PodSession) -> None:
        now = time.monotonic()
        report = session.report(self._attacher.container)
        over = self.ending or session.leaving or session.agent_done or session.absent
        if over or report.phase is ContainerPhase.TERMINATED:
            self._submit(_LEAVING if session.leaving else _NORMAL, session, self._finish)
        elif now - session.attempted >= self._timing.pull_interval:
            session.attempted = now
            self._submit(_REPEATED, session, self._gatherer.pull)

    def _finish(self, session: PodSession) -> None:
        self._gatherer.finish(session)
        session.lingering = True

    def _ask(self, session: PodSession, journal: Journal) -> None:
        def ask() -> None:
            try:
                if self._roster.matches(session):
                    self._roster.admit(session)
            except ClusterError as error:
                journal.say(
                    f"{session.label}: whether the selector takes it could not be asked: {error.message}"
                )
            finally:
                self._woken.set()

        self._workers.submit(_NORMAL, ask)

    def _submit(self, urgency: int, session: PodSession, task: Callable[[PodSession], None]) -> None:
        session.busy = True

        def run() -> None:
            try:
                task(session)
            finally:
                session.busy = False
                self._woken.set()

        self._workers.submit(urgency, run)
