"""Twelve pods in three namespaces, to which one set of policies after the other is applied."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.boutique.stage import in_parallel, temporary_namespace
from tests.e2e.pods import NODES, eventually, pod
from tests.e2e.sets.policies import (
    APPS,
    OUTSIDE,
    OUTSIDE_PORT,
    TCP_PORTS,
    TEAMS,
    TIERS,
    UDP_PORTS,
    UNDECLARED,
    Manifest,
    policy_set,
)
from tests.e2e.sets.verdicts import Attempt, verdicts
from tests.harness.kubectl import Kubectl

ENDS = Path(__file__).with_name("ends.py")
CANARY = "canary"
CANARY_PORTS = (TCP_PORTS["http"], TCP_PORTS["admin"])


@dataclass(frozen=True)
class Difference:
    """An attempt that ended otherwise than the evaluator says."""

    attempt: Attempt
    allowed: bool
    outcome: str


@dataclass(frozen=True)
class Result:
    """What came of one set."""

    seed: int
    attempts: int
    allowed: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Room:
    """The pods, two of each namespace on each node, and elsewhere a canary on each."""

    kubectl: Kubectl
    namespaces: dict[str, str]
    """By team."""
    canaries: str
    """The canaries' namespace: no set selects a pod there."""

    def pods(self) -> list[Manifest]:
        """Return what runs here, as the API server has it now."""
        return self._items("pods", *self.namespaces.values())

    def _items(self, kind: str, *namespaces: str) -> list[Manifest]:
        return [item for name in namespaces for item in self.kubectl.json("-n", name, "get", kind)["items"]]

    def attempts(self, pods: Iterable[Manifest]) -> list[Attempt]:
        """Each pod at each port of each other over both families, and at the outside."""
        actors = list(pods)
        ports = [
            *((port, "TCP") for port in (*TCP_PORTS.values(), UNDECLARED)),
            *((port, "UDP") for port in UDP_PORTS.values()),
        ]
        return [
            *(
                Attempt(_name(client), address["ip"], port, protocol)
                for client in actors
                for server in actors
                if client is not server
                for address in server["status"]["podIPs"]
                for port, protocol in ports
            ),
            *(
                Attempt(_name(client), address, OUTSIDE_PORT, "TCP")
                for client in actors
                for address in OUTSIDE
            ),
        ]

    def try_all(self, attempts: Iterable[Attempt]) -> dict[Attempt, str]:
        """Try each from inside of its pod, one process a pod."""
        wanted: dict[str, list[Attempt]] = {}
        for item in attempts:
            wanted.setdefault(item.client, []).append(item)

        def ask(client: str) -> dict[Attempt, str]:
            namespace, _, name = client.partition("/")
            targets = [(item.address, item.port, item.protocol) for item in wanted[client]]
            command = ("python3", "-c", ENDS.read_text(), json.dumps({"targets": targets}))
            said = json.loads(self.kubectl.exec(namespace, name, *command).stdout)
            return dict(zip(wanted[client], said, strict=True))

        return {item: outcome for found in in_parallel(ask, wanted) for item, outcome in found.items()}

    def judge(self, seed: int) -> Result:
        """Apply a set, wait until it is in force, and compare."""
        chosen = policy_set(seed, self.namespaces)
        self.kubectl.apply(*chosen)
        self._await_canaries(seed)
        pods = self.pods()
        attempts = self.attempts(pods)
        stored = self._items("networkpolicies", *self.namespaces.values())
        spaces = [self.kubectl.json("get", "namespace", name) for name in self.namespaces.values()]
        expected = verdicts([*spaces, *pods, *stored], attempts)
        outcomes = self.try_all(attempts)
        for _ in range(2):
            # What is allowed may get lost on a busy machine. What is denied never comes through, except for a
            # datagram between the very ports of one that an earlier set allowed: for two minutes the kernel
            # takes it for the same stream (nf_conntrack_udp_timeout_stream). From another port it does not.
            again = [
                item
                for item, said in outcomes.items()
                if (expected[item] and said == "timeout")
                or (not expected[item] and said == "connected" and item.protocol == "UDP")
            ]
            outcomes |= self.try_all(again)
        self._forget(chosen)
        differences = tuple(
            Difference(item, expected[item], said)
            for item, said in sorted(outcomes.items())
            if said != ("connected" if expected[item] else "timeout")
        )
        return Result(seed, len(outcomes), sum(expected.values()), differences)

    def _forget(self, policies: Iterable[Manifest]) -> None:
        for namespace in self.namespaces.values():
            names = [
                item["metadata"]["name"] for item in policies if item["metadata"]["namespace"] == namespace
            ]
            if names:
                self.kubectl.run("-n", namespace, "delete", "networkpolicy", *names)

    def _await_canaries(self, seed: int) -> None:
        """Wait until a policy that was applied after the set is in force at every canary.

        It opens one of two ports and closes the other, by turns: the engine takes what it is told in order.
        """
        opened, closed = CANARY_PORTS if seed % 2 else CANARY_PORTS[::-1]
        self.kubectl.apply(_canary_policy(self.canaries, opened))
        canaries = self._items("pods", self.canaries)
        wanted = {
            Attempt(_name(client), server["status"]["podIP"], port, "TCP"): said
            for client in canaries
            for server in canaries
            if client is not server
            for port, said in ((opened, "connected"), (closed, "timeout"))
        }
        assert eventually(lambda: self.try_all(wanted) == wanted, 60), f"set {seed} is not in force"


