"""From a capturing pod to verified files: increments, the end, the release."""

from __future__ import annotations

from dataclasses import dataclass

from kubectl_netpolgen.bundle.files import write_whole
from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.cluster.collect import (
    PCAP,
    SOCKETS,
    AgentGone,
    Collector,
)
from kubectl_netpolgen.cluster.container_state import container_report
from kubectl_netpolgen.cluster.local_file import LocalWriteFailed
from kubectl_netpolgen.model.bundle import PodState
from kubectl_netpolgen.model.errors import ClusterError
from kubectl_netpolgen.runs.pod_session import Journal, PodSession


@dataclass
class Gatherer:
    """Fetches what agents hold; every method ends in a state and never raises."""

    journal: Journal

    def pull(self, session: PodSession) -> None:
        """Fetch an increment; a pull that fails is made up for by the next."""
        collector = _collector(session)
        try:
            session.agent_done = collector.pull()
        except AgentGone as error:
            self._lose(session, error)
            return
        except LocalWriteFailed as error:
            self.journal.fail(error)
            return
        except ClusterError as error:
            self.journal.say(f"{session.label}: a pull failed and will be repeated: {error.message}")
        self.journal.progress(session)

    def finish(self, session: PodSession) -> None:
        """Stop the agent, fetch and verify the rest."""
        collector = _collector(session)
        self.journal.move(session, PodState.PULLING)
        try:
            wrong = collector.finish()
        except AgentGone as error:
            self._lose(session, error)
        except LocalWriteFailed as error:
            self.journal.fail(error)
            self.settle(session, PodState.TRANSFER_FAILED, error.message)
        except ClusterError as error:
            self.settle(session, PodState.TRANSFER_FAILED, error.message)
        else:
            if wrong:
                self.settle(session, PodState.SUSPECT, wrong)
            else:
                entry = next(entry for entry in collector.manifest if entry.name == PCAP)
                session.sha256, session.verified = entry.sha256, True
                self.settle(session, PodState.VERIFIED)

    def release(self, session: PodSession) -> None:
        """Let a collected agent go; one that cannot be reached goes by itself after its linger time."""
        try:
            _collector(session).release()
        except ClusterError as error:
            self.journal.say(
                f"{session.label}: the agent could not be told that all is collected; it ends by itself: "
                f"{error.message}"
            )
            return
        if session.verified:
            self.journal.move(session, PodState.RELEASED)

    def halt(self, session: PodSession, *, seconds: float) -> None:
        """Tell an agent to stop, in a hurry."""
        try:
            _collector(session).halt(seconds)
        except ClusterError:
            # Its lease ends it.
            return

    def settle(self, session: PodSession, state: PodState, reason: str = "") -> None:
        """Give the files that arrived their names, whatever they are worth, and move to a last state."""
        if session.left:
            return
        collector = session.collector
        session.ended = self.journal.clock()
        if collector is not None:
            # A file that is wrong must not be taken for a right one by somebody who only sees the folder.
            suffix = ".suspect" if state is PodState.SUSPECT else ""
            self.journal.write(lambda: _keep(session, collector, self.journal, suffix))
        self.journal.move(session, state, reason)

    def _lose(self, session: PodSession, error: AgentGone) -> None:
        received = session.received
        deleted = session.deleting or session.absent or error.pod_absent
        what = "the pod was deleted" if deleted else "its agent ended"
        report = container_report(session.pod, session.container)
        words = report.words or error.message
        self.settle(session, PodState.GONE, f"{what}; {received} bytes had arrived ({words})")


def _keep(session: PodSession, collector: Collector, journal: Journal, suffix: str) -> None:
    for name, local in collector.files.items():
        kept = local.keep(suffix)
        if kept is not None:
            kind = {PCAP: "pcap", SOCKETS: "sockets"}.get(name, "stderr")
            session.capture_files[kind] = journal.writer.relative(kept)
    if collector.status_text:
        target = journal.writer.capture_path(session.uid, _run_of(collector), CaptureFile.STATUS)
        write_whole(target, collector.status_text)


def _run_of(collector: Collector) -> str:
    # The second rung's agent is called RUN-2; its files are the run's all the same.
    return collector.run.partition("-")[0]


def _collector(session: PodSession) -> Collector:
    assert session.collector is not None
    return session.collector
