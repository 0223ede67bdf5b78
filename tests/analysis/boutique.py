"""The sample application without a cluster: what its pods' captures would hold, lossy and in disorder.

Both ends see each connection, the client before translation and the server after it, by the clocks of their
nodes; each may miss it, its beginning, or be missing itself. What is left decides which edges can be known.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from kubectl_netpolgen.analysis.derivation import Capture
from kubectl_netpolgen.analysis.orientation import reversed_conversation
from kubectl_netpolgen.model.flow import Conversation, Direction, NameAnswer, Outcome
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Node, Pod, Service
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.e2e.boutique.edges import API_NAME, API_V4, API_V6, REFUSED_EDGE, ExpectedEdge
from tests.e2e.boutique.workloads import Door, Workload, boutique
from tests.factories import (
    NOON,
    SECOND,
    a_bound,
    a_capture,
    a_conversation,
    a_listener,
    a_network,
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_slice,
    a_workload,
    address,
    an_answer,
)

_PROTOCOLS = {"tcp": Protocol.TCP, "http": Protocol.TCP, "udp": Protocol.UDP}
DNS = "10.96.0.53"
NODES = ("172.18.0.2", "172.18.0.3")
PAIR = "10.96.99.1"
TWINS, TWIN_PORT = ("red", "blue"), 7777
"""Two workloads behind one Service: which of them a client was sent to, only they can tell."""


@dataclass
class Synthesis:
    """A recorded run, and what can be known from it."""

    objects: list[KubernetesObject] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    networks: list[PodNetwork] = field(default_factory=list)
    knowable: set[ExpectedEdge] = field(default_factory=set)
    """Edges of which enough is left in some capture."""
    played: set[ExpectedEdge] = field(default_factory=set)
    """All edges there were."""
    ambiguous: bool = False
    """Whether a client reached the twins' Service and neither of them was seen to be reached."""


class _Player:
    """Deploys the application and plays its calls."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.loss = self.chance.choice([0.0, 0.1, 0.4])
        self.late = self.chance.choice([0.0, 0.3])
        self.skew = {number: self.chance.randrange(-9, 10) * SECOND // 10 for number in (1, 2)}
        self.masquerades = self.chance.random() < 0.3
        self.objects: list[KubernetesObject] = []
        self.services: dict[str, Service] = {}
        self.pods: dict[str, list[Pod]] = {}
        self.heard: dict[str, list[Conversation]] = {}
        self.shown: list[tuple[str, ExpectedEdge]] = []
        """Pods and what their captures show of which edge."""
        self.played: set[ExpectedEdge] = set()
        self.rows: dict[str, list[SocketRow]] = {}
        self.answers: dict[str, list[NameAnswer]] = {}
        self.client_port = 40000

    def deploy(self, workload: Workload, number: int, **changes: Any) -> None:
        """The workload's pods, on both nodes, and the Services before them."""
        ports = tuple(
            a_port(
                item.port,
                workload.port_names.get(item.port, ""),
                Protocol(item.protocol.upper().replace("HTTP", "TCP")),
            )
            for item in workload.listens
        )
        pods = self.pods[workload.name] = []
        self.objects.append(a_workload(workload.name))
        for replica in range(self.chance.randint(1, 3)):
            node, host = self.chance.choice((1, 2)), number * 8 + replica
            pod = a_pod(
                f"{workload.name}-{replica}",
                f"10.244.{node}.{host}",
                f"fd00::{node}:{host:x}",
                node=f"node-{node}",
                host_addresses=(address(NODES[node - 1]),),
                ports=ports,
                probe_ports=frozenset(port.port for port in ports[:1]),
                **changes,
            )
            pods.append(pod)
            self.rows[pod.uid] = [
                a_bound(port.port) if port.protocol is Protocol.UDP else a_listener(port.port)
                for port in ports
            ]
        self.objects += pods
        for place, door in enumerate(workload.doors, 10):
            self.expose(door, {"app": workload.name}, f"10.96.{number}.{place}", pods)

    def expose(self, door: Door, selector: dict[str, str], cluster: str, pods: list[Pod]) -> None:
        """A Service and its endpoints."""
        six, protocol, number = door.family == "IPv6", Protocol(door.protocol), target(door, pods[0])
        where = f"fd00:96::{cluster.rpartition('.')[2]}" if six else cluster
        port = a_service_port(door.port, door.target, protocol=protocol, name="p")
        service = a_service(door.name, where, selector=selector, ports=(port,), type=door.kind)
        behind = [replace(pod, addresses=pod.addresses[six:]) for pod in pods]
        self.services[door.name] = service
        self.objects += [
            service,
            a_slice(door.name, *behind, ports=(("p", protocol, number),) if number else ()),
        ]

    def connect(
        self, edge: ExpectedEdge, client: Pod, dialled: Address, port: int, server: Pod | None, **changes: Any
    ) -> None:
        """One connection as both ends see it; a server outside has no capture."""
        self.client_port += 1
        self.played.add(edge)
        six, first = ":" in dialled, NOON + self.chance.randrange(60 * SECOND)
        udp = edge.protocol == "UDP"
        key = f"u{self.client_port}" if udp else f"t{self.chance.randrange(1 << 32):08x}"
        base = a_conversation(
            client.addresses[six],
            dialled,
            port,
            protocol=Protocol(edge.protocol),
            client_port=self.client_port,
            first=first,
            last=first + SECOND,
            **{"keys": (key,), **changes},
        )
        told = server is None or edge.server not in TWINS
        self._hear(client, base, edge if told else None)
        if server is None or base.outcome.failed:
            return
        across = client.node != server.node and not six and not udp
        source = address(NODES[int(client.node[-1]) - 1]) if across and self.masquerades else base.client
        there = base._replace(client=source, server=server.addresses[six], server_port=edge.port)
        # a rewritten source is explained by the client's own capture, or is a node's
        self._hear(server, there, edge if source == base.client else None)

    def _hear(self, pod: Pod, item: Conversation, edge: ExpectedEdge | None) -> None:
        if self.chance.random() < self.loss:
            return
        skew = self.skew[int(pod.node[-1])]
        item = item._replace(first=item.first + skew, last=item.last + skew)
        if edge is not None and item.outcome is Outcome.ESTABLISHED and self.chance.random() < self.late:
            # the handshake came before the capture: who is the server is a guess, by the port numbers
            item = item._replace(direction=Direction.HEURISTIC, keys=())
        if item.direction is Direction.HEURISTIC and item.server_port > item.client_port:
            item = reversed_conversation(item)
        self.heard.setdefault(pod.uid, []).append(item)
        if edge is not None:
            self.shown.append((pod.uid, edge))

    def call_all(self, workloads: Iterable[Workload]) -> None:
        """Every call of every pod, some times."""
        owners = {door.name: (workload.name, door) for workload in workloads for door in workload.doors}
        for workload in workloads:
            for client in self.pods[workload.name]:
                for call in workload.calls:
                    if call.host == API_NAME:
                        server = API_V6 if call.family == "6" else API_V4
                        self.answers.setdefault(client.uid, []).append(an_answer(API_NAME, server))
                        edge = ExpectedEdge(workload.name, server, "TCP", 443)
                        self.connect(edge, client, address(server), 443, None)
                        continue
                    name, door = owners[call.host]
                    dialled = self.services[door.name].addresses[0]
                    for _ in range(self.chance.randint(1, 4)):
                        pod = self.chance.choice(self.pods[name])
                        changes: dict[str, Any] = {}
                        edge = ExpectedEdge(workload.name, name, door.protocol, target(door, pod))
                        if call.host.endswith("-legacy"):
                            edge, changes = REFUSED_EDGE, {"outcome": Outcome.REFUSED}
                        elif call.mode == "hold":
                            changes = {"direction": Direction.HEURISTIC, "keys": ()}
                        elif door.protocol == "UDP":
                            edge = replace(edge, outcome="answered")
                        self.connect(edge, client, dialled, door.port, pod, **changes)


