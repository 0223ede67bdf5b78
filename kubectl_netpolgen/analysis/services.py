"""From the address that a client dialled to the pods and port behind it.

The client's capture shows a Service's address before translation, the server's capture the pod's address and
target port after it. Where both were captured, what they share (a TCP initial sequence number, a client's
address and port) names the backend with certainty; where only one was, the Service's endpoints decide, if
they can.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from kubectl_netpolgen.analysis.endpoints import Backend, Endpoints, Listed
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.analysis.key_index import KeyIndex
from kubectl_netpolgen.analysis.timeline import SLACK, Timeline
from kubectl_netpolgen.model.edge import Endpoint
from kubectl_netpolgen.model.flow import Flow
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Service, ServicePort
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow, SocketState


class Translation(NamedTuple):
    """What stands behind a dialled address."""

    service: Service | None
    service_port: ServicePort | None
    backends: tuple[Backend, ...]
    joined: bool
    """True when the server's own capture or sockets named the backends."""
    unseen: tuple[Backend, ...] = ()
    """Endpoints without a capture that may have had the connections which no captured backend saw."""
    endpoints: tuple[Backend, ...] = ()
    """All of the Service's, where some of them are named."""

    @property
    def idle(self) -> tuple[Backend, ...]:
        """Endpoints that had none of the connections, and may have the next one."""
        known = {(backend.address, backend.port) for backend in (*self.backends, *self.unseen)}
        return tuple(item for item in self.endpoints if (item.address, item.port) not in known)


CONNECTED = (SocketState.ESTABLISHED, SocketState.CLOSING)
_NOTHING = Translation(None, None, (), joined=False)


