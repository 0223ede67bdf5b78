"""Each flow and each socket as one sighting of an edge."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import NamedTuple

from kubectl_netpolgen.analysis.doubts import ambiguous_backend, backend_unseen
from kubectl_netpolgen.analysis.endpoints import Backend
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.analysis.identities import API_SERVER, Identities
from kubectl_netpolgen.analysis.meshes import INBOUND, OUTBOUND, has_sidecar, hidden_by_sidecar
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.probing import crowded, role_of
from kubectl_netpolgen.analysis.services import CONNECTED, Translation, Translator
from kubectl_netpolgen.analysis.vanished import vanished
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind, Evidence, Role
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import Direction, Flow, Outcome
from kubectl_netpolgen.model.network import Address, Protocol, is_loopback
from kubectl_netpolgen.model.objects import Pod, Service
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow

SocketPair = tuple[str, tuple[Address, int], tuple[Address, int]]
"""A pod's UID and the two ends of one of its connections, in either order."""


EdgeKey = tuple[tuple[str, ...], tuple[str, ...], Protocol, int]
"""The identities of client and server, protocol and port: what makes two sightings the same edge."""


class Vantage(str, Enum):
    """Whose capture it was; counts of one edge come from one side only."""

    SERVER = "server"
    CLIENT = "client"
    SOCKETS = "sockets"


class Sighting(NamedTuple):
    """One flow or socket, both ends resolved."""

    client: Endpoint
    server: Endpoint
    protocol: Protocol
    port: int
    vantage: Vantage
    outcome: Outcome
    direction: Direction
    connections: int
    bytes: int
    first: int
    last: int
    evidence: Evidence | int
    """A file of sockets, or the row of a flow."""
    client_pod: str = ""
    server_pod: str = ""
    role: Role | None = None
    port_name: str = ""
    dialled: int = 0
    """The port of the Service that was dialled, where there was one."""
    crowded: bool = False
    """There were more connections than probes can have made."""

    @property
    def edge(self) -> EdgeKey:
        """What it is a sighting of."""
        return (self.client.identity, self.server.identity, self.protocol, self.port)


