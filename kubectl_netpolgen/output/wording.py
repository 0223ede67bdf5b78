"""Endpoints, ports and marks in a few words: what table, graph and columns share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import Enum

from kubectl_netpolgen.model.edge import Confidence, Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Outcome


class Section(str, Enum):
    """Where a row stands; the application's own edges first."""

    EDGES = "Edges"
    FAILED = "Failed attempts"
    DNS = "Cluster DNS"
    PROBES = "Probes"


def section_of(edge: Edge) -> Section:
    """The part of the table that shows the edge: a failed lookup is a failure before it is a lookup."""
    if edge.outcome.failed:
        return Section.FAILED
    if edge.role is Role.DNS:
        return Section.DNS
    return Section.PROBES if edge.role is Role.PROBE else Section.EDGES


def sort_edges(edges: Iterable[Edge]) -> list[Edge]:
    """By client, server, protocol, port and id: the same edges in the same order, whatever they came in."""
    return sorted(
        edges,
        key=lambda edge: (
            edge.client.identity,
            edge.server.identity,
            edge.protocol.value,
            edge.port,
            edge.id,
        ),
    )


def home_namespace(edges: Iterable[Edge]) -> str:
    """The namespace that most ends of edges are in, and so need not be repeated; empty when none has one."""
    counts = Counter(end.namespace for edge in edges for end in (edge.client, edge.server) if end.namespace)
    return min(counts, key=lambda namespace: (-counts[namespace], namespace), default="")


def endpoint_words(endpoint: Endpoint, *, home: str = "") -> str:
    """`deployment/web`, `payments/deployment/api` outside the home namespace, `api.test (203.0.113.10)`."""
    prefix = f"{endpoint.namespace}/" if endpoint.namespace and endpoint.namespace != home else ""
    if endpoint.kind is EndpointKind.WORKLOAD:
        return f"{prefix}{endpoint.owner_kind.lower()}/{endpoint.name}"
    if endpoint.kind is EndpointKind.SERVICE:
        return f"{prefix}service/{endpoint.name}"
    if endpoint.kind is EndpointKind.NODE:
        return f"node/{endpoint.name}"
    if endpoint.kind is EndpointKind.API_SERVER:
        return "API server"
    if endpoint.kind is EndpointKind.EXTERNAL and endpoint.names:
        return f"{', '.join(endpoint.names)} ({endpoint.address})"
    if endpoint.kind is EndpointKind.UNKNOWN:
        return f"unknown ({endpoint.address or ', '.join(endpoint.names)})"
    return endpoint.address


def port_words(edge: Edge) -> str:
    """`8080/TCP http`: number and protocol, then the name where the port has one."""
    return f"{edge.port}/{edge.protocol.value} {edge.port_name}".rstrip()


def marks(edge: Edge) -> Sequence[str]:
    """What a person should know before trusting the row; empty for a sound edge."""
    found = []
    if edge.outcome is Outcome.DECLARED:
        found.append("declared, not seen")
    else:
        found.extend(_evidence_marks(edge))
    if EndpointKind.UNKNOWN in (edge.client.kind, edge.server.kind):
        found.append("unknown peer")
    if edge.client.host_network or edge.server.host_network:
        found.append("host network")
    return found


def _evidence_marks(edge: Edge) -> Iterable[str]:
    if edge.confidence is not Confidence.HIGH:
        yield f"{edge.confidence.value} confidence"
    if edge.connections is None:
        yield "sockets only"
    if not edge.outcome.accepted and not edge.outcome.failed:
        yield "not proven"