def synthesise(seed: int) -> Synthesis:
    """The application, played and recorded with the faults that a seed gives it."""
    player = _Player(seed)
    workloads = boutique(outside=True)
    for number, workload in enumerate(workloads, 1):
        player.deploy(workload, number)
    for number, name in enumerate(TWINS, 20):
        twin = Workload(name, listens=workloads[0].listens[:0])
        player.deploy(twin, number, labels={"app": name, "pair": "yes"})
        for pod in player.pods[name]:
            player.rows[pod.uid].append(a_listener(TWIN_PORT))
    pair = [pod for name in TWINS for pod in player.pods[name]]
    player.expose(Door("pair", 80, TWIN_PORT), {"pair": "yes"}, PAIR, pair)
    player.objects += [
        a_service("kube-dns", DNS, namespace="kube-system", selector={"k8s-app": "kube-dns"}),
        *(Node(f"node-{number}", (address(text),)) for number, text in enumerate(NODES, 1)),
    ]
    player.call_all(workloads)
    client = player.pods["loadgenerator"][0]
    for _ in range(4):
        name = player.chance.choice(TWINS)
        edge = ExpectedEdge("loadgenerator", name, "TCP", TWIN_PORT)
        dialled = player.services["pair"].addresses[0]
        player.connect(edge, client, dialled, 80, player.chance.choice(player.pods[name]))
    return _record(player)


def _record(player: _Player) -> Synthesis:
    """Captures, lookups, probes and sockets of the pods that were captured, in any order."""
    pods = [pod for group in player.pods.values() for pod in group]
    absent = {pod.uid for pod in player.chance.sample(pods, player.chance.choice([0, 0, 2, 5]))}
    found = Synthesis(objects=player.objects, played=player.played)
    found.knowable = {edge for uid, edge in player.shown if uid not in absent}
    for pod in pods:
        if pod.uid in absent:
            continue
        heard = list(player.heard.get(pod.uid, ()))
        gateway = f"10.244.{pod.node[-1]}.1"
        heard += [a_conversation(gateway, pod.addresses[0], port) for port in sorted(pod.probe_ports)]
        lookup: dict[str, Any] = {"protocol": Protocol.UDP, "dns": True, "direction": Direction.DECLARED}
        heard.append(a_conversation(pod.addresses[0], DNS, 53, keys=(f"d{pod.uid}",), **lookup))
        player.chance.shuffle(heard)
        found.captures.append(a_capture(pod, *heard, names=tuple(player.answers.get(pod.uid, ()))))
        around = {"gateways": frozenset({address(gateway)}), "nameservers": frozenset({address(DNS)})}
        found.networks.append(a_network(pod, *player.rows[pod.uid], **around))
    conversations = [item for capture in found.captures for item in capture.contents.conversations]
    asked = any(PAIR in (item.client, item.server) for item in conversations)
    reached = any(TWIN_PORT in (item.client_port, item.server_port) for item in conversations)
    found.ambiguous = asked and not reached
    player.chance.shuffle(found.captures)
    player.chance.shuffle(found.objects)
    return found


def target(door: Door, pod: Pod) -> int:
    """The pod's port behind a door; 0 where nothing of that name is there."""
    if isinstance(door.target, int):
        return door.target
    return next((port.port for port in pod.ports if port.name == door.target), 0)