class Sightings:
    """Turns what was recorded into sightings, and collects what could not be resolved."""

    def __init__(self, identities: Identities, translator: Translator, places: Places) -> None:
        self._identities = identities
        self._translator = translator
        self._places = places
        self.findings: list[Finding] = []
        self._idle: dict[EdgeKey, tuple[Sighting, Service]] = {}
        self._noted: dict[tuple[object, ...], tuple[object, ...]] = {}

    def of_flows(self, flows: FlowTable) -> Iterator[Sighting]:
        """The sightings of flows: one, or one for each backend workload of a Service."""
        for segment in flows.segments:
            for number, flow in enumerate(flows.of(segment), segment.start):
                yield from self.of_flow(flow, number)

    def of_flow(self, flow: Flow, number: int) -> Iterable[Sighting]:
        """The same of one flow, by its row."""
        client, client_pod = self._places.find(flow.client, flow.first, flow.pod_uid)
        uid = client_pod.uid if client_pod is not None else ""
        base = Sighting(
            client,
            client,
            flow.protocol,
            flow.server_port,
            Vantage.CLIENT if uid == flow.pod_uid and uid else Vantage.SERVER,
            flow.outcome,
            flow.direction,
            flow.connections,
            flow.bytes_to_server + flow.bytes_to_client,
            flow.first,
            flow.last,
            number,
            uid,
        )
        if self._identities.is_api_server(flow.server, flow.server_port):
            return (self._to_api_server(base),)
        translation = self._translator.of_flow(flow)
        if client_pod is not None:
            return self._with_servers(base, translation, flow.server, flow.pod_uid)
        return [
            found
            for item in self._with_clients(base, flow)
            for found in self._with_servers(item, translation, flow.server, flow.pod_uid)
        ]

    def _with_clients(self, base: Sighting, flow: Flow) -> Iterator[Sighting]:
        """The sighting, and in place of a rewritten source the pods that are behind it."""
        clients, left = self._translator.true_clients(flow)
        for address, time in clients:
            client, pod = self._places.find(address, time, flow.pod_uid)
            found = base._replace(client=client, client_pod=pod.uid if pod is not None else "")
            yield found if not left and len(clients) == 1 else _uncounted(found)
        if left:
            timeline = self._identities.timeline
            yield base._replace(crowded=crowded(flow, left * flow.connections, timeline))
        elif base.client.kind is EndpointKind.NODE and not self._on_node(flow.pod_uid, base.client.name):
            # enforcement at the server's node sees the other node's address, so the rule must name it too
            yield base._replace(connections=0, bytes=0)

    def _on_node(self, pod_uid: str, node: str) -> bool:
        pod = self._identities.timeline.pods.get(pod_uid)
        return pod is not None and pod.node == node

    def of_sockets(
        self, networks: Mapping[str, PodNetwork], told: Container[SocketPair] = frozenset()
    ) -> Iterator[Sighting]:
        """The sightings of established or lately closed TCP connections in socket tables.

        `told` has those that the packets of the same pod tell all about, from the handshake on.
        """
        for uid in sorted(networks):
            network, pod = networks[uid], self._identities.timeline.pods.get(uid)
            if pod is None or pod.host_network:
                continue
            listening, hidden = network.listening(Protocol.TCP), has_sidecar(network)
            if hidden:
                self.findings.append(hidden_by_sidecar(pod))
            for row in network.rows:
                if row.protocol is not Protocol.TCP or row.state not in CONNECTED or is_loopback(row.local):
                    continue
                if hidden and row.local_port in (INBOUND, OUTBOUND):
                    continue
                here, there = (row.local, row.local_port), (row.remote, row.remote_port)
                if not row.remote_port or (uid, here, there) in told or (uid, there, here) in told:
                    continue
                gone = vanished(row, pod, self._identities.timeline, self._places)
                if gone is not None:
                    self.findings += [] if gone in self.findings else [gone]
                    continue
                if row.local_port in listening:
                    sighting = self._served_socket(row, pod, network)
                    own_node = sighting.client.kind is EndpointKind.NODE and sighting.client.name == pod.node
                    # what is no probe there is a translated source, and a pod's own node always reaches it
                    if not own_node or sighting.role is Role.PROBE:
                        yield sighting
                else:
                    yield from self._dialled_socket(row, pod, network)

    def _socket_sighting(
        self, row: SocketRow, network: PodNetwork, client: Endpoint, server: Endpoint
    ) -> Sighting:
        return Sighting(
            client=client,
            server=server,
            protocol=row.protocol,
            port=row.local_port,
            vantage=Vantage.SOCKETS,
            outcome=Outcome.ESTABLISHED,
            direction=Direction.LISTEN,
            connections=0,
            bytes=0,
            first=row.time,
            last=row.time,
            evidence=Evidence(network.file),
        )

    def _served_socket(self, row: SocketRow, pod: Pod, network: PodNetwork) -> Sighting:
        client, client_pod = self._places.find(row.remote, row.time, pod.uid)
        server = self._identities.of_pod(pod)
        return self._socket_sighting(row, network, client, server)._replace(
            client_pod=client_pod.uid if client_pod is not None else "",
            server_pod=pod.uid,
            port_name=self._places.port_name(pod, row.local_port, row.protocol),
            role=role_of(client, server, row.local_port, row.protocol, pod),
        )

    def _dialled_socket(self, row: SocketRow, pod: Pod, network: PodNetwork) -> Iterator[Sighting]:
        client = self._identities.of_pod(pod)
        base = self._socket_sighting(row, network, client, client)._replace(
            port=row.remote_port, client_pod=pod.uid
        )
        if self._identities.is_api_server(row.remote, row.remote_port):
            yield self._to_api_server(base)
            return
        yield from self._with_servers(base, self._translator.of_socket(row), row.remote, pod.uid)

    def _to_api_server(self, base: Sighting) -> Sighting:
        """The API server's own port, where its endpoints are known and agree on one."""
        ports = {port for _, port in self._identities.api_endpoints}
        return base._replace(server=API_SERVER, port=ports.pop() if len(ports) == 1 else base.port)

    def _with_servers(
        self, base: Sighting, translation: Translation, dialled: Address, observer: str
    ) -> Iterable[Sighting]:
        """The sighting with its server filled in; several where a Service has several workloads."""
        if not translation.backends:
            if base.vantage is Vantage.SOCKETS and self._translator.knows(base.client, translation):
                # an older connection than the endpoints; the packets of later ones say where it leads
                return ()
            return (self._without_backends(base, translation, dialled, observer),)
        found = self._servers_of(base, translation, dialled, observer)
        service = translation.service
        if service is None:
            return found
        return self._behind_service(base, found, service, translation, dialled, observer)

    def _servers_of(
        self, base: Sighting, translation: Translation, dialled: Address, observer: str
    ) -> list[Sighting]:
        """One sighting for each workload and port among the backends."""
        found: dict[tuple[object, ...], tuple[Backend, Endpoint, Pod | None]] = {}
        for backend in translation.backends:
            server, pod = self._places.behind(backend, observer)
            found.setdefault((server.identity, backend.port), (backend, server, pod))
        return [self._served_by(base, *item, translation, dialled) for item in found.values()]

    def _served_by(
        self,
        base: Sighting,
        backend: Backend,
        server: Endpoint,
        pod: Pod | None,
        translation: Translation,
        dialled: Address,
    ) -> Sighting:
        if self._identities.is_dns(dialled, base.port, base.protocol):
            server = replace(server, role=Role.DNS)
        outcome = base.outcome
        if (
            base.protocol is Protocol.UDP
            and outcome is Outcome.UNANSWERED
            and self._has_bound(pod, backend.port)
        ):
            outcome = Outcome.ONE_WAY
        return Sighting(
            base.client,
            server,
            base.protocol,
            backend.port,
            base.vantage,
            outcome,
            base.direction,
            base.connections,
            base.bytes,
            base.first,
            base.last,
            base.evidence,
            base.client_pod,
            pod.uid if pod is not None else "",
            role_of(base.client, server, backend.port, base.protocol, pod, crowded=base.crowded),
            self._places.port_name(pod, backend.port, base.protocol),
            base.port if translation.service_port is not None else 0,
        )

    def _behind_service(
        self,
        base: Sighting,
        found: list[Sighting],
        service: Service,
        translation: Translation,
        dialled: Address,
        observer: str,
    ) -> Iterator[Sighting]:
        """What of a Service's backends is certain, with what is not reported."""
        seen: dict[EdgeKey, Sighting] = {}
        for item in found:
            seen.setdefault(item.edge, item)
        if translation.joined:
            self._translator.learn(base.client, service, translation.service_port)
        elif (
            len(seen) > 1
            and base.vantage is Vantage.SOCKETS
            and self._translator.knows(base.client, translation)
        ):
            # an older connection of the same client; the packets of later ones say where it leads
            return
        if len(seen) > 1 and not translation.joined:
            self._report_ambiguity(base, service, seen.values(), "none of them was captured")
            ports = {item.port for item in seen.values()}
            yield base._replace(
                server=_unnamed(dialled, service), port=ports.pop() if len(ports) == 1 else base.port
            )
            return
        if translation.unseen:
            others = {
                other.edge: other
                for backend in translation.unseen
                for server, _ in (self._places.behind(backend, observer),)
                for other in (base._replace(server=server, port=backend.port),)
            }
            missing = [item for key, item in others.items() if key not in seen]
            if missing:
                self._report_ambiguity(base, service, missing, "these were not captured")
        if not self._identities.is_dns(dialled, base.port, base.protocol):
            self._note_idle(base, translation, service, observer)
        yield from self._by_node(base, dialled)
        # what one client's flow to a Service was, is told apart only by its backends' own captures
        yield from seen.values() if len(seen) == 1 else map(_uncounted, seen.values())

    def _note_idle(self, base: Sighting, translation: Translation, service: Service, observer: str) -> None:
        """Backends that had no connection of this client yet, and may have the next one."""
        if not translation.endpoints:
            return
        # who is reached after all is left out in the end, so each client and Service is looked at once
        asked = (base.client.identity, service.namespace, service.name, translation.service_port)
        looked_at = (translation.endpoints, translation.unseen)
        if self._noted.get(asked) == looked_at:
            return
        self._noted[asked] = looked_at
        for backend in translation.idle:
            server, pod = self._places.behind(backend, observer)
            uid = pod.uid if pod else ""
            item = base._replace(server=server, port=backend.port, server_pod=uid)
            self._idle.setdefault(item.edge, (item, service))

    def unvisited(self, found: Container[EdgeKey]) -> Iterator[Finding]:
        """Other workloads and ports behind Services that a client was never sent to, by all that was found.

        They get no rule without evidence; but the next connection may go there, so a person must know.
        """
        for key, (item, service) in self._idle.items():
            if key not in found:
                yield backend_unseen(service, item.client, _named(item))

    def _by_node(self, base: Sighting, dialled: Address) -> Iterator[Sighting]:
        """The leg to a node's address, where another node than the client's translates a node port."""
        node = self._identities.timeline.node_at(dialled)
        if node is not None and not self._on_node(base.client_pod, node):
            yield base._replace(server=Endpoint(EndpointKind.NODE, name=node))

    def _report_ambiguity(
        self, base: Sighting, service: Service, candidates: Iterable[Sighting], why: str
    ) -> None:
        self.findings.append(ambiguous_backend(service, base.client, map(_named, candidates), why))

    def _without_backends(
        self, base: Sighting, translation: Translation, dialled: Address, observer: str
    ) -> Sighting:
        service = translation.service
        if service is not None:
            name = translation.service_port.name if translation.service_port is not None else ""
            if base.outcome.failed:
                server = Endpoint(EndpointKind.SERVICE, namespace=service.namespace, name=service.name)
            else:
                server = _unnamed(dialled, service)
            if self._identities.is_dns(dialled, base.port, base.protocol):
                server = replace(server, role=Role.DNS)
            return base._replace(server=server, port_name=name, role=server.role)
        server, _ = self._places.find(dialled, base.first, observer)
        if self._identities.is_dns(dialled, base.port, base.protocol):
            server = replace(server, role=Role.DNS)
        return base._replace(server=server, role=Role.DNS if server.role is Role.DNS else None)

    def _has_bound(self, pod: Pod | None, port: int) -> bool:
        if pod is None or pod.uid not in self._identities.networks:
            return False
        return port in self._identities.networks[pod.uid].listening(Protocol.UDP)


def _named(item: Sighting) -> str:
    return f"{item.server} {item.port}/{item.protocol.value}"


def _uncounted(sighting: Sighting) -> Sighting:
    """The same, where nobody can tell which part of the flow it was; others say how much and how it went."""
    return sighting._replace(connections=0, bytes=0, outcome=Outcome.UNKNOWN)


def _unnamed(dialled: Address, service: Service) -> Endpoint:
    """Whoever is behind a Service that got through, when its endpoints do not tell."""
    names = (f"{service.name}.{service.namespace}.svc",)
    return Endpoint(EndpointKind.UNKNOWN, address=dialled, names=names)
