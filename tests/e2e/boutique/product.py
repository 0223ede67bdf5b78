"""Runs the product as a user does, through kubectl's plugin mechanism, and reads what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.e2e.boutique.edges import ExpectedEdge
from tests.harness.kubectl import Kubectl

Item = dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """One run of the product that has ended, with its streams, its status and how long it took."""

    status: int
    stdout: str
    stderr: str
    began: float
    seconds: float

    @property
    def said(self) -> str:
        """Return both streams, for tests that do not care which one told the user."""
        return self.stdout + self.stderr

    def items(self) -> list[Item]:
        """Return the rows of the EdgeList on standard output, which must be there and nothing else."""
        document = json.loads(self.stdout)
        assert (document["apiVersion"], document["kind"]) == ("netpolgen/v1", "EdgeList")
        rows: list[Item] = document["items"]
        return rows

    def expect(self, *statuses: int) -> Finished:
        """Fail unless the run ended with one of these statuses and without anything that is our own fault."""
        assert self.status in statuses, f"exit status {self.status}, not {statuses}\n{self.said}"
        for ours in ("Traceback", "internal error"):
            assert ours not in self.said, self.said
        return self


@dataclass(frozen=True)
class Product:
    """The installed plugin, bound to the kubectl and the kubeconfig of one user."""

    kubectl: Kubectl
    kubeconfig: Path

    def run(self, *args: str, env: Mapping[str, str] | None = None, timeout: float = 240.0) -> Finished:
        """Run `kubectl netpolgen` with these arguments to its end."""
        with self.started(*args, env=env) as running:
            return running.finish(timeout)

    def analyse(self, bundle: Bundle, *args: str, env: Mapping[str, str] | None = None) -> Finished:
        """Analyse a bundle by the plugin's own script: a kubectl in between would be measured too."""
        began = time.time()
        ended = subprocess.run(
            [str(Path(sys.executable).with_name("kubectl-netpolgen")), "analyse", str(bundle.path), *args],
            env=self._environment() | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Finished(ended.returncode, ended.stdout, ended.stderr, began, time.time() - began)

    @contextmanager
    def started(self, *args: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
        """Start `kubectl netpolgen` and hand it over while it runs; it never outlives the test."""
        began = time.time()
        with subprocess.Popen(
            [str(self.kubectl.binary), "netpolgen", *args],
            env=self._environment() | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Running(process, began)
            finally:
                if process.poll() is None:
                    process.kill()

    def _environment(self) -> dict[str, str]:
        """Put the interpreter's own scripts first in PATH: that is where kubectl must find the plugin."""
        found = os.pathsep.join(
            [str(Path(sys.executable).parent), str(self.kubectl.binary.parent), os.environ.get("PATH", "")]
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NETPOLGEN_")}
        return kept | {"PATH": found, "KUBECONFIG": str(self.kubeconfig)}


@dataclass(frozen=True)
class Running:
    """One run of the product that has not ended yet."""

    process: subprocess.Popen[str]
    began: float

    def finish(self, timeout: float = 240.0) -> Finished:
        """Wait for the end and return what was said."""
        stdout, stderr = self.process.communicate(timeout=timeout)
        return Finished(self.process.returncode, stdout, stderr, self.began, time.time() - self.began)

    def wait_for(self, bundle: Bundle, state: str, pod: str | None = None, timeout: float = 60.0) -> None:
        """Wait until the session's journal shows this state, of this pod or of the run."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if any(line.state == state and pod in (None, line.pod) for line in bundle.journal()):
                return
            if self.process.poll() is not None:
                raise AssertionError(f"ended before {state}:\n{''.join(self.process.communicate())}")
            time.sleep(0.3)
        raise AssertionError(f"{state} of {pod or 'the run'} did not come within {timeout} s")


@dataclass(frozen=True)
class JournalLine:
    """One state change in a session: of one pod, or of the run when no pod is named."""

    time: float
    state: str
    pod: str | None


@dataclass(frozen=True)
class Bundle:
    """The directory that a run leaves behind."""

    path: Path

    def journal(self) -> list[JournalLine]:
        """Read the session's state changes; a last line that is still being written is left out."""
        file = self.path / "session.jsonl"
        if not file.exists():
            return []
        whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
        rows = [json.loads(line) for line in whole.splitlines()]
        return [JournalLine(_epoch(row["time"]), row["state"], row.get("pod")) for row in rows]

    def moment(self, state: str) -> float:
        """Return when the run first reached this state."""
        return next(line.time for line in self.journal() if line.state == state)

    def policies(self) -> list[Path]:
        """Return the policy files in the order in which kubectl applies a directory."""
        return sorted((self.path / "policies").glob("*.yaml"))

    def product_bytes(self) -> dict[str, bytes]:
        """Return the files that must be the same bytes whenever the same captures are analysed."""
        files = [*self.policies(), self.path / "graph.dot", self.path / "edges.jsonl"]
        return {str(file.relative_to(self.path)): file.read_bytes() for file in files}


def application_rows(items: list[Item]) -> list[Item]:
    """Leave out name resolution and probes, which every cluster has and no edge list mentions."""
    return [
        item
        for item in items
        if not {"dns", "probe"} & {item.get("role"), item["client"].get("role"), item["server"].get("role")}
    ]


def edges_of(items: list[Item], namespace: str) -> list[ExpectedEdge]:
    """Reduce the rows to what the application's own list says of each edge; nothing is merged on the way."""
    return sorted(
        ExpectedEdge(
            _endpoint(item["client"], namespace),
            _endpoint(item["server"], namespace),
            item["protocol"].upper(),
            item["port"],
            item["outcome"],
        )
        for item in application_rows(items)
    )


def _endpoint(endpoint: Item, namespace: str) -> str:
    """Name an endpoint as the expected edges do; anything unexpected keeps its whole description."""
    if endpoint["kind"] == "Deployment" and endpoint["namespace"] == namespace:
        return str(endpoint["name"])
    if endpoint["kind"] == "External":
        return str(endpoint["address"])
    return json.dumps(endpoint, sort_keys=True)


def _epoch(moment: str) -> float:
    """Read an RFC 3339 time in UTC; Python 3.10 does not know the letter Z."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
