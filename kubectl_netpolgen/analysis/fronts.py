"""Who connects on behalf of an Ingress, a Gateway or a monitor, as far as objects and traffic tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from kubectl_netpolgen.analysis.backends import Backends, Target
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.declarations import IngressClass, Monitor, Route
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod, ServicePort

CONTROLLERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "k8s.io/ingress-nginx": (
        ("app.kubernetes.io/name", "ingress-nginx"),
        ("app.kubernetes.io/component", "controller"),
    ),
    "nginx.org/ingress-controller": (("app.kubernetes.io/name", "nginx-ingress"),),
    "traefik.io/ingress-controller": (("app.kubernetes.io/name", "traefik"),),
    "haproxy.org/ingress-controller": (("app.kubernetes.io/name", "kubernetes-ingress"),),
    "haproxy-ingress.github.io/controller": (("app.kubernetes.io/name", "haproxy-ingress"),),
    "ingress-controllers.konghq.com/kong": (("app.kubernetes.io/name", "kong"),),
}
"""Labels of the pods that serve, as the controllers' own charts give them.

By the IngressClass' spec.controller, to which some append the name of an instance after a slash.
"""

_GATEWAY_LABELS = ("gateway.networking.k8s.io/gateway-name", "gateway.envoyproxy.io/owning-gateway-name")
"""What carries a Gateway's name on the pods that serve it (GEP-1762; Envoy Gateway has its own)."""
_GATEWAY_NAMESPACE = "gateway.envoyproxy.io/owning-gateway-namespace"
_PROMETHEUS_KINDS = ("Prometheus", "PrometheusAgent")
_PROMETHEUS = ("app.kubernetes.io/name", "prometheus")

_Server = tuple[tuple[str, ...], Protocol, int]


@dataclass(frozen=True)
class Front:
    """A workload that connects for others."""

    endpoint: Endpoint
    pods: tuple[str, ...]
    """UIDs."""


