"""Pods whose ephemeral containers really run, on this machine: the kubelet's part of a fake cluster."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.credentials import Access
from kubectl_netpolgen.cluster.kubeconfig import connect
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.runs.record import Recording, RecordOptions, record
from tests.cluster.agents import end_group, install_tools, shells
from tests.cluster.fake_api.answers import ExecRequest
from tests.cluster.fake_api.exec_wire import Behaviour, prints
from tests.cluster.fake_api.paths import Target
from tests.cluster.fake_api.server import FakeApi

NAMESPACE = "shop"
RUN = "1a2b3c4d"

Tcpdump = Callable[[str, Mapping[str, Any]], str]
"""How tcpdump behaves in a pod's container."""
Waiting = Callable[[str, Mapping[str, Any]], str]
"""Why a pod's container does not start; empty when it does."""


@dataclass
class FakeNode:
    """Runs the agents that are attached to pods of a fake API server."""

    api: FakeApi
    directory: Path
    tcpdump: Tcpdump = lambda pod, container: "listens"
    waiting: Waiting = lambda pod, container: ""
    on_exec: Callable[[ExecRequest], Behaviour | None] = lambda request: None
    """Answers instead of the container where it returns something."""
    agents: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)
    _environments: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Become the server's kubelet."""
        self._path = install_tools(self.directory, shells()[0])
        self.api.on_attach = self._attach
        self.api.on_exec = self._exec

    def pod(self, name: str, *, phase: str = "Running", node: str = "node1", **fields: Any) -> dict[str, Any]:
        """Create a pod; fields go into metadata, spec or status by their Kubernetes names."""
        metadata = {
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": name},
            **fields.pop("metadata", {}),
        }
        spec = {"nodeName": node, "containers": [{"name": "c"}], **fields.pop("spec", {})}
        status = {"phase": phase, **fields.pop("status", {})}
        fields = {"metadata": metadata, "spec": spec, "status": status}
        return self.api.store.put("Pod", name, namespace=NAMESPACE, **fields)

    def change(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Change a pod as it is now."""
        with self.api.store.changed:
            pod = self.api.store.read(Target("", "v1", NAMESPACE, "pods", name))
            if pod is not None:
                change(pod)
                self.api.store.replace(pod)

    def delete(self, name: str) -> None:
        """Delete a pod as the API does: first the mark and the signal, the object when all has ended."""
        self.change(name, lambda pod: pod["metadata"].update(deletionTimestamp="2026-01-01T00:01:00Z"))

    def stop(self) -> None:
        """End all agents and wait for the threads that watch them."""
        for process in list(self.agents.values()):
            end_group(process)
        for thread in self._threads:
            thread.join()

    def running(self) -> list[str]:
        """Pods with an agent that has not ended."""
        return sorted(pod for (pod, _), process in self.agents.items() if process.poll() is None)

    def _attach(self, pod: Mapping[str, Any], container: Mapping[str, Any]) -> None:
        name, which = pod["metadata"]["name"], container["name"]
        reason = self.waiting(name, container)
        if reason:
            self._state(name, which, {"waiting": {"reason": reason, "message": "so says the kubelet"}})
            return
        if pod["status"]["phase"] == "Pending":
            return
        self.start(name, container)

    def start(self, name: str, container: Mapping[str, Any]) -> None:
        """Start an attached container."""
        which = container["name"]
        folder = self.directory / name / which
        (folder / "base").mkdir(parents=True)
        environment = {
            **{item["name"]: item["value"] for item in container["env"]},
            "PATH": str(self._path),
            "NPG_BASES": str(folder / "base"),
            "NPG_TERM": str(folder / "termination"),
            "NPG_TICK": "0.05",
            "FAKE_TCPDUMP": self.tcpdump(name, container),
        }
        process = subprocess.Popen(
            [*shells()[0].command, *container["command"][1:]],
            env=environment,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.agents[name, which] = process
        self._environments[name, which] = environment
        self._state(name, which, {"running": {"startedAt": "2026-01-01T00:00:00Z"}})
        thread = threading.Thread(target=self._wait, args=(name, which, process))
        self._threads.append(thread)
        thread.start()

    def _wait(self, name: str, which: str, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        path = self.directory / name / which / "termination"
        message = path.read_text() if path.exists() else ""
        self._state(name, which, {"terminated": {"exitCode": code, "reason": "Error", "message": message}})

    def _state(self, name: str, which: str, state: Mapping[str, Any]) -> None:
        def change(pod: dict[str, Any]) -> None:
            statuses = pod["status"].setdefault("ephemeralContainerStatuses", [])
            statuses[:] = [one for one in statuses if one["name"] != which] + [
                {"name": which, "state": state}
            ]

        self.change(name, change)

    def _exec(self, request: ExecRequest) -> Behaviour:
        answer = self.on_exec(request)
        if answer is not None:
            return answer
        done = subprocess.run(
            [*shells()[0].command, *request.command[1:]],
            env=self._environments[request.pod, request.container],
            capture_output=True,
            check=False,
        )
        return prints(done.stdout, exit_code=done.returncode)


@dataclass
class Seen:
    """A view that remembers."""

    states: list[tuple[str, PodState]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    on_state: Callable[[str, PodState], None] = lambda name, state: None
    on_phase: Callable[[str], None] = lambda name: None

    def pod(self, capture: PodCapture, *, received: int) -> None:
        """Remember a pod's state."""
        self.states.append((capture.name, capture.state))
        self.on_state(capture.name, capture.state)

    def say(self, message: str) -> None:
        """Remember a line."""
        self.said.append(message)

    def phase(self, name: str) -> None:
        """Remember a phase."""
        self.phases.append(name)
        self.on_phase(name)


@dataclass
class Stage:
    """A fake cluster, a bundle, and all that a run needs."""

    api: FakeApi
    client: Api
    node: FakeNode
    writer: BundleWriter
    view: Seen = field(default_factory=Seen)
    interrupted: threading.Event = field(default_factory=threading.Event)
    abandoned: threading.Event = field(default_factory=threading.Event)

    def record(self, **options: Any) -> Recording:
        """Run to the end."""
        options = {"namespaces": (NAMESPACE,), "duration": 0.3, **options}
        return record(
            self.client,
            RecordOptions(**options),
            self.writer,
            view=self.view,
            clock=time.time_ns,
            run=RUN,
            stop=self.interrupted,
            abandon=self.abandoned,
        )

    def at(self, phase: str, action: Callable[[], object]) -> None:
        """Do something when a phase begins."""

        def on_phase(name: str) -> None:
            if name == phase:
                action()

        self.view.on_phase = on_phase

    def wait_for(self, condition: Callable[[], object], *, seconds: float = 10.0) -> None:
        """Wait until something holds."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "it never came about"
            time.sleep(0.01)


@contextmanager
def stage(directory: Path) -> Iterator[Stage]:
    """Set everything up, and take it down."""
    (directory / "node").mkdir()
    with FakeApi() as api:
        node = FakeNode(api, directory / "node")
        kubeconfig = api.kubeconfig(directory)
        try:
            with connect(Access(kubeconfig=str(kubeconfig)), {}) as client:
                yield Stage(api, client, node, BundleWriter.create(directory / "bundle"))
        finally:
            node.stop()
