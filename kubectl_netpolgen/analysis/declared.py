"""Edges that manifests imply and that nobody was seen to use.

A quiet window shows no monthly job and no failover, but what will be dialled then often stands in an
environment variable, an Ingress or a webhook configuration. That is no evidence, so nothing follows from it
until a person says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kubectl_netpolgen.analysis.backends import Backends, Target
from kubectl_netpolgen.analysis.edges import edge_id, edge_order
from kubectl_netpolgen.analysis.exposure import invited_outsider
from kubectl_netpolgen.analysis.fronts import Front, Fronts
from kubectl_netpolgen.analysis.identities import API_SERVER, Identities
from kubectl_netpolgen.model.declarations import (
    ConfigMap,
    Declaration,
    DeclaredEdge,
    Monitor,
    Obstacle,
    Route,
)
from kubectl_netpolgen.model.edge import CONFIDENCE_OF, Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.model.mentions import BackendReference, Mention
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey, Pod


@dataclass(frozen=True)
class _Said:
    """One declaration of one edge."""

    client: Endpoint
    client_pods: tuple[str, ...]
    target: Target
    declaration: Declaration
    reason: str
    obstacle: Obstacle = Obstacle.NONE
    role: Role | None = None


def find_declared(
    edges: Sequence[Edge], captured: Collection[ObjectKey], identities: Identities
) -> tuple[DeclaredEdge, ...]:
    """What is declared of captured workloads, less what the edges show, in the edges' order."""
    declarations = _Declarations(edges, captured, identities)
    groups: dict[str, list[_Said]] = {}
    for said in declarations.all():
        target = said.target
        key = edge_id(said.client, target.endpoint, target.protocol, target.port)
        if declarations.unseen(key, said):
            groups.setdefault(key, []).append(said)
    found = (_joined(key, group) for key, group in groups.items())
    return tuple(sorted(found, key=lambda item: edge_order(item.edge)))


def _joined(key: str, group: Sequence[_Said]) -> DeclaredEdge:
    """One edge of all that declares it; what is certain by one of them is certain."""
    certain = [said for said in group if said.obstacle is Obstacle.NONE] or group
    best, target = certain[0], certain[0].target
    names = dict.fromkeys(name for said in certain for name in said.client.names)
    reasons = dict.fromkeys(said.reason for said in certain)
    edge = Edge(
        id=key,
        client=replace(best.client, names=tuple(names)),
        server=target.endpoint,
        protocol=target.protocol,
        port=target.port,
        port_name=target.port_name,
        outcome=Outcome.DECLARED,
        direction=Direction.DECLARED,
        confidence=CONFIDENCE_OF[Direction.DECLARED],
        connections=None,
        bytes=None,
        first=0,
        last=0,
        evidence=(),
        role=best.role,
        client_pods=tuple(sorted({uid for said in group for uid in said.client_pods})),
        server_pods=tuple(sorted({uid for said in group for uid in said.target.pods})),
        addresses=target.addresses,
        dialled_ports=tuple(sorted({said.target.dialled for said in group} - {0, target.port})),
        ports=target.ports or (target.port,),
    )
    declarations = tuple(sorted({said.declaration for said in group}))
    return DeclaredEdge(edge, declarations, "; ".join(reasons), best.obstacle)