class Fronts:
    """Finds clients; two that may be it are none."""

    def __init__(self, identities: Identities, backends: Backends, edges: Iterable[Edge]) -> None:
        self._identities = identities
        self._timeline = identities.timeline
        self._backends = backends
        self._visitors: dict[_Server, dict[tuple[str, ...], Edge]] = {}
        for edge in edges:
            if edge.role is not Role.PROBE and not edge.outcome.failed and _foreign(edge):
                self._visitors.setdefault(_server(edge), {}).setdefault(edge.client.identity, edge)
        self._known: dict[tuple[bool, str, frozenset[tuple[str, str]]], tuple[Front, ...]] = {}
        self._classes = [item for item in self._timeline.declaring if isinstance(item, IngressClass)]
        self._routes = [item for item in self._timeline.declaring if isinstance(item, Route)]
        self._monitors = [item for item in self._timeline.declaring if isinstance(item, Monitor)]

    def visited(self, target: Target) -> bool:
        """True when somebody from elsewhere was seen at that port, who may be the one in question."""
        return (target.endpoint.identity, target.protocol, target.port) in self._visitors

    def of_route(self, route: Route) -> tuple[Front, ...]:
        """Who may serve an Ingress or a route; exactly one where that is certain."""
        served = (route.kind == "Ingress", route.ingress_class, frozenset(route.gateways))
        known = self._known.get(served)
        if known is None:
            known = self._known[served] = self._find(route)
        return known

    def _find(self, route: Route) -> tuple[Front, ...]:
        alike = (other for other in self._routes if _served_alike(route, other))
        targets = (target for other in alike for item in other.backends for target in self._backends.of(item))
        if route.kind == "Ingress":
            labels = _labels_of(self._controller(route))
            shown = self._pods(lambda pod: _has(pod, labels)) if labels else []
        else:
            shown = self._pods(lambda pod: any(_serves(pod, *gateway) for gateway in route.gateways))
        return self._narrowed(shown, targets)

    def of_monitor(self) -> tuple[Front, ...]:
        """Who may scrape what a monitor selects; exactly one where that is certain."""
        targets = (target for other in self._monitors for target in self.scraped(other))
        shown = self._pods(
            lambda pod: (
                self._identities.of_pod(pod).owner_kind in _PROMETHEUS_KINDS or _has(pod, (_PROMETHEUS,))
            )
        )
        return self._narrowed(shown, targets)

    def scraped(self, monitor: Monitor) -> tuple[Target, ...]:
        """The workloads and ports that a monitor selects, by Services or by pods."""
        if monitor.kind == "PodMonitor":
            pods = [pod for pod in self._selectable(monitor) if monitor.selector.matches(pod.labels)]
            return self._on_pods(pods, (*monitor.ports, *monitor.target_ports))
        found: list[Target] = []
        for service in self._timeline.services:
            if not _reaches(monitor, service.namespace) or not monitor.selector.matches(service.labels):
                continue
            pods = [
                pod
                for pod in self._backends.pods_in(service.namespace)
                if service.selector and service.selector.items() <= dict(pod.labels).items()
            ]
            for port in service.ports:
                if port.name and port.name in monitor.ports:
                    found += self._backends.of_pods(pods, port)
            found += self._on_pods(pods, monitor.target_ports)
        return tuple(dict.fromkeys(found))

    def _selectable(self, monitor: Monitor) -> list[Pod]:
        return [pod for pod in self._backends.pods_in(None) if _reaches(monitor, pod.namespace)]

    def _on_pods(self, pods: Iterable[Pod], ports: Iterable[int | str]) -> tuple[Target, ...]:
        living = list(pods)
        return tuple(
            replace(target, dialled=0)
            for port in ports
            for target in self._backends.of_pods(living, ServicePort("", Protocol.TCP, 0, port))
        )

    def _controller(self, route: Route) -> str:
        """The controller of an Ingress' class; of the only class, where it names none."""
        named = [item for item in self._classes if item.name == route.ingress_class]
        candidates = named if route.ingress_class else self._classes
        return candidates[0].controller if len(candidates) == 1 else ""

    def _pods(self, wanted: Callable[[Pod], bool]) -> list[Front]:
        groups: dict[Endpoint, list[str]] = {}
        for pod in self._backends.pods_in(None):
            if wanted(pod):
                groups.setdefault(self._identities.of_pod(pod), []).append(pod.uid)
        ordered = sorted(groups.items(), key=lambda item: item[0].identity)
        return [Front(endpoint, tuple(sorted(uids))) for endpoint, uids in ordered]

    def _narrowed(self, shown: list[Front], targets: Iterable[Target]) -> tuple[Front, ...]:
        """Of several that objects show, those that were seen to do it; where they show none, who was seen."""
        if len(shown) == 1:
            return tuple(shown)
        seen: dict[tuple[str, ...], Front] = {}
        for target in targets:
            server = (target.endpoint.identity, target.protocol, target.port)
            for identity, edge in self._visitors.get(server, {}).items():
                if edge.client.kind is EndpointKind.WORKLOAD:
                    seen[identity] = Front(edge.client, edge.client_pods)
        if not shown:
            return tuple(seen[identity] for identity in sorted(seen))
        both = tuple(front for front in shown if front.endpoint.identity in seen)
        return both or tuple(shown)


def _foreign(edge: Edge) -> bool:
    """True for a client that is no workload of the server's own namespace: it may come from the outside."""
    client = edge.client
    return (
        client.kind is not EndpointKind.WORKLOAD
        or client.host_network
        or client.namespace != edge.server.namespace
    )


def _server(edge: Edge) -> _Server:
    return edge.server.identity, edge.protocol, edge.port


def _served_alike(route: Route, other: Route) -> bool:
    """Ingresses of one class, or routes of one Gateway."""
    if route.kind == "Ingress" or other.kind == "Ingress":
        return route.kind == other.kind and route.ingress_class == other.ingress_class
    return bool(set(route.gateways) & set(other.gateways))


def _labels_of(controller: str) -> tuple[tuple[str, str], ...]:
    return next(
        (labels for name, labels in CONTROLLERS.items() if f"{controller}/".startswith(f"{name}/")), ()
    )


def _has(pod: Pod, labels: Iterable[tuple[str, str]]) -> bool:
    return all(pod.labels.get(key) == value for key, value in labels)


def _serves(pod: Pod, namespace: str, name: str) -> bool:
    where = pod.labels.get(_GATEWAY_NAMESPACE, pod.namespace)
    return where == namespace and any(pod.labels.get(key) == name for key in _GATEWAY_LABELS)


def _reaches(monitor: Monitor, namespace: str) -> bool:
    if monitor.namespaces is None:
        return True
    return namespace in (monitor.namespaces or (monitor.namespace,))
