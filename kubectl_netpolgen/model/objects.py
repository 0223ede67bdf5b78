"""The Kubernetes objects that matter for traffic, reduced to what we use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_netpolgen.model.mentions import ConfigMapUse, Mention
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.selector import LabelSelector


@dataclass(frozen=True, order=True)
class ObjectKey:
    """Kind, namespace and name: how one object is told from another."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class OwnerReference:
    """The controlling entry of metadata.ownerReferences."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True)
class ContainerPort:
    """A declared containerPort; its name is what a named port means on that pod."""

    name: str
    port: int
    protocol: Protocol


@dataclass(frozen=True)
class Pod:
    """A pod as far as traffic and policies see it."""

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    host_addresses: tuple[Address, ...] = ()
    node: str = ""
    host_network: bool = False
    phase: str = "Running"
    owner: OwnerReference | None = None
    ports: tuple[ContainerPort, ...] = ()
    probe_ports: frozenset[int] = frozenset()
    """Numbers of the ports that the kubelet probes, named ones resolved on this pod."""
    probe_periods: tuple[tuple[int, int], ...] = ()
    """Port and seconds of each probe; 0 where the period is not known."""
    init_containers: tuple[str, ...] = ()
    created: int = 0
    """Nanoseconds since the epoch."""
    mirror: bool = False
    """A static pod's mirror, which takes no ephemeral container."""
    deleting: bool = False
    operating_system: str = ""
    dns_policy: str = "ClusterFirst"
    mentions: tuple[Mention, ...] = ()
    """Services in its containers' environment; only where the configuration was read."""
    config_maps: tuple[ConfigMapUse, ...] = ()

    @property
    def cluster_dns(self) -> bool:
        """True when its nameservers are the cluster's DNS, not its node's or its own (core/v1 DNSPolicy).

        ClusterFirst means Default for a pod on its node's network.
        """
        if self.host_network:
            return self.dns_policy == "ClusterFirstWithHostNet"
        return self.dns_policy in ("ClusterFirst", "ClusterFirstWithHostNet")

    @property
    def finished(self) -> bool:
        """True once its addresses may belong to another pod."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def key(self) -> ObjectKey:
        """Kind, namespace, name."""
        return ObjectKey("Pod", self.namespace, self.name)


@dataclass(frozen=True)
class Workload:
    """An object that owns pods: Deployment, StatefulSet, CronJob, an operator's own kind, or a bare Pod."""

    uid: str
    key: ObjectKey
    owner: OwnerReference | None = None
    selector: LabelSelector | None = None
    """spec.selector, where the kind has one."""
    template_labels: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None


@dataclass(frozen=True)
class ServicePort:
    """One entry of a Service's ports."""

    name: str
    protocol: Protocol
    port: int
    target_port: int | str
    node_port: int = 0


@dataclass(frozen=True)
class Service:
    """A Service of any type."""

    namespace: str
    name: str
    type: str = "ClusterIP"
    addresses: tuple[Address, ...] = ()
    """clusterIPs, externalIPs and load-balancer addresses; none for a headless Service."""
    selector: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[ServicePort, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def exposed(self) -> bool:
        """True when clients from outside the cluster are invited."""
        return self.type in ("NodePort", "LoadBalancer")


@dataclass(frozen=True)
class SliceEndpoint:
    """One endpoint of an EndpointSlice."""

    addresses: tuple[Address, ...]
    pod_uid: str = ""


@dataclass(frozen=True)
class EndpointSlice:
    """Which addresses and ports stand behind a Service."""

    namespace: str
    name: str
    service: str
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[tuple[str, Protocol, int], ...] = ()
    """(port name, protocol, number)."""


@dataclass(frozen=True)
class ControlPlaneCalls:
    """An object by which the API server itself calls Services: a webhook configuration, or an APIService."""

    kind: str
    name: str
    services: tuple[tuple[str, str, int], ...] = ()
    """(namespace, name, port of the Service)."""

    @property
    def key(self) -> ObjectKey:
        """Kind and name; it has no namespace."""
        return ObjectKey(self.kind, "", self.name)


@dataclass(frozen=True)
class Namespace:
    """A namespace and its labels."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A node's addresses and the pod ranges it was given."""

    name: str
    addresses: tuple[Address, ...] = ()
    pod_ranges: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