class Translator:
    """Finds backends, from both vantage points where there are two."""

    def __init__(self, timeline: Timeline, flows: FlowTable, networks: Mapping[str, PodNetwork]) -> None:
        self._timeline = timeline
        self._flows = flows
        self._endpoints = Endpoints(timeline)
        self._captured = {*networks, *(segment.pod_uid for segment in flows.segments)}
        self._served = KeyIndex()
        """What the captures of servers show."""
        self._served_from: dict[tuple[Protocol, Address], list[int]] | None = None
        self._dialled: KeyIndex | None = None
        self._known: set[tuple[object, ...]] = set()
        """Clients and Service ports whose backends packets named."""
        self._targets: dict[tuple[Address, int, Protocol], tuple[Service | None, ServicePort | None]] = {}
        for segment in flows.segments:
            own = timeline.own_addresses(segment.pod_uid)
            for number, (protocol, client, server, keys) in enumerate(flows.keys_of(segment), segment.start):
                if server in own:
                    self._served.add(number, protocol, client, keys)
        self._served_sockets = self._index_sockets(networks)

    def _index_sockets(self, networks: Mapping[str, PodNetwork]) -> dict[tuple[Address, int], set[Backend]]:
        """Connections by the client's address and port, as the servers' own tables list them."""
        index: dict[tuple[Address, int], set[Backend]] = {}
        for network in networks.values():
            listening = network.listening(Protocol.TCP)
            for row in network.rows:
                if row.protocol is Protocol.TCP and row.state in CONNECTED and row.local_port in listening:
                    index.setdefault((row.remote, row.remote_port), set()).add(
                        Backend(row.local, row.local_port, row.time)
                    )
        return index

    def of_flow(self, flow: Flow) -> Translation:
        """What stands behind a flow's server address."""
        service, port = self.service_port(flow.server, flow.server_port, flow.protocol)
        if service is None:
            if self._timeline.pod_at(flow.server, flow.first) is not None:
                backend = Backend(flow.server, flow.server_port, flow.first)
                return Translation(None, None, (backend,), joined=True)
            return _NOTHING
        endpoints, ends = self._endpoints.between(service, port, flow.protocol, flow.first, flow.last)
        found: set[Backend] = set()
        joined = 0
        for key in flow.keys:
            matches = False
            for number in self._served.rows(flow.protocol, flow.client, key):
                server, first, last = self._flows.served(number)
                if (
                    flow.first <= last + SLACK
                    and first <= flow.last + SLACK
                    # one socket of UDP sends to several servers from one port
                    and (flow.protocol is not Protocol.UDP or not ends or key[:1] != "u" or server in ends)
                ):
                    found.add(Backend(*server, first))
                    matches = True
            joined += matches
        if not found:
            # the handshakes came before the capture: what the endpoints' own captures have from this client
            found = {
                Backend(other.server, other.server_port, other.first)
                for other in self._from(flow)
                if (other.server, other.server_port) in ends and _overlap(flow, other)
            }
        if not found:
            return Translation(service, port, endpoints, joined=False)
        unseen = () if joined and joined == len(flow.keys) else self._uncaptured(endpoints)
        backends = tuple(sorted(found)) if len(found) > 1 else tuple(found)
        return Translation(service, port, backends, joined=True, unseen=unseen, endpoints=endpoints)

    def of_socket(self, row: SocketRow) -> Translation:
        """What stands behind the remote end of a client's socket."""
        service, port = self.service_port(row.remote, row.remote_port, row.protocol)
        if service is None:
            return Translation(None, None, (Backend(row.remote, row.remote_port, row.time),), joined=True)
        endpoints, ends = self._endpoints.between(service, port, row.protocol, row.time, row.time)
        # a client's port serves it for connections to several servers, so the Service must have the backend
        served = {
            backend
            for backend in self._served_sockets.get((row.local, row.local_port), ())
            if not ends or (backend.address, backend.port) in ends
        }
        if served:
            return Translation(service, port, tuple(sorted(served)), joined=True, endpoints=endpoints)
        return Translation(service, port, endpoints, joined=False)

    def learn(self, client: Endpoint, service: Service, port: ServicePort | None) -> None:
        """Remember that packets named a backend of a Service for a client."""
        self._known.add((client.identity, service.namespace, service.name, port))

    def knows(self, client: Endpoint, translation: Translation) -> bool:
        """Whether packets named a backend of this Service for the client, be it at another time."""
        service, port = translation.service, translation.service_port
        return service is not None and (client.identity, service.namespace, service.name, port) in self._known

    def listed(self, service: Service, port: ServicePort, protocol: Protocol) -> Listed:
        """All endpoints that a Service's port had in the run."""
        return self._endpoints.listed(service, port, protocol)

    def first_of(self, flow: Flow, ends: Container[tuple[Address, int]]) -> tuple[Address, int] | None:
        """The first by address of those that served a flow by their own captures.

        None where no capture tells, and where one does that is not of `ends`.
        """
        found = None
        for key in flow.keys:
            for number in self._served.rows(flow.protocol, flow.client, key):
                server, first, last = self._flows.served(number)
                if flow.first <= last + SLACK and first <= flow.last + SLACK:
                    if server not in ends:
                        return None
                    if found is None or server < found:
                        found = server
        return found

    def true_clients(self, flow: Flow) -> tuple[tuple[tuple[Address, int], ...], float]:
        """Who opened connections whose source was rewritten on the way, by their own captures.

        Addresses, each with the time to ask who had it; and what share of the flow they do not account for.
        """
        clients: dict[Address, int] = {}
        explained = set()
        for key in flow.keys:
            if key[:1] == "u":
                # the source's port alone, which a rewritten source need not keep
                continue
            for other in map(self._flows.row, self._dialled_by_key().rows(flow.protocol, "", key)):
                if other.client != flow.client and _overlap(flow, other):
                    clients[other.client] = min(other.first, clients.get(other.client, other.first))
                    explained.add(key)
        left = 1 - len(explained) / len(flow.keys) if flow.keys else 1.0
        return tuple(sorted(clients.items())), left

    def _dialled_by_key(self) -> KeyIndex:
        """What the captures of clients show; made when first needed, which in most clusters is never."""
        if self._dialled is None:
            self._dialled = KeyIndex()
            for segment in self._flows.segments:
                own = self._timeline.own_addresses(segment.pod_uid)
                for number, (protocol, client, _, keys) in enumerate(
                    self._flows.keys_of(segment), segment.start
                ):
                    if client in own:
                        self._dialled.add(number, protocol, client, keys)
        return self._dialled

    def _from(self, flow: Flow) -> Iterable[Flow]:
        """What servers' captures have from a flow's client; their index is made when first needed."""
        if self._served_from is None:
            self._served_from = {}
            for segment in self._flows.segments:
                own = self._timeline.own_addresses(segment.pod_uid)
                for number, other in enumerate(self._flows.of(segment), segment.start):
                    if other.server in own:
                        self._served_from.setdefault((other.protocol, other.client), []).append(number)
        return map(self._flows.row, self._served_from.get((flow.protocol, flow.client), ()))

    def service_port(
        self, address: Address, port: int, protocol: Protocol
    ) -> tuple[Service | None, ServicePort | None]:
        """The Service and its port behind an address, a node port on a node's address included."""
        asked = (address, port, protocol)
        known = self._targets.get(asked)
        if known is None:
            known = self._targets[asked] = self._find(address, port, protocol)
        return known

    def _find(
        self, address: Address, port: int, protocol: Protocol
    ) -> tuple[Service | None, ServicePort | None]:
        services = self._timeline.services_at(address)
        for service in services:
            for item in service.ports:
                if item.port == port and item.protocol is protocol:
                    return service, item
        if self._timeline.node_at(address) is not None:
            # also where a load balancer hands out the nodes' own addresses
            return self._timeline.node_port(port, protocol) or (None, None)
        return (services[0], None) if services else (None, None)

    def _uncaptured(self, endpoints: Iterable[Backend]) -> tuple[Backend, ...]:
        tenants = ((backend, self._timeline.pod_at(backend.address, backend.time)) for backend in endpoints)
        return tuple(backend for backend, pod in tenants if pod is None or pod.uid not in self._captured)


def _overlap(a: Flow, b: Flow) -> bool:
    return a.first <= b.last + SLACK and b.first <= a.last + SLACK
