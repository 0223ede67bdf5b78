"""Ingresses, routes and monitors cut down to the Services and ports that they lead to.

Hosts, paths, headers, certificates and credentials of scrapes stay outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kubectl_netpolgen.bundle.shapes import as_list, as_map, only

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
"""Where Ingresses named their class before they had a field for it."""
ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")
_BACKEND = ("group", "kind", "namespace", "name", "port")
_PARENT = ("group", "kind", "namespace", "name")


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [as_map(item) for item in as_list(value)]


def _each_once(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        if item and item not in found:
            found.append(item)
    return found


def _ingress(item: Mapping[str, Any]) -> dict[str, Any]:
    spec = as_map(item.get("spec"))
    paths = [
        path for rule in _maps(spec.get("rules")) for path in _maps(as_map(rule.get("http")).get("paths"))
    ]
    backends = [_backend_service(path.get("backend")) for path in paths]
    reduced = only(spec, ("ingressClassName",))
    former = as_map(as_map(item.get("metadata")).get("annotations")).get(CLASS_ANNOTATION)
    if not reduced and isinstance(former, str) and former:
        reduced["ingressClassName"] = former
    default = _backend_service(spec.get("defaultBackend"))
    if default:
        reduced["defaultBackend"] = {"service": default}
    found = _each_once(backends)
    if found:
        reduced["rules"] = [{"http": {"paths": [{"backend": {"service": service}} for service in found]}}]
    return {"spec": reduced} if reduced else {}


def _backend_service(backend: Any) -> dict[str, Any]:
    service = as_map(as_map(backend).get("service"))
    reduced = only(service, ("name",))
    port = only(service.get("port"), ("number", "name"))
    return {**reduced, "port": port} if reduced and port else {}


def _ingress_class(item: Mapping[str, Any]) -> dict[str, Any]:
    controller = only(item.get("spec"), ("controller",))
    return {"spec": controller} if controller else {}


def _route(item: Mapping[str, Any]) -> dict[str, Any]:
    spec = as_map(item.get("spec"))
    backends = _each_once(
        only(backend, _BACKEND) for rule in _maps(spec.get("rules")) for backend in _backends(rule)
    )
    parents = _each_once(only(parent, _PARENT) for parent in _maps(spec.get("parentRefs")))
    reduced: dict[str, Any] = {"parentRefs": parents} if parents else {}
    if backends:
        reduced["rules"] = [{"backendRefs": backends}]
    return {"spec": reduced} if reduced else {}


def _backends(rule: Mapping[str, Any]) -> Iterable[Any]:
    """Where a rule sends requests, and where it mirrors them."""
    backends = _maps(rule.get("backendRefs"))
    filters = [*_maps(rule.get("filters")), *(one for item in backends for one in _maps(item.get("filters")))]
    yield from backends
    yield from (as_map(item.get("requestMirror")).get("backendRef") for item in filters)


def _monitor(item: Mapping[str, Any]) -> dict[str, Any]:
    spec = as_map(item.get("spec"))
    reduced: dict[str, Any] = {}
    selector = only(spec.get("selector"), ("matchLabels", "matchExpressions"))
    reduced["selector"] = selector
    namespaces = only(spec.get("namespaceSelector"), ("any", "matchNames"))
    if namespaces:
        reduced["namespaceSelector"] = namespaces
    for field in ("endpoints", "podMetricsEndpoints"):
        ports = _each_once(
            only(entry, ("port", "targetPort", "portNumber")) for entry in _maps(spec.get(field))
        )
        if ports:
            reduced[field] = ports
    return {"spec": reduced}


REDUCTIONS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Ingress": _ingress,
    "IngressClass": _ingress_class,
    "ServiceMonitor": _monitor,
    "PodMonitor": _monitor,
    **dict.fromkeys(ROUTES, _route),
}
"""By kind."""
