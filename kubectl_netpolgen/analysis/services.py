"""From the address that a client dialled to the pods and port behind it.

The client's capture shows a Service's address before translation, the server's capture the pod's address and
target port after it. Where both were captured, what they share (a TCP initial sequence number, a client's
address and port) names the backend with certainty; where only one was, the Service's endpoints decide, if
they can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubectl_netpolgen.analysis.timeline import SLACK, Timeline
from kubectl_netpolgen.model.flow import Flow
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Service, ServicePort, SliceEndpoint
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow, SocketState


@dataclass(frozen=True, order=True)
class Backend:
    """A pod's address and its port after translation."""

    address: Address
    port: int
    time: int = 0
    """When to ask who had the address: a backend may be younger than the flow that came to reach it."""


@dataclass(frozen=True)
class Translation:
    """What stands behind a dialled address."""

    service: Service | None
    service_port: ServicePort | None
    backends: tuple[Backend, ...]
    joined: bool
    """True when the server's own capture or sockets named the backends."""
    unseen: tuple[Backend, ...] = ()
    """Endpoints without a capture that may have had the connections which no captured backend saw."""
    idle: tuple[Backend, ...] = ()
    """Endpoints that had none of the connections, and may have the next one."""


CONNECTED = (SocketState.ESTABLISHED, SocketState.CLOSING)


