"""A large application: its objects, and what the captures of its pods hold, made one after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kubectl_netpolgen.analysis.derivation import Capture
from kubectl_netpolgen.model.flow import CaptureContents, Conversation, Direction, Outcome
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.semantics.objects import KubernetesObject, parse_object

NAMESPACE = "shop"
START = 1_760_000_000_000_000_000
SECOND = 1_000_000_000
DNS = Address("10.96.0.10")


@dataclass(frozen=True)
class Application:
    """Workloads of several pods behind a Service each; every pod calls the Services of `calls` other ones.

    A call is `connections` connections, which land on the Service's pods by chance. The client sees each
    with the Service's address, and the pod that served it with its own. Every pod looks names up.
    """

    pods: int
    workloads: int
    calls: int
    connections: int = 8
    seed: int = 1

    def address(self, pod: int) -> Address:
        """A pod's address."""
        return Address(f"10.{244 + pod // 62_500}.{pod // 250 % 250}.{pod % 250 + 1}")

    def service_address(self, workload: int) -> Address:
        """The cluster address of a workload's Service."""
        return Address(f"10.97.{workload // 250}.{workload % 250 + 1}")

    def objects(self) -> Iterator[KubernetesObject]:
        """Namespace, Deployments, Services, slices and pods, as the API would give them."""
        for document in self._documents():
            parsed = parse_object(document)
            assert parsed is not None
            yield parsed

    def _documents(self) -> Iterator[dict[str, object]]:
        yield {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": NAMESPACE}}
        for workload in range(self.workloads):
            yield from self._workload(workload)
        for pod in range(self.pods):
            yield self._pod(pod)

    def _workload(self, number: int) -> Iterator[dict[str, object]]:
        labels = {"app": f"w{number}", "app.kubernetes.io/part-of": "shop"}
        meta = {"name": f"w{number}", "namespace": NAMESPACE, "uid": f"uid-w{number}"}
        yield {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "selector": {"matchLabels": {"app": f"w{number}"}},
                "template": {"metadata": {"labels": labels}},
            },
        }
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {
                "clusterIP": self.service_address(number),
                "clusterIPs": [self.service_address(number)],
                "selector": {"app": f"w{number}"},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}],
            },
        }
        yield {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": f"w{number}"}},
            "endpoints": [
                {"addresses": [self.address(pod)], "targetRef": {"kind": "Pod", "uid": f"uid-{pod}"}}
                for pod in self.members(number)
            ],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        }

    def _pod(self, number: int) -> dict[str, object]:
        workload = number % self.workloads
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"w{workload}-{number}",
                "namespace": NAMESPACE,
                "uid": f"uid-{number}",
                "labels": {"app": f"w{workload}", "app.kubernetes.io/part-of": "shop"},
                "creationTimestamp": "2025-01-01T00:00:00Z",
                "ownerReferences": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "name": f"w{workload}",
                        "uid": f"uid-w{workload}",
                        "controller": True,
                    }
                ],
            },
            "spec": {
                "nodeName": f"node-{number % 40}",
                "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}],
            },
            "status": {
                "phase": "Running",
                "podIP": self.address(number),
                "podIPs": [{"ip": self.address(number)}],
                "hostIP": f"172.18.0.{number % 40 + 1}",
            },
        }

    def members(self, workload: int) -> range:
        """The pods of a workload."""
        return range(workload, self.pods, self.workloads)

    @cached_property
    def _callers(self) -> tuple[tuple[int, ...], ...]:
        """Which workloads call a workload."""
        callers: list[list[int]] = [[] for _ in range(self.workloads)]
        for workload in range(self.workloads):
            for called in self.called(workload):
                callers[called].append(workload)
        return tuple(map(tuple, callers))

    def called(self, workload: int) -> list[int]:
        """Which workloads a workload calls."""
        return random.Random(f"{self.seed}/{workload}").sample(range(self.workloads), self.calls)

    def _choice(self, client: int, workload: int) -> list[tuple[int, int]]:
        """The pod that served each connection of a client to a Service, and its sequence number."""
        dice = random.Random(client * self.workloads + workload + self.seed)
        members = self.members(workload)
        return [(dice.choice(members), dice.getrandbits(32)) for _ in range(self.connections)]

    def captures(self) -> Iterator[Capture]:
        """What each pod's capture holds; of several that are asked for, one is in memory."""
        for pod in range(self.pods):
            found = [*self._dialled(pod), *self._served(pod)]
            yield Capture(
                f"uid-{pod}",
                f"captures/uid-{pod}/run.pcap",
                CaptureContents(tuple(found), (), len(found) * 10, 0, None),
            )

    def _dialled(self, pod: int) -> Iterator[Conversation]:
        yield _conversation(self.address(pod), 33_000, DNS, 53, 0, protocol=Protocol.UDP, dns=True)
        for place, workload in enumerate(self.called(pod % self.workloads)):
            address = self.service_address(workload)
            for nth, (_, number) in enumerate(self._choice(pod, workload)):
                port = 34_000 + place * self.connections + nth
                yield _conversation(self.address(pod), port, address, 80, number)

    def _served(self, pod: int) -> Iterator[Conversation]:
        workload = pod % self.workloads
        for caller in self._callers[workload]:
            place = self.called(caller).index(workload)
            for client in self.members(caller):
                for nth, (server, number) in enumerate(self._choice(client, workload)):
                    if server == pod:
                        port = 34_000 + place * self.connections + nth
                        yield _conversation(self.address(client), port, self.address(pod), 8080, number)


def _conversation(
    client: Address,
    client_port: int,
    server: Address,
    server_port: int,
    number: int,
    *,
    protocol: Protocol = Protocol.TCP,
    dns: bool = False,
) -> Conversation:
    udp = protocol is Protocol.UDP
    begun = START + number % 60 * SECOND
    return Conversation(
        protocol=protocol,
        client=client,
        client_port=client_port,
        server=server,
        server_port=server_port,
        packets_to_server=6,
        packets_to_client=4,
        bytes_to_server=612,
        bytes_to_client=4_096,
        first=begun,
        last=begun + 3 * SECOND // 100,
        direction=Direction.HEURISTIC if udp else Direction.SYN,
        outcome=Outcome.ANSWERED if udp else Outcome.ESTABLISHED,
        connections=1,
        keys=(f"d{client_port:04x}",) if udp else (f"t{number:08x}",),
        dns=dns,
    )
