"""Objects that declare edges, with every part overridable."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from kubectl_netpolgen.analysis.declared import find_declared
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.declarations import ConfigMap, DeclaredEdge, IngressClass, Monitor, Route
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.mentions import BackendReference, Mention
from kubectl_netpolgen.model.objects import ObjectKey, Pod
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.model.sockets import PodNetwork
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import a_pod, a_timeline, networks_of


def a_backend(service: str = "api", port: int | str = 80, namespace: str = "shop") -> BackendReference:
    """A Service's port."""
    return BackendReference(namespace, service, port)


def mentioning(name: str, *backends: BackendReference, **changes: Any) -> Pod:
    """A pod whose container main has a variable for each of these."""
    mentions = tuple(
        Mention(f"env URL{number} of container main", item) for number, item in enumerate(backends)
    )
    return a_pod(name, **{"mentions": mentions, **changes})


def a_config_map(name: str = "conf", **entries: BackendReference) -> ConfigMap:
    """A ConfigMap whose entries mention a Service each."""
    return ConfigMap("shop", name, tuple(Mention(key, backend) for key, backend in entries.items()))


def an_ingress(*backends: BackendReference, **changes: Any) -> Route:
    """An Ingress of the class nginx."""
    return Route(
        **{
            "kind": "Ingress",
            "namespace": "shop",
            "name": "web",
            "backends": backends,
            "ingress_class": "nginx",
            **changes,
        }
    )


def a_class(name: str = "nginx", controller: str = "k8s.io/ingress-nginx") -> IngressClass:
    """The class that ingress-nginx serves."""
    return IngressClass(name, controller)


def a_controller(name: str = "controller-1", address: str = "10.244.9.1", **changes: Any) -> Pod:
    """A pod of ingress-nginx, labelled as its chart does."""
    labels = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
    return a_pod(name, address, **{"namespace": "ingress", "labels": labels, **changes})


def a_route(*backends: BackendReference, **changes: Any) -> Route:
    """An HTTPRoute of the Gateway infra/edge."""
    return an_ingress(
        *backends, **{"kind": "HTTPRoute", "ingress_class": "", "gateways": (("infra", "edge"),), **changes}
    )


def a_monitor(**changes: Any) -> Monitor:
    """A ServiceMonitor of the port metrics of Services labelled `app: api`."""
    return Monitor(
        **{
            "kind": "ServiceMonitor",
            "namespace": "shop",
            "name": "api",
            "selector": labels_selector({"app": "api"}),
            "ports": ("metrics",),
            **changes,
        }
    )


def declared_in(
    objects: Iterable[KubernetesObject],
    *,
    edges: Sequence[Edge] = (),
    captured: Collection[ObjectKey] | None = None,
    networks: Iterable[PodNetwork] = (),
) -> tuple[DeclaredEdge, ...]:
    """What these objects declare and the edges do not show; the Deployments of shop are captured."""
    found = tuple(objects)
    identities = Identities(a_timeline(*found), networks_of(*networks))
    if captured is None:
        captured = {
            identities.timeline.top_owner(item).key
            for item in found
            if isinstance(item, Pod) and item.namespace == "shop" and not item.host_network
        }
    return find_declared(edges, captured, identities)


def declared_words(declared: Iterable[DeclaredEdge]) -> list[str]:
    """`shop/Deployment/web -> shop/Deployment/api 8080/TCP`, and the obstacle where there is one."""
    return [
        f"{item.edge.client} -> {item.edge.server} {item.edge.port}/{item.edge.protocol.value}"
        + (f" {item.obstacle.value}" if item.obstacle.value else "")
        for item in declared
    ]
