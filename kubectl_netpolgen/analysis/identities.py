"""Addresses to endpoints, asked with a time and a vantage point."""

from __future__ import annotations

from collections.abc import Mapping

from kubectl_netpolgen.analysis.meshes import PROBE_SOURCES
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.network import DNS_PORT, Address, Protocol, is_outside
from kubectl_netpolgen.model.objects import Pod, Service
from kubectl_netpolgen.model.sockets import PodNetwork

API_SERVER = Endpoint(EndpointKind.API_SERVER)


class Identities:
    """Resolves addresses with what the cluster showed and what the pods' own files said."""

    def __init__(self, timeline: Timeline, networks: Mapping[str, PodNetwork]) -> None:
        self.timeline = timeline
        self.networks = networks
        self.nameservers = frozenset(
            address
            for uid, network in networks.items()
            if uid not in timeline.pods or timeline.pods[uid].cluster_dns
            for address in network.nameservers
        )
        """The cluster's own; other pods' resolvers are servers like any other."""
        self.api_endpoints = self._api_endpoints()
        """Address and port of every API server endpoint, after translation; empty when unreadable."""
        self.api_services = self._api_services()
        """Address and port under which pods dial the API server."""
        self._of_pods: dict[str, Endpoint] = {}
        self._endpoints: dict[Endpoint, Endpoint] = {}
        self.dns_service = self._dns_service()
        self._dns_pods = self._pods_behind_dns()

    def _api_services(self) -> frozenset[tuple[Address, int]]:
        found = {network.api_server for network in self.networks.values() if network.api_server is not None}
        service = self.timeline.service("default", "kubernetes")
        if service is not None:
            found.update((address, port.port) for address in service.addresses for port in service.ports)
        return frozenset(found)

    def _api_endpoints(self) -> frozenset[tuple[Address, int]]:
        service = self.timeline.service("default", "kubernetes") or Service("default", "kubernetes")
        return frozenset(
            (address, number)
            for item in self.timeline.slices_of(service)
            for endpoint in item.endpoints
            for address in endpoint.addresses
            for _, _, number in item.ports
        )

    def _dns_service(self) -> Service | None:
        """The cluster's DNS Service: the one that pods have as nameserver, else kube-system/kube-dns."""
        for address in sorted(self.nameservers):
            for service in self.timeline.services_at(address):
                return service
        return self.timeline.service("kube-system", "kube-dns")

    def _pods_behind_dns(self) -> frozenset[str]:
        service = self.dns_service
        if service is None or not service.selector:
            return frozenset()
        wanted = service.selector.items()
        return frozenset(
            uid
            for uid, pod in self.timeline.pods.items()
            if pod.namespace == service.namespace and wanted <= dict(pod.labels).items()
        )

    def of_pod(self, pod: Pod) -> Endpoint:
        """The workload at the top of the pod's owner chain."""
        known = self._of_pods.get(pod.uid)
        if known is None:
            known = self._of_pods[pod.uid] = self._describe(pod)
        return known

    def _describe(self, pod: Pod) -> Endpoint:
        owner = self.timeline.top_owner(pod).key
        found = Endpoint(
            EndpointKind.WORKLOAD,
            owner_kind=owner.kind,
            namespace=owner.namespace,
            name=owner.name,
            host_network=pod.host_network,
            role=Role.DNS if pod.uid in self._dns_pods else None,
        )
        # one object for all pods of a workload: whoever compares endpoints is done at a glance
        return self._endpoints.setdefault(found, found)

    def resolve(
        self, address: Address, *, time: int, observer: str, names: tuple[str, ...] = ()
    ) -> tuple[Endpoint, Pod | None]:
        """Who had the address then, as the pod `observer` saw it; and the pod, where it is one."""
        if address in self.timeline.own_addresses(observer):
            pod: Pod | None = self.timeline.pods[observer]
        else:
            pod = self.timeline.pod_at(address, time)
        if pod is not None:
            return self.of_pod(pod), pod
        node = self._node(address, observer)
        if node is not None:
            return Endpoint(EndpointKind.NODE, name=node), None
        if is_outside(address) and not self.timeline.in_pod_range(address):
            return Endpoint(EndpointKind.EXTERNAL, address=address, names=names), None
        return Endpoint(EndpointKind.UNKNOWN, address=address), None

    def _node(self, address: Address, observer: str) -> str | None:
        """A node by its address; or the observer's own node, by the next hop of the observer's routes."""
        node = self.timeline.node_at(address)
        if node is not None:
            return node
        network, pod = self.networks.get(observer), self.timeline.pods.get(observer)
        if pod is not None and address in PROBE_SOURCES:
            return pod.node
        if network is not None and pod is not None and address in network.gateways:
            return pod.node
        return None

    def is_api_server(self, address: Address, port: int) -> bool:
        """True for the API server by its Service and by its endpoints."""
        return (address, port) in self.api_services or (address, port) in self.api_endpoints

    def is_dns(self, address: Address, port: int, protocol: Protocol) -> bool:
        """True for the cluster's DNS as a pod's resolv.conf names it, and for the Service behind it."""
        if port != DNS_PORT or protocol is Protocol.SCTP:
            return False
        return address in self.nameservers or (
            self.dns_service is not None and address in self.dns_service.addresses
        )
