"""What manifests say about connections that nobody need have made yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.mentions import BackendReference, Mention
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.selector import LabelSelector


@dataclass(frozen=True)
class ConfigMap:
    """A ConfigMap, reduced to the Services that its entries mention."""

    namespace: str
    name: str
    mentions: tuple[Mention, ...] = ()
    """By key."""

    @property
    def key(self) -> ObjectKey:
        """Kind, namespace, name."""
        return ObjectKey("ConfigMap", self.namespace, self.name)


@dataclass(frozen=True)
class IngressClass:
    """Who serves the Ingresses of a class."""

    name: str
    controller: str

    @property
    def key(self) -> ObjectKey:
        """Kind and name; it has no namespace."""
        return ObjectKey("IngressClass", "", self.name)


@dataclass(frozen=True)
class Route:
    """An Ingress, or a route of the Gateway API: by whom it is served, and to which Services it leads."""

    kind: str
    namespace: str
    name: str
    backends: tuple[BackendReference, ...] = ()
    ingress_class: str = ""
    """Of an Ingress, where it says one."""
    gateways: tuple[tuple[str, str], ...] = ()
    """Of a route: (namespace, name) of each Gateway that it is attached to."""

    @property
    def key(self) -> ObjectKey:
        """Kind, namespace, name."""
        return ObjectKey(self.kind, self.namespace, self.name)


@dataclass(frozen=True)
class Monitor:
    """A ServiceMonitor or PodMonitor: which ports of which Services or pods a Prometheus scrapes."""

    kind: str
    namespace: str
    name: str
    selector: LabelSelector = field(default_factory=LabelSelector)
    namespaces: tuple[str, ...] | None = ()
    """Where it selects; none named means its own, None means everywhere."""
    ports: tuple[int | str, ...] = ()
    """Names of a Service's ports, or of a pod's."""
    target_ports: tuple[int | str, ...] = ()
    """Numbers or names of the pods' own ports."""

    @property
    def key(self) -> ObjectKey:
        """Kind, namespace, name."""
        return ObjectKey(self.kind, self.namespace, self.name)


DeclaringObject = ConfigMap | IngressClass | Route | Monitor
"""What is kept of the cluster for nothing but the edges that it declares."""


@dataclass(frozen=True, order=True)
class Declaration:
    """The object and the field of it that declare an edge."""

    object: ObjectKey
    where: str
    """The field, as a person would look it up."""


class Obstacle(str, Enum):
    """Why a declared edge cannot be accepted as it stands."""

    NONE = ""
    CLIENT_UNKNOWN = "client-unknown"
    """A decision that names the client can."""
    SERVER_UNKNOWN = "server-unknown"
    """A decision that names the server and its port can."""
    ALWAYS_ALLOWED = "always-allowed"
    """Nothing needs to be accepted: a pod's own node may always reach it."""


@dataclass(frozen=True)
class DeclaredEdge:
    """An edge that manifests imply and that was not seen."""

    edge: Edge
    declarations: tuple[Declaration, ...]
    reason: str
    """Who is thought to connect to whom, and why; or what keeps it from being known."""
    obstacle: Obstacle = Obstacle.NONE