class Translator:
    """Finds backends, from both vantage points where there are two."""

    def __init__(self, timeline: Timeline, flows: Iterable[Flow], networks: Mapping[str, PodNetwork]) -> None:
        self._timeline = timeline
        self._served: dict[tuple[Protocol, str], list[Flow]] = {}
        self._served_from: dict[tuple[Protocol, Address], list[Flow]] = {}
        self._dialled: dict[tuple[Protocol, str], list[Flow]] = {}
        self._captured = set(networks)
        for flow in flows:
            self._captured.add(flow.pod_uid)
            if timeline.own_address(flow.pod_uid, flow.server):
                self._served_from.setdefault((flow.protocol, flow.client), []).append(flow)
                for key in flow.keys:
                    self._served.setdefault((flow.protocol, key), []).append(flow)
            if timeline.own_address(flow.pod_uid, flow.client):
                for key in flow.keys:
                    self._dialled.setdefault((flow.protocol, key), []).append(flow)
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
            return Translation(None, None, (), joined=False)
        endpoints = self._endpoints(service, port, flow.protocol, flow.first, flow.last)
        numbers = {(backend.address, backend.port) for backend in endpoints}
        served: dict[str, set[Backend]] = {}
        for key in flow.keys:
            for other in self._served.get((flow.protocol, key), ()):
                if _same_connection(flow, other, key, numbers):
                    backend = Backend(other.server, other.server_port, other.first)
                    served.setdefault(key, set()).add(backend)
        found = set().union(*served.values())
        if not found:
            # the handshakes came before the capture: what the endpoints' own captures have from this client
            found = {
                Backend(other.server, other.server_port, other.first)
                for other in self._served_from.get((flow.protocol, flow.client), ())
                if (other.server, other.server_port) in numbers and _overlap(flow, other)
            }
        if not found:
            return Translation(service, port, endpoints, joined=False)
        unseen = () if served and len(served) == len(flow.keys) else self._uncaptured(endpoints)
        return Translation(
            service,
            port,
            tuple(sorted(found)),
            joined=True,
            unseen=unseen,
            idle=_others(endpoints, {*found, *unseen}),
        )

    def of_socket(self, row: SocketRow) -> Translation:
        """What stands behind the remote end of a client's socket."""
        service, port = self.service_port(row.remote, row.remote_port, row.protocol)
        if service is None:
            return Translation(None, None, (Backend(row.remote, row.remote_port, row.time),), joined=True)
        endpoints = self._endpoints(service, port, row.protocol, row.time, row.time)
        numbers = {(backend.address, backend.port) for backend in endpoints}
        # a client's port serves it for connections to several servers, so the Service must have the backend
        served = {
            backend
            for backend in self._served_sockets.get((row.local, row.local_port), ())
            if not numbers or (backend.address, backend.port) in numbers
        }
        if served:
            idle = _others(endpoints, served)
            return Translation(service, port, tuple(sorted(served)), joined=True, idle=idle)
        return Translation(service, port, endpoints, joined=False)

    def true_clients(self, flow: Flow) -> tuple[tuple[tuple[Address, int], ...], bool]:
        """Who opened connections whose source was rewritten on the way, by their own captures.

        Addresses, each with the time to ask who had it; and whether they account for the whole flow.
        """
        clients: dict[Address, int] = {}
        explained = set()
        for key in flow.keys:
            for other in self._dialled.get((flow.protocol, key), ()):
                if not key.startswith("u") and other.client != flow.client and _overlap(flow, other):
                    clients[other.client] = min(other.first, clients.get(other.client, other.first))
                    explained.add(key)
        return tuple(sorted(clients.items())), bool(flow.keys) and len(explained) == len(flow.keys)

    def service_port(
        self, address: Address, port: int, protocol: Protocol
    ) -> tuple[Service | None, ServicePort | None]:
        """The Service and its port behind an address, a node port on a node's address included."""
        services = self._timeline.services_at(address)
        for service in services:
            for item in service.ports:
                if item.port == port and item.protocol is protocol:
                    return service, item
        if self._timeline.node_at(address) is not None:
            # also where a load balancer hands out the nodes' own addresses
            return self._timeline.node_port(port, protocol) or (None, None)
        return (services[0], None) if services else (None, None)

    def _endpoints(
        self, service: Service, port: ServicePort | None, protocol: Protocol, first: int, last: int
    ) -> tuple[Backend, ...]:
        """The Service's endpoints that were there between two times."""
        if port is None:
            return ()
        return tuple(
            sorted(
                {
                    Backend(address, number, time)
                    for item in self._timeline.slices_of(service)
                    for name, kind, number in item.ports
                    if name == port.name and kind is protocol
                    for endpoint in item.endpoints
                    for address in endpoint.addresses
                    if (time := self._time_of(endpoint, address, first, last)) is not None
                }
            )
        )

    def _time_of(self, endpoint: SliceEndpoint, address: Address, first: int, last: int) -> int | None:
        """When an endpoint had its address, None when its pod was gone, not there yet, or replaced."""
        pod = self._timeline.pods.get(endpoint.pod_uid)
        if pod is None or pod.host_network:
            return first
        time = max(first, pod.created)
        tenant = self._timeline.pod_at(address, time)
        if time > last + SLACK or tenant is None or tenant.uid != pod.uid:
            return None
        return time

    def _uncaptured(self, endpoints: Iterable[Backend]) -> tuple[Backend, ...]:
        tenants = ((backend, self._timeline.pod_at(backend.address, backend.time)) for backend in endpoints)
        return tuple(backend for backend, pod in tenants if pod is None or pod.uid not in self._captured)


def _others(endpoints: Iterable[Backend], known: Iterable[Backend]) -> tuple[Backend, ...]:
    numbers = {(backend.address, backend.port) for backend in known}
    return tuple(backend for backend in endpoints if (backend.address, backend.port) not in numbers)


def _overlap(a: Flow, b: Flow) -> bool:
    return a.first <= b.last + SLACK and b.first <= a.last + SLACK


def _same_connection(dialled: Flow, served: Flow, key: str, endpoints: set[tuple[Address, int]]) -> bool:
    """Sequence numbers and DNS ids are enough with the time.

    A UDP port needs the client's address too, and a backend of the Service where those are known: an
    unconnected socket sends to several servers from one port.
    """
    if not _overlap(dialled, served):
        return False
    if not key.startswith("u"):
        return True
    return dialled.client == served.client and (
        not endpoints or (served.server, served.server_port) in endpoints
    )
