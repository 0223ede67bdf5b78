"""Sightings of all vantage points joined to edges."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.sightings import Sighting, Vantage
from kubectl_netpolgen.model.edge import (
    CONFIDENCE_OF,
    Edge,
    Endpoint,
    EndpointKind,
    Evidence,
    Role,
)
from kubectl_netpolgen.model.flow import Outcome, better_outcome, stronger_direction
from kubectl_netpolgen.model.network import Address, Protocol, address_order


def edge_id(client: Endpoint, server: Endpoint, protocol: Protocol, port: int) -> str:
    """Twelve hexadecimal digits that stay the same as long as client, server, protocol and port do."""
    text = json.dumps([client.identity, server.identity, protocol.value, port])
    return blake2b(text.encode(), digest_size=6).hexdigest()


def join_sightings(sightings: Iterable[Sighting], identities: Identities) -> tuple[Edge, ...]:
    """One edge for each client, server, protocol and port, in a fixed order."""
    groups: dict[str, list[Sighting]] = {}
    for item in sightings:
        groups.setdefault(edge_id(item.client, item.server, item.protocol, item.port), []).append(item)
    edges = [_edge(key, group, identities) for key, group in groups.items()]
    return tuple(sorted(edges, key=edge_order))


def edge_order(edge: Edge) -> tuple[object, ...]:
    """By client, then server, then protocol and port."""
    return (edge.client.identity, edge.server.identity, edge.protocol.value, edge.port)


def _edge(key: str, group: list[Sighting], identities: Identities) -> Edge:
    # sockets repeat what the packets of the same connections say better
    packets = [item for item in group if item.vantage is not Vantage.SOCKETS]
    counted = packets or group
    first = counted[0]
    outcome, direction = first.outcome, first.direction
    for item in group:
        outcome = better_outcome(outcome, item.outcome)
        direction = stronger_direction(direction, item.direction)
    connections, size = _counts(packets)
    return Edge(
        id=key,
        client=_described(item.client for item in group),
        server=_described(item.server for item in group),
        protocol=first.protocol,
        port=first.port,
        port_name=max((item.port_name for item in group), default=""),
        outcome=outcome,
        direction=direction,
        confidence=CONFIDENCE_OF[direction],
        connections=connections,
        bytes=size,
        first=min(item.first for item in counted),
        last=max(item.last for item in counted),
        evidence=_evidence(counted),
        role=_role(group),
        client_pods=tuple(sorted({item.client_pod for item in group} - {""})),
        server_pods=tuple(sorted({item.server_pod for item in group} - {""})),
        addresses=_addresses(first.server, identities),
        dialled_ports=tuple(sorted({item.dialled for item in group} - {0, first.port})),
        ports=_ports(first, identities),
    )


def _counts(packets: list[Sighting]) -> tuple[int | None, int | None]:
    """Connections and bytes of the vantage point that saw more, since both saw the same traffic."""
    best: tuple[int, int] | None = None
    for vantage in (Vantage.SERVER, Vantage.CLIENT):
        items = [item for item in packets if item.vantage is vantage]
        if items:
            total = (sum(item.connections for item in items), sum(item.bytes for item in items))
            best = total if best is None else max(best, total)
    return best if best is not None else (None, None)


def _described(endpoints: Iterable[Endpoint]) -> Endpoint:
    """One endpoint with every name and role that any sighting knew of it."""
    items = list(endpoints)
    names = tuple(sorted({name for item in items for name in item.names}))
    role = next((item.role for item in items if item.role is not None), None)
    return replace(items[0], names=names, role=role, host_network=any(item.host_network for item in items))


def _role(group: list[Sighting]) -> Role | None:
    """An edge is a probe only when nothing but probes made it."""
    roles = {item.role for item in group}
    return roles.pop() if len(roles) == 1 else None


def _evidence(group: list[Sighting]) -> tuple[Evidence, ...]:
    return tuple(sorted({item.evidence for item in group}, key=lambda item: (item.file, item.filter)))


def _addresses(server: Endpoint, identities: Identities) -> tuple[Address, ...]:
    if server.kind is EndpointKind.API_SERVER:
        # the Service's addresses alone are none that a rule works with, since it is judged after translation
        services = identities.api_services if identities.api_endpoints else frozenset()
        known = {address for address, _ in services | identities.api_endpoints}
        return tuple(sorted(known, key=address_order))
    if server.kind is EndpointKind.NODE:
        return identities.timeline.node_addresses(server.name)
    if server.kind is EndpointKind.EXTERNAL:
        return (Address(server.address),)
    return ()


def _ports(item: Sighting, identities: Identities) -> tuple[int, ...]:
    if item.server.kind is EndpointKind.API_SERVER:
        return tuple(sorted({port for _, port in identities.api_services | identities.api_endpoints}))
    return (item.port,)


def failed(edge: Edge) -> bool:
    """True for an attempt that got nowhere."""
    return edge.outcome.failed


def accepted(edge: Edge) -> bool:
    """True for traffic that got through and is the application's own or DNS."""
    return edge.outcome.accepted and edge.role is not Role.PROBE


def uncertain(edge: Edge) -> bool:
    """True when the capture cannot tell whether it got through."""
    return edge.outcome is Outcome.UNKNOWN