class _Declarations:
    """Goes through everything that declares edges."""

    def __init__(
        self, edges: Sequence[Edge], captured: Collection[ObjectKey], identities: Identities
    ) -> None:
        self._captured = captured
        self._identities = identities
        self._timeline = identities.timeline
        self._backends = Backends(identities)
        self._fronts = Fronts(identities, self._backends, edges)
        self._ids = {edge.id for edge in edges}
        self._from_outside: dict[tuple[tuple[str, ...], Protocol, int], list[Edge]] = {}
        self._by_node: set[tuple[tuple[str, ...], Protocol, int]] = set()
        self._to_node: set[tuple[tuple[str, ...], Protocol, int]] = set()
        self._of_api_server: set[tuple[str, ...]] = set()
        self._by_name: set[tuple[tuple[str, ...], str, str]] = set()
        for edge in edges:
            self._remember(edge)

    def _remember(self, edge: Edge) -> None:
        """What tells that a declared edge was seen, though by other ends than it is declared with."""
        server = (edge.server.identity, edge.protocol, edge.port)
        if edge.client.kind is EndpointKind.NODE:
            self._by_node.add(server)
        if edge.server.kind is EndpointKind.NODE:
            self._to_node.add((edge.client.identity, edge.protocol, edge.port))
        if edge.client.kind is not EndpointKind.WORKLOAD:
            self._from_outside.setdefault(server, []).append(edge)
        if edge.server.kind is EndpointKind.API_SERVER:
            self._of_api_server.add(edge.client.identity)
        if edge.server.kind is EndpointKind.UNKNOWN:
            # a Service that may not be read has an address only, and the name that was looked up for it
            for name in edge.server.names:
                service, _, rest = name.partition(".")
                self._by_name.add((edge.client.identity, service, rest.partition(".")[0]))

    def unseen(self, key: str, said: _Said) -> bool:
        """True for an edge of which the traffic shows nothing."""
        target = said.target
        server = (target.endpoint.identity, target.protocol, target.port)
        if key in self._ids:
            return False
        # pods on their node's network are seen with its address
        if said.client.host_network and server in self._by_node:
            return False
        if target.endpoint.host_network and (said.client.identity, *server[1:]) in self._to_node:
            return False
        if said.client.kind is EndpointKind.API_SERVER:
            return not any(
                invited_outsider(edge, self._timeline) for edge in self._from_outside.get(server, ())
            )
        if said.role is Role.PROBE:
            return server not in self._by_node
        if said.client.kind is EndpointKind.UNKNOWN:
            return not self._fronts.visited(target)
        if target.endpoint.kind is EndpointKind.API_SERVER:
            return said.client.identity not in self._of_api_server
        named = (said.client.identity, target.endpoint.name, target.endpoint.namespace)
        return target.endpoint.kind is not EndpointKind.SERVICE or named not in self._by_name

    def all(self) -> Iterator[_Said]:
        """Every declaration, in a fixed order; those that only the DNS rule concerns left out."""
        for said in (
            *self._of_configuration(),
            *self._of_routes(),
            *self._of_control_plane(),
            *self._of_monitors(),
            *self._of_probes(),
        ):
            ends = (said.client, said.target.endpoint)
            if any(self._is_captured(end) for end in ends) and said.target.endpoint.role is not Role.DNS:
                yield said

    def _is_captured(self, end: Endpoint) -> bool:
        return (
            end.kind is EndpointKind.WORKLOAD
            and not end.host_network
            and ObjectKey(end.owner_kind, end.namespace, end.name) in self._captured
        )

    def _pods_of(self, key: ObjectKey) -> list[Pod]:
        """The pods that are there, or were where none is."""
        pods = [pod for pod in self._timeline.pods_of(key) if not pod.host_network]
        living = [pod for pod in pods if pod.uid in self._timeline.present and not pod.finished]
        return living or pods

    def _of_configuration(self) -> Iterator[_Said]:
        config_maps = {item.key: item for item in self._timeline.declaring if isinstance(item, ConfigMap)}
        for key in sorted(self._captured):
            pods = self._pods_of(key)
            uids = tuple(pod.uid for pod in pods)
            for pod in pods:
                client = self._identities.of_pod(pod)
                for mention in pod.mentions:
                    yield from self._mentioned(client, uids, Declaration(key, mention.field), mention)
                for use in pod.config_maps:
                    config_map = config_maps.get(ObjectKey("ConfigMap", pod.namespace, use.name))
                    if config_map is None:
                        continue
                    for mention in config_map.mentions:
                        if use.key in ("", mention.field):
                            where = f"entry {mention.field}, by {use.field}"
                            declaration = Declaration(config_map.key, where)
                            yield from self._mentioned(client, uids, declaration, mention)

    def _mentioned(
        self, client: Endpoint, uids: tuple[str, ...], declaration: Declaration, mention: Mention
    ) -> Iterator[_Said]:
        for target in self._backends.of(mention.backend):
            reason = f"its configuration names {mention.backend}"
            yield _Said(client, uids, target, declaration, reason, target.obstacle)

    def _of_routes(self) -> Iterator[_Said]:
        for route in self._timeline.declaring:
            if not isinstance(route, Route):
                continue
            fronts = self._fronts.of_route(route)
            for backend in route.backends:
                for target in self._backends.of(backend):
                    declaration = Declaration(route.key, f"backend {backend}")
                    yield from self._fronted(fronts, target, declaration, _server_of(route))

    def _fronted(
        self, fronts: Sequence[Front], target: Target, declaration: Declaration, what: str
    ) -> Iterator[_Said]:
        """Edges of the one client, or of one that is still to be named."""
        if target.endpoint.kind is EndpointKind.SERVICE:
            return  # a backend that nobody stands behind, or in a namespace that may not be read
        if len(fronts) == 1:
            reason = f"{fronts[0].endpoint} is {what}"
            yield _Said(fronts[0].endpoint, fronts[0].pods, target, declaration, reason, target.obstacle)
            return
        unknown = Endpoint(EndpointKind.UNKNOWN, names=(what,))
        several = ", ".join(str(front.endpoint) for front in fronts)
        reason = f"{what} may be any of {several}" if several else f"{what} is not known"
        yield _Said(unknown, (), target, declaration, reason, Obstacle.CLIENT_UNKNOWN)

    def _of_control_plane(self) -> Iterator[_Said]:
        for calls in self._timeline.control_plane_calls:
            for namespace, name, port in calls.services:
                backend = BackendReference(namespace, name, port)
                for target in self._backends.of(backend):
                    if target.endpoint.kind is EndpointKind.WORKLOAD:
                        declaration = Declaration(calls.key, f"service {backend}")
                        reason = "the API server calls it, from an address that may be any"
                        yield _Said(API_SERVER, (), target, declaration, reason)

    def _of_monitors(self) -> Iterator[_Said]:
        monitors = [item for item in self._timeline.declaring if isinstance(item, Monitor)]
        fronts = self._fronts.of_monitor() if monitors else ()
        for monitor in monitors:
            for target in self._fronts.scraped(monitor):
                declaration = Declaration(monitor.key, f"port {target.port}")
                yield from self._fronted(fronts, target, declaration, "the Prometheus that scrapes it")

    def _of_probes(self) -> Iterator[_Said]:
        for key in sorted(self._captured):
            for pod in self._pods_of(key):
                node = Endpoint(EndpointKind.NODE, name=pod.node)
                for port in sorted(pod.probe_ports):
                    target = Target(self._identities.of_pod(pod), Protocol.TCP, port, pods=(pod.uid,))
                    yield _Said(
                        node,
                        (),
                        target,
                        Declaration(key, f"probe of port {port}"),
                        "the kubelet probes it; a pod's own node is always let in",
                        Obstacle.ALWAYS_ALLOWED,
                        Role.PROBE,
                    )


def _server_of(route: Route) -> str:
    """Who connects to its backends, as it would be called without being known."""
    if route.kind == "Ingress":
        return f"the controller of Ingress class {route.ingress_class or '(none)'}"
    names = ", ".join(f"{namespace}/{name}" for namespace, name in route.gateways)
    return f"what serves Gateway {names}" if names else f"what serves {route.key}"


def accepted_edges(
    declared: Iterable[DeclaredEdge], decided: Collection[str], *, every: bool
) -> tuple[Edge, ...]:
    """The edges that a person accepted one by one, or all that can be accepted as they stand."""
    return tuple(
        item.edge
        for item in declared
        if (item.edge.id in decided and item.obstacle is not Obstacle.ALWAYS_ALLOWED)
        or (every and item.obstacle is Obstacle.NONE)
    )