def _name(item: Manifest) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def _canary_policy(namespace: str, port: int) -> Manifest:
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": port}]}],
    }
    metadata = {"name": CANARY, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _pods(team: str, namespace: str) -> Iterator[Manifest]:
    """One pod of each app, by turns on both nodes, and most with a tier; or of the canaries one on each."""
    role = {"tcp": [*TCP_PORTS.values(), UNDECLARED], "udp": list(UDP_PORTS.values())}
    command = ("python3", "-c", ENDS.read_text(), json.dumps(role))
    ports: list[dict[str, Any]] = [
        *({"name": name, "containerPort": port} for name, port in TCP_PORTS.items()),
        *({"name": name, "containerPort": port, "protocol": "UDP"} for name, port in UDP_PORTS.items()),
    ]
    place = TEAMS.index(team) if team in TEAMS else 0
    for number, app in enumerate(APPS if team in TEAMS else (f"{CANARY}-{node}" for node in NODES)):
        node = NODES[(number + place) % 2]
        ready = {"tcpSocket": {"port": TCP_PORTS["http"]}, "periodSeconds": 1}
        made = pod(app, *command, node=node, ports=ports, readinessProbe=ready)
        made["metadata"]["namespace"] = namespace
        if team in TEAMS and number != place:
            made["metadata"]["labels"]["tier"] = TIERS[(number + place) % 2]
        yield made


@contextmanager
def room(kubectl: Kubectl, name: str) -> Iterator[Room]:
    """Give a room whose pods all serve, and take it away afterwards."""
    with ExitStack() as stack:
        namespaces = {
            team: stack.enter_context(temporary_namespace(kubectl, f"set-{name}-{team}", {"team": team}))
            for team in (*TEAMS, CANARY)
        }
        for namespace in namespaces.values():
            # pods are refused until the namespace's account is there
            kubectl.wait("-n", namespace, "--for=create", "serviceaccount/default")
        kubectl.apply(*(item for team, namespace in namespaces.items() for item in _pods(team, namespace)))
        for namespace in namespaces.values():
            kubectl.wait("-n", namespace, "pods", "--all", "--for=condition=Ready", timeout=120)
        canaries = namespaces.pop(CANARY)
        yield Room(kubectl, namespaces, canaries)
