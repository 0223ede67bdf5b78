"""What is declared and had no traffic: a capture that is too short shows itself there first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.analysis.backends import Backends
from kubectl_netpolgen.analysis.edges import accepted
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey


class UnusedKind(str, Enum):
    """Kinds of things that wait for traffic."""

    PORT = "port"
    SERVICE = "service"
    CRON_JOB = "cronjob"
    INIT_CONTAINER = "init-container"


@dataclass(frozen=True, order=True)
class Unused:
    """Something without traffic."""

    kind: UnusedKind
    owner: ObjectKey
    """The workload, or the Service itself."""
    name: str = ""
    """The port or the container."""

    def __str__(self) -> str:
        return f"{self.owner} {self.name}".rstrip()


Served = set[tuple[tuple[str, str, str, str, str], Protocol, int]]


def find_unused(
    edges: Iterable[Edge],
    captured: Iterable[ObjectKey],
    namespaces: Iterable[str],
    identities: Identities,
    *,
    started: int,
    ended: int,
) -> tuple[Unused, ...]:
    """Ports, Services, CronJobs and init containers of captured workloads that nobody was seen to use.

    A probe is the kubelet's, and says nothing of who else comes.
    """
    served: Served = {
        (edge.server.identity, edge.protocol, port)
        for edge in edges
        if accepted(edge)
        for port in (edge.port, *edge.ports)
    }
    workloads, spaces = sorted(captured), frozenset(namespaces)
    found = [
        *_ports(served, workloads, identities),
        *_services(served, spaces, identities),
        *_cron_jobs(spaces, identities, started, ended),
        *_init_containers(workloads, identities, started),
    ]
    return tuple(sorted(set(found)))


def _ports(served: Served, captured: Iterable[ObjectKey], identities: Identities) -> Iterator[Unused]:
    seen = {
        (identity[2], identity[1], identity[3], protocol, port)
        for identity, protocol, port in served
        if identity[0] == EndpointKind.WORKLOAD.value
    }
    for key in captured:
        for pod in identities.timeline.pods_of(key):
            for port in pod.ports:
                if (key.namespace, key.kind, key.name, port.protocol, port.port) not in seen:
                    name = f"{port.port}/{port.protocol.value}" + (f" ({port.name})" if port.name else "")
                    yield Unused(UnusedKind.PORT, key, name)


def _services(served: Served, namespaces: frozenset[str], identities: Identities) -> Iterator[Unused]:
    backends = Backends(identities)
    for service in identities.timeline.services:
        if service.namespace not in namespaces or not service.ports:
            continue
        for port in service.ports:
            known = [item for item in backends.behind(service, port) if not item.reason]
            # one that leads nowhere now is another matter than one that nobody called
            if known and not any(
                (target.endpoint.identity, target.protocol, target.port) in served for target in known
            ):
                key = ObjectKey("Service", service.namespace, service.name)
                yield Unused(UnusedKind.SERVICE, key, f"{port.port}/{port.protocol.value}")


def _cron_jobs(
    namespaces: frozenset[str], identities: Identities, started: int, ended: int
) -> Iterator[Unused]:
    timeline = identities.timeline
    for workload in timeline.workloads:
        key = workload.key
        if key.kind != "CronJob" or key.namespace not in namespaces:
            continue
        if not any(started <= pod.created <= ended for pod in timeline.pods_of(key)):
            yield Unused(UnusedKind.CRON_JOB, key)


def _init_containers(captured: Iterable[ObjectKey], identities: Identities, started: int) -> Iterator[Unused]:
    """Those that had ended before the run, in every pod of their workload."""
    for key in captured:
        pods = [pod for pod in identities.timeline.pods_of(key) if pod.init_containers]
        if pods and not any(pod.created >= started for pod in pods):
            for name in sorted({name for pod in pods for name in pod.init_containers}):
                yield Unused(UnusedKind.INIT_CONTAINER, key, name)
