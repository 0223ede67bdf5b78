"""From a Service's port, as another object names it, to the workloads and ports behind it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubectl_netpolgen.analysis.exposure import selects, target_numbers
from kubectl_netpolgen.analysis.identities import API_SERVER, Identities
from kubectl_netpolgen.model.declarations import Obstacle
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind
from kubectl_netpolgen.model.mentions import BackendReference
from kubectl_netpolgen.model.network import Address, Protocol, address_order
from kubectl_netpolgen.model.objects import Pod, Service, ServicePort

# Later than every change, and before the end that a living pod's address has in the timeline.
_NOW = 2**62


@dataclass(frozen=True)
class Target:
    """A server and a port of its own that a Service leads to."""

    endpoint: Endpoint
    protocol: Protocol
    port: int
    port_name: str = ""
    dialled: int = 0
    """The Service's port, where that is another."""
    pods: tuple[str, ...] = ()
    """UIDs of the pods that stand behind it."""
    addresses: tuple[Address, ...] = ()
    """The server's, where it is no pod."""
    ports: tuple[int, ...] = ()
    """Every port of the API server."""
    obstacle: Obstacle = Obstacle.NONE
    reason: str = ""
    """Why the server is not known."""


class Backends:
    """Resolves references with the objects as they were at the end of the run."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._timeline = identities.timeline
        self._known: dict[BackendReference, tuple[Target, ...]] = {}
        self._pods: dict[str, list[Pod]] = {}
        for uid in sorted(self._timeline.present):
            pod = self._timeline.pods[uid]
            if not pod.finished and not pod.deleting:
                self._pods.setdefault(pod.namespace, []).append(pod)

    def of(self, backend: BackendReference) -> tuple[Target, ...]:
        """Servers behind a Service's port, in a fixed order; nothing where the Service has no such port."""
        known = self._known.get(backend)
        if known is None:
            known = self._known[backend] = self._find(backend)
        return known

    def pods_in(self, namespace: str | None) -> Iterable[Pod]:
        """The living pods of a namespace, or all of them."""
        if namespace is not None:
            return self._pods.get(namespace, ())
        return [pod for name in sorted(self._pods) for pod in self._pods[name]]

    def _find(self, backend: BackendReference) -> tuple[Target, ...]:
        number = backend.port if isinstance(backend.port, int) else 0
        service = self._timeline.service(backend.namespace, backend.service)
        if (backend.namespace, backend.service) == ("default", "kubernetes"):
            return self._api_server(number)
        if service is None:
            return _nobody(backend, number, "the Service is not there, or may not be read")
        found: list[Target] = []
        for port in _ports(service, backend.port):
            found += self.behind(service, port)
        if not found and any(_ports(service, backend.port)):
            where = "outside the cluster" if service.type == "ExternalName" else "nowhere at the moment"
            return _nobody(backend, number, f"the Service leads {where}")
        return tuple(found)

    def _api_server(self, number: int) -> tuple[Target, ...]:
        endpoints, services = self._identities.api_endpoints, self._identities.api_services
        known = {address for address, _ in services | endpoints} if endpoints else set()
        ports = tuple(sorted({port for _, port in services | endpoints}))
        return (
            Target(
                API_SERVER,
                Protocol.TCP,
                number or 443,
                addresses=tuple(sorted(known, key=address_order)),
                ports=ports,
                obstacle=Obstacle.NONE if known else Obstacle.SERVER_UNKNOWN,
                reason="" if known else "the API server's endpoints may not be read",
            ),
        )

    def behind(self, service: Service, port: ServicePort) -> Iterator[Target]:
        """Servers behind one port of one Service."""
        if service.selector:
            pods = [pod for pod in self._pods.get(service.namespace, ()) if selects(service, pod)]
            yield from self.of_pods(pods, port)
            return
        addresses: dict[tuple[Address, int], None] = {}
        for item in self._timeline.slices_of(service):
            for name, protocol, number in item.ports:
                if (name, protocol) == (port.name, port.protocol):
                    found = (address for endpoint in item.endpoints for address in endpoint.addresses)
                    addresses.update(dict.fromkeys((address, number) for address in found))
        for address, number in sorted(addresses, key=lambda one: (address_order(one[0]), one[1])):
            yield self._at(address, number, port)

    def of_pods(self, pods: Iterable[Pod], port: ServicePort) -> Iterator[Target]:
        """The workloads of some pods, on what the port is at each of them."""
        groups: dict[tuple[Endpoint, int], list[Pod]] = {}
        for pod in pods:
            for number in sorted(target_numbers(port, pod)):
                groups.setdefault((self._identities.of_pod(pod), number), []).append(pod)
        for (endpoint, number), members in sorted(
            groups.items(), key=lambda item: (item[0][0].identity, item[0][1])
        ):
            yield Target(
                endpoint,
                port.protocol,
                number,
                port_name=_port_name(members[0], number, port.protocol),
                dialled=port.port if port.port != number else 0,
                pods=tuple(sorted(pod.uid for pod in members)),
            )

    def _at(self, address: Address, number: int, port: ServicePort) -> Target:
        """A server that an EndpointSlice made by hand names by its address."""
        endpoint, pod = self._identities.resolve(address, time=_NOW, observer="")
        if pod is not None:
            return Target(endpoint, port.protocol, number, dialled=port.port, pods=(pod.uid,))
        unknown = endpoint.kind is EndpointKind.UNKNOWN
        return Target(
            endpoint,
            port.protocol,
            number,
            addresses=self._timeline.node_addresses(endpoint.name)
            if endpoint.kind is EndpointKind.NODE
            else (address,),
            obstacle=Obstacle.SERVER_UNKNOWN if unknown else Obstacle.NONE,
            reason="nobody knows who has the address of its endpoint" if unknown else "",
        )


def _nobody(backend: BackendReference, number: int, reason: str) -> tuple[Target, ...]:
    """The Service in place of what is behind it; nothing where even the port is only a name."""
    if not number:
        return ()
    endpoint = Endpoint(EndpointKind.SERVICE, namespace=backend.namespace, name=backend.service)
    return (Target(endpoint, Protocol.TCP, number, obstacle=Obstacle.SERVER_UNKNOWN, reason=reason),)


def _ports(service: Service, wanted: int | str) -> tuple[ServicePort, ...]:
    """The Service's ports of that number or name; of a headless one the pods' own number may be dialled.

    TCP where a number stands for several protocols: what names an address is mostly a URL.
    """
    found = [port for port in service.ports if wanted in (port.port, port.name)]
    if not found and not service.addresses:
        found = [port for port in service.ports if port.target_port == wanted]
    return tuple(sorted(found, key=lambda port: port.protocol is not Protocol.TCP)[:1])


def _port_name(pod: Pod, number: int, protocol: Protocol) -> str:
    names = (item.name for item in pod.ports if (item.port, item.protocol) == (number, protocol))
    return next(names, "")
