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
from kubectl_netpolgen.model.objects import Service, ServicePort
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow, SocketState


@dataclass(frozen=True, order=True)
class Backend:
    """A pod's address and its port after translation."""

    address: Address
    port: int


@dataclass(frozen=True)
class Translation:
    """What stands behind a dialled address."""

    service: Service | None
    service_port: ServicePort | None
    backends: tuple[Backend, ...]
    joined: bool
    """True when the server's own capture or sockets named the backends."""


CONNECTED = (SocketState.ESTABLISHED, SocketState.CLOSING)


class Translator:
    """Finds backends, from both vantage points where there are two."""

    def __init__(self, timeline: Timeline, flows: Iterable[Flow], networks: Mapping[str, PodNetwork]) -> None:
        self._timeline = timeline
        self._served: dict[tuple[Protocol, str], list[Flow]] = {}
        self._dialled: dict[tuple[Protocol, str], list[Flow]] = {}
        for flow in flows:
            server = timeline.pod_at(flow.server, flow.first)
            client = timeline.pod_at(flow.client, flow.first)
            for key in flow.keys:
                if server is not None and server.uid == flow.pod_uid:
                    self._served.setdefault((flow.protocol, key), []).append(flow)
                if client is not None and client.uid == flow.pod_uid:
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
                        Backend(row.local, row.local_port)
                    )
        return index

    def of_flow(self, flow: Flow) -> Translation:
        """What stands behind a flow's server address."""
        service, port = self.service_port(flow.server, flow.server_port, flow.protocol)
        if service is None:
            if self._timeline.pod_at(flow.server, flow.first) is not None:
                return Translation(None, None, (Backend(flow.server, flow.server_port),), joined=True)
            return Translation(None, None, (), joined=False)
        served = {
            Backend(other.server, other.server_port)
            for key in flow.keys
            for other in self._served.get((flow.protocol, key), ())
            if _same_connection(flow, other, key)
        }
        if served:
            return Translation(service, port, tuple(sorted(served)), joined=True)
        return Translation(service, port, self._endpoints(service, port, flow.protocol), joined=False)

    def of_socket(self, row: SocketRow) -> Translation:
        """What stands behind the remote end of a client's socket."""
        service, port = self.service_port(row.remote, row.remote_port, row.protocol)
        if service is None:
            return Translation(None, None, (Backend(row.remote, row.remote_port),), joined=True)
        served = self._served_sockets.get((row.local, row.local_port), set())
        if served:
            return Translation(service, port, tuple(sorted(served)), joined=True)
        return Translation(service, port, self._endpoints(service, port, row.protocol), joined=False)

    def true_client(self, flow: Flow) -> Address | None:
        """The pod that opened a connection whose source was rewritten on the way, by its own capture."""
        clients = {
            other.client
            for key in flow.keys
            if not key.startswith("u")
            for other in self._dialled.get((flow.protocol, key), ())
            if _overlap(flow, other)
        }
        return min(clients) if len(clients) == 1 else None

    def service_port(
        self, address: Address, port: int, protocol: Protocol
    ) -> tuple[Service | None, ServicePort | None]:
        """The Service and its port behind an address, a node port on a node's address included."""
        service = self._timeline.service_at(address)
        if service is not None:
            for item in service.ports:
                if item.port == port and item.protocol is protocol:
                    return service, item
            return service, None
        if self._timeline.node_at(address) is not None:
            found = self._timeline.node_port(port, protocol)
            if found is not None:
                return found
        return None, None

    def _endpoints(
        self, service: Service, port: ServicePort | None, protocol: Protocol
    ) -> tuple[Backend, ...]:
        if port is None:
            return ()
        return tuple(
            sorted(
                {
                    Backend(address, number)
                    for item in self._timeline.slices_of(service)
                    for name, kind, number in item.ports
                    if name == port.name and kind is protocol
                    for endpoint in item.endpoints
                    for address in endpoint.addresses
                }
            )
        )


def _overlap(a: Flow, b: Flow) -> bool:
    return a.first <= b.last + SLACK and b.first <= a.last + SLACK


def _same_connection(dialled: Flow, served: Flow, key: str) -> bool:
    """Sequence numbers and DNS ids are enough with the time; a UDP port needs the client's address too."""
    if not _overlap(dialled, served):
        return False
    return not key.startswith("u") or dialled.client == served.client
