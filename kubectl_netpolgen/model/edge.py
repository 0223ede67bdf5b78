"""Endpoints and edges: who talked to whom, from all vantage points joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.model.network import Address, Protocol


class EndpointKind(str, Enum):
    """What an endpoint is; a workload's JSON `kind` is its owner's instead."""

    WORKLOAD = "Workload"
    EXTERNAL = "External"
    API_SERVER = "APIServer"
    NODE = "Node"
    SERVICE = "Service"
    UNKNOWN = "Unknown"


class Role(str, Enum):
    """Why a row stands apart from the application's own edges."""

    DNS = "dns"
    PROBE = "probe"


class Confidence(str, Enum):
    """How well the direction, and so the rule, is founded."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


CONFIDENCE_OF = {
    Direction.SYN: Confidence.HIGH,
    Direction.SYNACK: Confidence.HIGH,
    Direction.LISTEN: Confidence.HIGH,
    Direction.PROVEN: Confidence.MEDIUM,
    Direction.DECLARED: Confidence.MEDIUM,
    Direction.HEURISTIC: Confidence.LOW,
}


@dataclass(frozen=True)
class Endpoint:
    """Who an address was at that time."""

    kind: EndpointKind
    owner_kind: str = ""
    """A workload's own kind: Deployment, StatefulSet, ..., Pod."""
    namespace: str = ""
    name: str = ""
    address: str = ""
    """External and Unknown only."""
    names: tuple[str, ...] = ()
    """DNS names under which an External address was reached; what a declared peer without one is called."""
    host_network: bool = False
    role: Role | None = None

    @cached_property
    def identity(self) -> tuple[str, str, str, str, str]:
        """What makes two sightings the same endpoint: names and roles are only said about it."""
        return (self.kind.value, self.owner_kind, self.namespace, self.name, self.address)

    def __str__(self) -> str:
        if self.kind is EndpointKind.WORKLOAD:
            return f"{self.namespace}/{self.owner_kind}/{self.name}"
        if self.kind is EndpointKind.API_SERVER:
            return "the API server"
        if self.kind is EndpointKind.NODE:
            return f"node {self.name}"
        if self.kind is EndpointKind.SERVICE:
            return f"{self.namespace}/Service/{self.name}"
        if not self.address:
            return ", ".join(self.names) or "somebody"
        return f"{self.address} ({', '.join(self.names)})" if self.names else self.address


@dataclass(frozen=True)
class Evidence:
    """A file of the bundle and what in it shows the edge."""

    file: str
    filter: str = ""
    """A display filter that shows exactly the packets; empty for a sockets file."""
    packets: int = 0


@dataclass(frozen=True)
class Edge:
    """Client to server on a port, with what was seen of it."""

    id: str
    """Stable across runs: a hash of client, server, protocol and port."""
    client: Endpoint
    server: Endpoint
    protocol: Protocol
    port: int
    """The server's port after Service translation."""
    port_name: str
    outcome: Outcome
    direction: Direction
    confidence: Confidence
    connections: int | None
    """None where only socket tables saw it."""
    bytes: int | None
    first: int
    """Nanoseconds since the epoch; 0, as `last`, for one that is declared and was not seen."""
    last: int
    evidence: Sequence[Evidence]
    role: Role | None = None
    client_pods: tuple[str, ...] = ()
    """UIDs of the pods seen at the client end."""
    server_pods: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()
    """The server's addresses where it is no pod (API server: all of its endpoints)."""
    dialled_ports: tuple[int, ...] = ()
    """Ports of Services under which clients dialled it, where they are others than its own."""
    ports: tuple[int, ...] = ()
    """The port and, for the API server, the endpoints' ports behind it."""
