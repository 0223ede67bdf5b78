"""What an edge is called, where it stands among others, and what its outcome means."""

from __future__ import annotations

import json
from hashlib import blake2b

from kubectl_netpolgen.model.edge import Edge, Endpoint, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.network import Protocol


def edge_id(client: Endpoint, server: Endpoint, protocol: Protocol, port: int) -> str:
    """Twelve hexadecimal digits that stay the same as long as client, server, protocol and port do."""
    text = json.dumps([client.identity, server.identity, protocol.value, port])
    return blake2b(text.encode(), digest_size=6).hexdigest()


def edge_order(edge: Edge) -> tuple[object, ...]:
    """By client, then server, then protocol and port."""
    return (edge.client.identity, edge.server.identity, edge.protocol.value, edge.port)


def failed(edge: Edge) -> bool:
    """True for an attempt that got nowhere."""
    return edge.outcome.failed


def accepted(edge: Edge) -> bool:
    """True for traffic that got through and is the application's own or DNS."""
    return edge.outcome.accepted and edge.role is not Role.PROBE


def uncertain(edge: Edge) -> bool:
    """True when the capture cannot tell whether it got through."""
    return edge.outcome is Outcome.UNKNOWN
