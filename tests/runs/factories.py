"""Sessions of pods in any state, without a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.cluster.collect import Collector
from kubectl_netpolgen.model.bundle import PodState, Rung
from kubectl_netpolgen.runs.pod_session import Journal, PodSession
from tests.runs.fake_pods import Seen

UID = "6d0a2b34-0000-4000-8000-000000000001"
RUN = "1a2b3c4d"


def a_pod(name: str = "web", *, uid: str = UID, namespace: str = "shop", **parts: Any) -> dict[str, Any]:
    """A pod as the API server writes it."""
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": uid, **parts.pop("metadata", {})},
        "spec": {"nodeName": "node1", **parts.pop("spec", {})},
        "status": {"phase": "Running", **parts.pop("status", {})},
    }


def a_session(state: PodState = PodState.DISCOVERED, **fields: Any) -> PodSession:
    """A session in a state; fields overwrite."""
    session = PodSession(fields.pop("pod", None) or a_pod(), 0, initial=fields.pop("initial", True))
    session.state = state
    for name, value in fields.items():
        setattr(session, name, value)
    return session


def a_journal(folder: Path) -> tuple[Journal, Seen]:
    """A journal into a new bundle, and its view."""
    view = Seen()
    return Journal(BundleWriter.create(folder), view, time.time_ns), view


Answers = Callable[[str], bytes | Exception]
"""What an exec of this mode brings."""


def attached(journal: Journal, answers: Answers, **fields: Any) -> PodSession:
    """A capturing session whose agent answers as told."""
    session = a_session(PodState.CAPTURING, rung=Rung.STRICT, entries=1, container=f"npg-{RUN}", **fields)
    folder = journal.writer.root / "captures" / session.uid
    folder.mkdir(parents=True)

    def execute(
        command: Sequence[str], *, sink: Callable[[bytes], None], limit: int, deadline: float
    ) -> None:
        answer = answers(command[4])
        if isinstance(answer, Exception):
            raise answer
        sink(answer)

    session.collector = Collector.of(
        execute,
        RUN,
        paths=(folder / f"{RUN}.pcap", folder / f"{RUN}.sockets", folder / f"{RUN}.stderr"),
        limits=AgentLimits(),
        clock=time.time_ns,
    )
    session.collector.pause = lambda seconds: None
    return session
