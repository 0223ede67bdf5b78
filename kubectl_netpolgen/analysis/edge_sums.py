"""Sightings of all vantage points added up to edges."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from kubectl_netpolgen.analysis.edges import edge_id, edge_order
from kubectl_netpolgen.analysis.evidence import ShownByFlows, sorted_evidence
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.sightings import EdgeKey, Sighting, Vantage
from kubectl_netpolgen.model.edge import CONFIDENCE_OF, Edge, Endpoint, EndpointKind, Evidence, Role
from kubectl_netpolgen.model.flow import DIRECTION_ORDER, OUTCOME_ORDER, Direction, Outcome
from kubectl_netpolgen.model.network import Address, address_order


class Seen(NamedTuple):
    """What sightings of one edge may say differently."""

    client: Endpoint
    server: Endpoint
    outcome: Outcome
    direction: Direction
    role: Role | None
    port_name: str
    dialled: int


class EdgeSum:
    """What the sightings of one edge add up to, of packets or of sockets."""

    __slots__ = ("asked", "client_pods", "files", "first", "last", "rows", "seen", "served", "server_pods")

    def __init__(self, first: int) -> None:
        self.seen: set[Seen] = set()
        self.client_pods: set[str] = set()
        self.server_pods: set[str] = set()
        self.first = self.last = first
        self.served: tuple[int, int] | None = None
        """Connections and bytes by the servers' captures."""
        self.asked: tuple[int, int] | None = None
        """The same by the clients'."""
        self.rows = array("I")
        self.files: set[Evidence] = set()

    def add(self, item: Sighting) -> None:
        """Take a sighting."""
        self.seen.add(
            Seen(
                item.client,
                item.server,
                item.outcome,
                item.direction,
                item.role,
                item.port_name,
                item.dialled,
            )
        )
        self.client_pods.add(item.client_pod)
        self.server_pods.add(item.server_pod)
        if item.first < self.first:
            self.first = item.first
        if item.last > self.last:
            self.last = item.last
        if item.vantage is not Vantage.SOCKETS:
            self.count(item.vantage is Vantage.CLIENT, item.connections, item.bytes)
        if isinstance(item.evidence, int):
            self.rows.append(item.evidence)
        else:
            self.files.add(item.evidence)

    def count(self, by_client: bool, connections: int, size: int) -> None:
        """Take the numbers of a flow in a client's capture, or in a server's."""
        if by_client:
            known, bytes_known = self.asked or (0, 0)
            self.asked = (known + connections, bytes_known + size)
        else:
            known, bytes_known = self.served or (0, 0)
            self.served = (known + connections, bytes_known + size)


class EdgeSums:
    """Adds sightings up, in any order, and keeps none of them: there is one of each flow."""

    def __init__(self, table: FlowTable) -> None:
        self._table = table
        self._packets: dict[EdgeKey, EdgeSum] = {}
        self._sockets: dict[EdgeKey, EdgeSum] = {}

    def add(self, items: Iterable[Sighting]) -> None:
        """Take sightings."""
        for item in items:
            sums = self._sockets if item.vantage is Vantage.SOCKETS else self._packets
            found = sums.get(item.edge)
            if found is None:
                found = sums[item.edge] = EdgeSum(item.first)
            found.add(item)

    def sum_of(self, edge: EdgeKey, first: int) -> EdgeSum:
        """What the packets of an edge add up to so far; begun with a packet's time where nothing is."""
        found = self._packets.get(edge)
        if found is None:
            found = self._packets[edge] = EdgeSum(first)
        return found

    def rows(self) -> Iterator[Sequence[int]]:
        """The rows of the flows at each edge."""
        return (item.rows for item in self._packets.values())

    def __contains__(self, key: object) -> bool:
        return key in self._packets or key in self._sockets

    def edges(self, identities: Identities) -> tuple[Edge, ...]:
        """One edge for each client, server, protocol and port, in a fixed order."""
        keys = dict.fromkeys((*self._packets, *self._sockets))
        return tuple(sorted((self._edge(key, identities) for key in keys), key=edge_order))

    def _edge(self, key: EdgeKey, identities: Identities) -> Edge:
        packets, sockets = self._packets.get(key), self._sockets.get(key)
        both = [item for item in (packets, sockets) if item is not None]
        # sockets repeat what the packets of the same connections say better
        counted = both[0]
        seen = {x for item in both for x in item.seen}
        client = _described({item.client for item in seen})
        server = _described({item.server for item in seen})
        direction = min({item.direction for item in seen}, key=DIRECTION_ORDER.index)
        connections, size = _counts(packets) if packets is not None else (None, None)
        *_, protocol, port = key
        return Edge(
            id=edge_id(client, server, protocol, port),
            client=client,
            server=server,
            protocol=protocol,
            port=port,
            port_name=max(item.port_name for item in seen),
            outcome=min({item.outcome for item in seen}, key=OUTCOME_ORDER.index),
            direction=direction,
            confidence=CONFIDENCE_OF[direction],
            connections=connections,
            bytes=size,
            first=counted.first,
            last=counted.last,
            evidence=self._evidence(counted),
            role=_role({item.role for item in seen}),
            client_pods=tuple(sorted({x for item in both for x in item.client_pods} - {""})),
            server_pods=tuple(sorted({x for item in both for x in item.server_pods} - {""})),
            addresses=_addresses(server, identities),
            dialled_ports=tuple(sorted({item.dialled for item in seen} - {0, port})),
            ports=_ports(server, port, identities),
        )

    def _evidence(self, counted: EdgeSum) -> Sequence[Evidence]:
        if counted.rows:
            return ShownByFlows(self._table, counted.rows)
        return tuple(sorted_evidence(counted.files))


def _counts(packets: EdgeSum) -> tuple[int, int]:
    """Connections and bytes of the vantage point that saw more, since both saw the same traffic."""
    return max(item for item in (packets.served, packets.asked) if item is not None)


def _described(ends: Iterable[Endpoint]) -> Endpoint:
    """One endpoint with every name and role that any sighting knew of it."""
    items = list(ends)
    names = tuple(sorted({name for item in items for name in item.names}))
    role = max((item.role for item in items if item.role is not None), default=None)
    return replace(items[0], names=names, role=role, host_network=any(item.host_network for item in items))


def _role(roles: set[Role | None]) -> Role | None:
    """An edge is a probe only when nothing but probes made it."""
    return roles.pop() if len(roles) == 1 else None


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


def _ports(server: Endpoint, port: int, identities: Identities) -> tuple[int, ...]:
    if server.kind is EndpointKind.API_SERVER:
        return tuple(sorted({port for _, port in identities.api_services | identities.api_endpoints}))
    return (port,)
