"""Flows from pod to pod, added up without a sighting for each.

They are most of what a large application's captures hold, and nothing is to be found out about one whose
server was met before: a pod under its own address, or a Service with one workload behind it. What they add up
to is what their sightings would.
"""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.analysis.edge_sums import EdgeSum, EdgeSums, Seen
from kubectl_netpolgen.analysis.endpoints import Listed
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.services import Translator
from kubectl_netpolgen.analysis.sightings import Sightings
from kubectl_netpolgen.model.edge import Endpoint, Role
from kubectl_netpolgen.model.flow import Direction, Flow, Outcome
from kubectl_netpolgen.model.network import Address, Protocol

_Met = tuple[tuple[str, ...], Outcome, Direction]
"""A client's identity, and what became of the flow."""


class _Server(NamedTuple):
    """What clients dial, for as long as it stands for one workload and port."""

    start: int
    end: int
    endpoint: Endpoint
    port: int
    port_name: str
    pod: str
    """Empty for a Service, whose pods the servers' captures tell apart."""
    dialled: int
    """The Service's port."""
    ends: frozenset[tuple[Address, int]]
    """The Service's endpoints."""
    sums: dict[_Met, EdgeSum]
    """By the client's identity and what became of the flow: all else of a sighting is as before."""


class PlainFlows:
    """Takes flows whose server was met before."""

    def __init__(
        self, identities: Identities, places: Places, translator: Translator, sums: EdgeSums
    ) -> None:
        self._identities = identities
        self._places = places
        self._translator = translator
        self._sums = sums
        self._servers: dict[tuple[Address, int, Protocol], _Server | None] = {}

    def take(self, flow: Flow, number: int) -> bool:
        """Add a flow up, by its row; False when it has to be looked at."""
        server = self._servers.get((flow.server, flow.server_port, flow.protocol))
        if server is None or not server.start <= flow.first <= server.end:
            return False
        client, pod = self._places.find(flow.client, flow.first, flow.pod_uid)
        if pod is None:
            return False
        server_pod = server.pod or self._backend(flow, server)
        if not server_pod:
            return False
        found = server.sums.get((client.identity, flow.outcome, flow.direction))
        if found is None:
            found = self._describe(flow, client, server)
        found.client_pods.add(pod.uid)
        found.server_pods.add(server_pod)
        if flow.first < found.first:
            found.first = flow.first
        if flow.last > found.last:
            found.last = flow.last
        size = flow.bytes_to_server + flow.bytes_to_client
        found.count(pod.uid == flow.pod_uid, flow.connections, size)
        found.rows.append(number)
        return True

    def _backend(self, flow: Flow, server: _Server) -> str:
        """The first of a Service's pods that served a flow; none when that needs a closer look."""
        end = self._translator.first_of(flow, server.ends)
        if end is None:
            return ""
        _, pod = self._places.find(end[0], flow.first, flow.pod_uid)
        return pod.uid if pod is not None else ""

    def _describe(self, flow: Flow, client: Endpoint, server: _Server) -> EdgeSum:
        edge = (client.identity, server.endpoint.identity, flow.protocol, server.port)
        found = self._sums.sum_of(edge, flow.first)
        service, port = self._translator.service_port(flow.server, flow.server_port, flow.protocol)
        if service is not None:
            self._translator.learn(client, service, port)
        role = Role.DNS if server.endpoint.role is Role.DNS else None
        found.seen.add(
            Seen(
                client,
                server.endpoint,
                flow.outcome,
                flow.direction,
                role,
                server.port_name,
                server.dialled,
            )
        )
        server.sums[client.identity, flow.outcome, flow.direction] = found
        return found

    def meet(self, flow: Flow) -> None:
        """Remember the server of a flow that was looked at, if whoever dials it reaches the same workload.

        An unanswered flow of UDP is judged by the server's sockets, so those are all looked at.
        """
        place = (flow.server, flow.server_port, flow.protocol)
        if place in self._servers or flow.protocol is Protocol.UDP:
            return
        if self._identities.is_api_server(*place[:2]) or self._identities.is_dns(*place):
            self._servers[place] = None
            return
        service, port = self._translator.service_port(*place)
        if service is None:
            found = self._pod(flow)
        elif port is None or self._identities.timeline.node_at(flow.server) is not None:
            found = None
        else:
            found = self._service(flow, self._translator.listed(service, port, flow.protocol))
        self._servers[place] = found

    def _pod(self, flow: Flow) -> _Server | None:
        stay = self._places.stay(flow.server)
        server, pod = stay.found if stay is not None else (None, None)
        if stay is None or server is None or pod is None:
            return None
        name = self._places.port_name(pod, flow.server_port, flow.protocol)
        return _Server(stay.start, stay.end, server, flow.server_port, name, pod.uid, 0, frozenset(), {})

    def _service(self, flow: Flow, listed: Listed) -> _Server | None:
        """A Service whose endpoints are all of one workload, under one number and name."""
        if listed.steady is None:
            return None
        kinds = {
            (server, backend.port, self._places.port_name(pod, backend.port, flow.protocol))
            for backend in listed.steady.backends
            for server, pod in (self._places.find(backend.address, backend.time, flow.pod_uid),)
        }
        if len(kinds) > 1:
            return None
        ((server, number, name),) = kinds
        return _Server(
            listed.youngest,
            listed.gone,
            server,
            number,
            name,
            "",
            flow.server_port,
            listed.steady.ends,
            {},
        )


def add_flows(flows: FlowTable, plain: PlainFlows, sightings: Sightings, sums: EdgeSums) -> None:
    """Each flow of a table to its edges, the quick way or by its sightings."""
    for segment in flows.segments:
        for number, flow in enumerate(flows.of(segment), segment.start):
            if not plain.take(flow, number):
                sums.add(sightings.of_flow(flow, number))
                plain.meet(flow)
