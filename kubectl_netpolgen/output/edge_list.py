"""Edges as the versioned JSON that programs read: `apiVersion: netpolgen/v1, kind: EdgeList`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Evidence
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.times import rfc3339
from kubectl_netpolgen.output.wording import sort_edges

API_VERSION = "netpolgen/v1"


def edge_list(edges: Sequence[Edge]) -> dict[str, Any]:
    """All edges, in the one order; plain values for `documents.json_text`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "EdgeList",
        "items": [edge_item(edge) for edge in sort_edges(edges)],
    }


def edge_item(edge: Edge) -> dict[str, Any]:
    """One edge; counts are null where only socket tables saw it, `role` is there only when set.

    Of one that is only declared, the times are null too.
    """
    seen = edge.outcome is not Outcome.DECLARED
    item: dict[str, Any] = {
        "id": edge.id,
        "client": endpoint_item(edge.client),
        "server": endpoint_item(edge.server),
        "protocol": edge.protocol.value,
        "port": edge.port,
        "portName": edge.port_name,
        "outcome": edge.outcome.value,
        "confidence": edge.confidence.value,
        "connections": edge.connections,
        "bytes": edge.bytes,
        "first": rfc3339(edge.first) if seen else None,
        "last": rfc3339(edge.last) if seen else None,
        "evidence": [evidence_item(evidence) for evidence in edge.evidence],
    }
    if edge.role is not None:
        item["role"] = edge.role.value
    return item


def endpoint_item(endpoint: Endpoint) -> dict[str, Any]:
    """The shape of each kind; a workload's `kind` is its top owner's own."""
    item = _identity(endpoint)
    if endpoint.host_network:
        item["hostNetwork"] = True
    if endpoint.role is not None:
        item["role"] = endpoint.role.value
    return item


def _identity(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.kind is EndpointKind.WORKLOAD:
        return {"kind": endpoint.owner_kind, "namespace": endpoint.namespace, "name": endpoint.name}
    kind = endpoint.kind.value
    if endpoint.kind is EndpointKind.SERVICE:
        return {"kind": kind, "namespace": endpoint.namespace, "name": endpoint.name}
    if endpoint.kind is EndpointKind.NODE:
        return {"kind": kind, "name": endpoint.name}
    if endpoint.kind is EndpointKind.EXTERNAL:
        return {"kind": kind, "address": endpoint.address, "names": list(endpoint.names)}
    if endpoint.kind is EndpointKind.UNKNOWN:
        if not endpoint.address:
            return {"kind": kind, "names": list(endpoint.names)}
        return {"kind": kind, "address": endpoint.address}
    return {"kind": kind}


def evidence_item(evidence: Evidence) -> dict[str, Any]:
    """A capture file with the display filter that shows the packets, or a sockets file."""
    if not evidence.filter:
        return {"sockets": evidence.file}
    return {"file": evidence.file, "filter": evidence.filter, "packets": evidence.packets}
