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
        for kind in self._kinds():
            self.kubectl.run("-n", self.namespace, "rollout", "restart", kind)
        self._settle()

    def actors(self) -> dict[str, Actor]:
        """Return the pods that are here to stay, by workload; of several of one workload, the last."""
        return {actor.workload: actor for actor in self.all_actors()}

    def all_actors(self) -> list[Actor]:
        """Return the pods that are here to stay, by name."""
        listed = self.kubectl.json("-n", self.namespace, "get", "pods")["items"]
        ended = ("Succeeded", "Failed")
        return [
            _actor(pod)
            for pod in listed
            if "deletionTimestamp" not in pod["metadata"] and pod["status"].get("phase") not in ended
        ]

    def scores(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the counters of every call, by workload and call.

        Of several pods of a workload the one that succeeded least speaks for it.
        """
        calls = {workload.name: [call.name for call in workload.calls] for workload in self.workloads}
        none = {"successes": 0, "failures": 0, "opened": 0}

        def ask(actor: Actor) -> dict[tuple[str, str], dict[str, Any]]:
            # One process a pod; a file that is not there yet is a call without a result.
            command = ("sh", "-c", READ_SCORES)
            said = self.kubectl.exec(self.namespace, actor.pod, *command, container="server", check=False)
            known = dict(line.split("\t", 1) for line in said.stdout.splitlines())
            return {
                (actor.workload, name): json.loads(known[name]) if name in known else none
                for name in calls[actor.workload]
            }

        found: dict[tuple[str, str], dict[str, Any]] = {}
        for scores in in_parallel(ask, (actor for actor in self.all_actors() if calls[actor.workload])):
            for key, counts in scores.items():
                found[key] = min(counts, found.get(key, counts), key=lambda item: item["successes"])
        return found

    def calls(self) -> set[tuple[str, str]]:
        """Return every call that this application makes for as long as it runs, by workload and call."""
        return {
            (workload.name, call.name)
            for workload in self.workloads
            if not workload.rounds
            for call in workload.calls
        }

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

    def reach(self, pod: str, targets: list[tuple[str, int, int]]) -> list[str]:
        """Try these hosts, ports and families from inside a pod and return what came of each."""
        command = ("python3", "-c", REACH.read_text(encoding="utf-8"), json.dumps(targets))
        said = self.kubectl.exec(self.namespace, pod, *command, container="server")
        outcomes: list[str] = json.loads(said.stdout)
        return outcomes

    def _settle(self) -> None:
        """Wait until each controller has exactly the pods that it wants now."""
        for kind in self._kinds():
            status = ("rollout", "status", kind, "--timeout=120s")
            self.kubectl.run("-n", self.namespace, *status, timeout=150)

    def _kinds(self) -> list[str]:
        """Name the kinds of controllers here that roll out, as kubectl takes them."""
        kinds = {workload.kind for workload in self.workloads if not workload.rounds}
        return sorted(kind.lower() for kind in kinds)


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
        targets = [(host(pair), pair.port, pair.family) for pair in asked]
        home = elsewhere if client.startswith(ELSEWHERE) else stage
        return dict(zip(asked, home.reach(actors[client].pod, targets), strict=True))

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
