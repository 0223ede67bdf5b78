"""Puts the sample application on a cluster and asks it: are all ready, do all edges work, who connects."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e.boutique.forbidden import ELSEWHERE, ForbiddenPair
from tests.e2e.boutique.manifests import manifests, namespace_manifest
from tests.e2e.boutique.workloads import Workload
from tests.harness.kubectl import Kubectl

REACH = Path(__file__).with_name("reach.py")
READ_SCORES = 'cd /tmp/calls 2>/dev/null && for f in *; do printf "%s\\t%s\\n" "$f" "$(cat "$f")"; done'
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def in_parallel(function: Callable[[Asked], Answer], asked: Iterable[Asked]) -> list[Answer]:
    """Ask several pods at once, for a kubectl call is mostly waiting."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(function, asked))


@dataclass(frozen=True)
class Actor:
    """One running pod of a workload, with its address in each family."""

    workload: str
    pod: str
    node: str
    addresses: Mapping[int, str]


@dataclass(frozen=True)
class Stage:
    """The application, or a part of it, in one namespace."""

    kubectl: Kubectl
    namespace: str
    workloads: tuple[Workload, ...]

    def deploy(self) -> None:
        """Create everything and wait until every pod is ready."""
        self.kubectl.apply(*manifests(self.namespace, self.workloads))
        self._settle()

    def restart(self) -> None:
        """Replace every pod, so that nothing survives from before: no connection, no resolved name."""
        self.kubectl.run("-n", self.namespace, "rollout", "restart", "deployment")
        self._settle()

    def actors(self) -> dict[str, Actor]:
        """Return the pods that are here to stay, by workload."""
        listed = self.kubectl.json("-n", self.namespace, "get", "pods")["items"]
        return {
            actor.workload: actor
            for actor in (_actor(pod) for pod in listed if "deletionTimestamp" not in pod["metadata"])
        }

    def scores(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the counters of every call, by workload and call; a call without any result is left out."""
        actors = self.actors()
        callers = [workload for workload in self.workloads if workload.calls]

        def ask(workload: Workload) -> dict[tuple[str, str], dict[str, Any]]:
            # One process a pod; a file that is not there yet is a call without a result.
            command = ("sh", "-c", READ_SCORES)
            pod = actors[workload.name].pod
            said = self.kubectl.exec(self.namespace, pod, *command, container="server", check=False)
            rows = (line.split("\t", 1) for line in said.stdout.splitlines())
            return {(workload.name, name): json.loads(counts) for name, counts in rows}

        return {key: counts for scores in in_parallel(ask, callers) for key, counts in scores.items()}

    def calls(self) -> set[tuple[str, str]]:
        """Return every call that this application makes, by workload and call."""
        return {(workload.name, call.name) for workload in self.workloads for call in workload.calls}

    def wait_for_calls(self, expected: set[tuple[str, str]], timeout: float = 60.0) -> None:
        """Wait until each of these calls has succeeded again, counted from now and not by any clock."""
        before = {key: counts["successes"] for key, counts in self.scores().items()}
        deadline = time.monotonic() + timeout
        missing = expected
        while missing and time.monotonic() < deadline:
            time.sleep(2)
            now = self.scores()
            missing = {key for key in expected if _successes(now, key) <= before.get(key, 0)}
        if missing:
            now = self.scores()
            counts_of_missing = {key: now.get(key) for key in sorted(missing)}
            raise AssertionError(f"calls that do not work: {counts_of_missing}")

    def _settle(self) -> None:
        """Wait until each Deployment has exactly the pods that it wants now."""
        status = ("rollout", "status", "deployment", "--timeout=120s")
        self.kubectl.run("-n", self.namespace, *status, timeout=150)


def attempt(pairs: Iterable[ForbiddenPair], stage: Stage, elsewhere: Stage) -> dict[ForbiddenPair, str]:
    """Try these pairs from inside the pods, one process a pod, and return what came of each."""
    actors = stage.actors() | {ELSEWHERE + name: actor for name, actor in elsewhere.actors().items()}
    by_client: dict[str, list[ForbiddenPair]] = {}
    for pair in pairs:
        by_client.setdefault(pair.client, []).append(pair)

    def host(pair: ForbiddenPair) -> str:
        if pair.is_pod:
            return actors[pair.target].addresses[pair.family]
        return pair.target.format(namespace=stage.namespace)

    def from_client(client: str) -> dict[ForbiddenPair, str]:
        asked = by_client[client]
        targets = json.dumps([(host(pair), pair.port, pair.family) for pair in asked])
        home = elsewhere.namespace if client.startswith(ELSEWHERE) else stage.namespace
        command = ("python3", "-c", REACH.read_text(encoding="utf-8"), targets)
        said = stage.kubectl.exec(home, actors[client].pod, *command, container="server")
        return dict(zip(asked, json.loads(said.stdout), strict=True))

    return {pair: outcome for found in in_parallel(from_client, by_client) for pair, outcome in found.items()}


def wait_for_denial(canaries: Iterable[ForbiddenPair], stage: Stage, elsewhere: Stage) -> None:
    """Wait until the canaries time out: a cluster takes seconds to enforce a policy that it has accepted."""
    asked = tuple(canaries)
    deadline = time.monotonic() + 60
    while (outcomes := set(attempt(asked, stage, elsewhere).values())) != {"timeout"}:
        if time.monotonic() > deadline:
            raise AssertionError(f"policies are not enforced: the canaries say {outcomes}")
        time.sleep(1)


@contextmanager
def temporary_namespace(kubectl: Kubectl, prefix: str, labels: dict[str, str] | None = None) -> Iterator[str]:
    """Give a namespace of a new name and take it away afterwards, without waiting for its end."""
    name = f"{prefix}-{time.time_ns() // 1_000_000 % 100_000_000:x}"
    kubectl.apply(namespace_manifest(name, labels))
    try:
        yield name
    finally:
        kubectl.run("delete", "namespace", name, "--wait=false", check=False)


def _actor(pod: dict[str, Any]) -> Actor:
    """Read from a pod's JSON what the tests ask of it."""
    addresses = [entry["ip"] for entry in pod["status"].get("podIPs", [])]
    return Actor(
        workload=pod["metadata"]["labels"]["app"],
        pod=pod["metadata"]["name"],
        node=pod["spec"].get("nodeName", ""),
        addresses={6 if ":" in address else 4: address for address in addresses},
    )


def _successes(scores: Mapping[tuple[str, str], Mapping[str, Any]], key: tuple[str, str]) -> int:
    """Return how often a call succeeded, none if it was never heard of."""
    found: int = scores.get(key, {}).get("successes", 0)
    return found
