"""Documents that declare edges to values: Ingresses, routes, monitors, and the configuration of pods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kubectl_netpolgen.model.declarations import ConfigMap, DeclaringObject, IngressClass, Monitor, Route
from kubectl_netpolgen.model.mentions import BackendReference, ConfigMapUse, Mention
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.semantics.selectors import parse_selector
from kubectl_netpolgen.semantics.service_names import parse_spelled

Document = Mapping[str, Any]
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_GROUPS_OF_SERVICES = (None, "", "core")


_WRONG_TYPES = (KeyError, TypeError, AttributeError)
"""What reading a field raises that is missing, or is something else than its kind promises."""


def parse_declaring(document: Document) -> DeclaringObject:
    """The value of a document of a kind in DECLARING; ValueError when it is not what its kind promises."""
    try:
        return DECLARING[document.get("kind")](document)
    except _WRONG_TYPES as error:
        raise ValueError(f"{document.get('kind')}: {error!r} is missing or of a wrong type") from error


def parse_configuration(spec: Document) -> tuple[tuple[Mention, ...], tuple[ConfigMapUse, ...]]:
    """The Services in a pod's environment, and how it gets at ConfigMaps; ValueError as above."""
    try:
        return _mentions(spec), _config_map_uses(spec)
    except _WRONG_TYPES as error:
        raise ValueError(f"Pod: env, envFrom or volumes: {error!r} is missing or of a wrong type") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a name")
    return value


def _identity(document: Document) -> tuple[str, str]:
    metadata = document["metadata"]
    return _text(metadata.get("namespace") or "default"), _text(metadata["name"])


def _port(value: Any) -> int | str | None:
    """A port's number or name; None for what is neither."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not value:
        return None
    return value if isinstance(value, str) or 1 <= value <= 65535 else None


def _containers(spec: Document) -> Iterator[Document]:
    for group in ("initContainers", "containers"):
        yield from spec.get(group) or ()


def _mentions(spec: Document) -> tuple[Mention, ...]:
    """The Services in a pod's environment, as a bundle spells them; nothing in values as they were."""
    return tuple(
        Mention(f"env {variable.get('name')} of container {container.get('name')}", backend)
        for container in _containers(spec)
        for variable in container.get("env") or ()
        for backend in parse_spelled(variable.get("value"))
    )


def _config_map_uses(spec: Document) -> tuple[ConfigMapUse, ...]:
    """How a pod gets at ConfigMaps: variable by variable, all entries as variables, or as files."""
    found: dict[ConfigMapUse, None] = {}
    for container in _containers(spec):
        where = f"of container {container.get('name')}"
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("configMapKeyRef")
            if reference:
                field = f"env {variable.get('name')} {where}"
                found[ConfigMapUse(_text(reference["name"]), _text(reference["key"]), field)] = None
        for source in container.get("envFrom") or ():
            reference = source.get("configMapRef")
            if reference:
                found[ConfigMapUse(_text(reference["name"]), "", f"envFrom {where}")] = None
    for volume in spec.get("volumes") or ():
        reference = volume.get("configMap")
        if reference and reference.get("name"):
            found[ConfigMapUse(_text(reference["name"]), "", f"volume {volume.get('name')}")] = None
    return tuple(found)


def _config_map(document: Document) -> ConfigMap:
    mentions = (
        Mention(str(key), backend)
        for key, value in (document.get("data") or {}).items()
        for backend in parse_spelled(value)
    )
    return ConfigMap(*_identity(document), tuple(mentions))


def _ingress_class(document: Document) -> IngressClass:
    controller = (document.get("spec") or {}).get("controller")
    return IngressClass(_identity(document)[1], _text(controller) if controller else "")


def _ingress(document: Document) -> Route:
    namespace, name = _identity(document)
    spec = document.get("spec") or {}
    former = (document["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    named = spec.get("ingressClassName") or former
    backends = [spec.get("defaultBackend")]
    for rule in spec.get("rules") or ():
        backends += [path.get("backend") for path in (rule.get("http") or {}).get("paths") or ()]
    return Route(
        "Ingress",
        namespace,
        name,
        backends=_each_once(_ingress_backend(backend, namespace) for backend in backends),
        ingress_class=_text(named) if named else "",
    )


def _ingress_backend(backend: Any, namespace: str) -> BackendReference | None:
    """A backend may be another object than a Service (`resource`), which says nothing of where it leads."""
    service = (backend or {}).get("service") or {}
    stated = service.get("port") or {}
    port = _port(stated.get("number")) or _port(stated.get("name"))
    return BackendReference(namespace, _text(service["name"]), port) if port is not None else None


def _route(document: Document) -> Route:
    namespace, name = _identity(document)
    spec = document.get("spec") or {}
    gateways = dict.fromkeys(
        (_text(parent.get("namespace") or namespace), _text(parent["name"]))
        for parent in spec.get("parentRefs") or ()
        if parent.get("kind") in (None, "Gateway")
    )
    backends = (
        _route_backend(backend, namespace)
        for rule in spec.get("rules") or ()
        for backend in rule.get("backendRefs") or ()
    )
    return Route(str(document["kind"]), namespace, name, _each_once(backends), gateways=tuple(gateways))


def _route_backend(backend: Document, namespace: str) -> BackendReference | None:
    port = _port(backend.get("port"))
    if (
        backend.get("kind") not in (None, "Service")
        or backend.get("group") not in _GROUPS_OF_SERVICES
        or port is None
    ):
        return None
    return BackendReference(_text(backend.get("namespace") or namespace), _text(backend["name"]), port)


def _each_once(backends: Iterable[BackendReference | None]) -> tuple[BackendReference, ...]:
    return tuple(dict.fromkeys(backend for backend in backends if backend is not None))


def _monitor(document: Document) -> Monitor:
    namespace, name = _identity(document)
    spec = document.get("spec") or {}
    where = spec.get("namespaceSelector") or {}
    endpoints = [*(spec.get("endpoints") or ()), *(spec.get("podMetricsEndpoints") or ())]
    selector = spec.get("selector")
    return Monitor(
        str(document["kind"]),
        namespace,
        name,
        selector=parse_selector(selector) if selector else LabelSelector(),
        namespaces=None if where.get("any") is True else tuple(map(_text, where.get("matchNames") or ())),
        ports=_ports(endpoint.get("port") for endpoint in endpoints),
        target_ports=_ports(
            endpoint.get("targetPort") or endpoint.get("portNumber")
            for endpoint in endpoints
            if not endpoint.get("port")
        ),
    )


def _ports(values: Iterable[Any]) -> tuple[int | str, ...]:
    found = map(_port, values)
    return tuple(dict.fromkeys(port for port in found if port is not None))


DECLARING: dict[Any, Callable[[Document], DeclaringObject]] = {
    "ConfigMap": _config_map,
    "IngressClass": _ingress_class,
    "Ingress": _ingress,
    "HTTPRoute": _route,
    "GRPCRoute": _route,
    "TCPRoute": _route,
    "TLSRoute": _route,
    "UDPRoute": _route,
    "ServiceMonitor": _monitor,
    "PodMonitor": _monitor,
}
"""Parsers by kind."""
