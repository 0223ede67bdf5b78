"""Kubernetes documents to the values of `model.objects`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_netpolgen.model.declarations import DeclaringObject
from kubectl_netpolgen.model.network import Address, canonical_address
from kubectl_netpolgen.model.objects import (
    ContainerPort,
    ControlPlaneCalls,
    EndpointSlice,
    Namespace,
    Node,
    ObjectKey,
    OwnerReference,
    Pod,
    Service,
    ServicePort,
    SliceEndpoint,
    Workload,
)
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.model.times import parse_rfc3339
from kubectl_netpolgen.semantics.declarations import DECLARING, parse_configuration, parse_declaring
from kubectl_netpolgen.semantics.fields import Fields, shown
from kubectl_netpolgen.semantics.policies import parse_policy
from kubectl_netpolgen.semantics.selectors import parse_selector
from kubectl_netpolgen.semantics.tiers import TIER_KINDS, parse_tier

KubernetesObject = (
    Pod
    | Workload
    | Service
    | EndpointSlice
    | Namespace
    | Node
    | NetworkPolicy
    | ControlPlaneCalls
    | TierPolicy
    | DeclaringObject
)
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_HTTPS = 443
"""The port of a webhook's or an APIService's Service where none is given (ServiceReference.port)."""

_BUILT_IN = (
    *("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"),
)
"""Owners whose fields are Kubernetes' own; others' may hold anything under the same names."""

_BUILT_IN_GROUPS = ("", "apps", "batch", "extensions")
Document = Mapping[str, Any]


def parse_object(document: Document) -> KubernetesObject | None:
    """The value of one document, None for a kind that says nothing about traffic.

    Raises ValueError naming the field when the document is not what its kind promises.
    """
    fields = Fields(document)
    kind = fields.text("kind")
    try:
        if kind == "Pod":
            return _pod(fields)
        if kind == "Service":
            return _service(fields)
        if kind == "EndpointSlice":
            return _slice(fields)
        if kind == "Namespace":
            return Namespace(name=_name(fields), labels=_meta(fields).labels())
        if kind == "Node":
            return _node(fields)
        if kind == "NetworkPolicy":
            return parse_policy(document)
        if kind in _WEBHOOKS:
            hooks = fields.maps("webhooks")
            return _calls(fields, kind, [hook.map("clientConfig").map("service") for hook in hooks])
        if kind == "APIService":
            return _calls(fields, kind, [fields.map("spec").map("service")])
        if kind in TIER_KINDS:
            return parse_tier(fields, _name(fields))
        if kind in DECLARING:
            return parse_declaring(document)
        if kind and document.get("spec") is not None:
            return _workload(fields, kind)
    except RecursionError as error:
        raise ValueError("maps in maps without end") from error
    return None


def _calls(document: Fields, kind: str, services: Iterable[Fields]) -> ControlPlaneCalls:
    """The Services that are named; a webhook by URL, and an APIService of the API server's own, have none."""
    found = dict.fromkeys(
        (service.text("namespace"), service.text("name"), service.number("port", _HTTPS, least=1))
        for service in services
        if service.document
    )
    return ControlPlaneCalls(kind, _name(document), tuple(found))


def _meta(document: Fields) -> Fields:
    metadata = document.map("metadata")
    if not metadata.document:
        raise ValueError("metadata: missing")
    return metadata


def _name(document: Fields) -> str:
    name = _meta(document).text("name")
    if not name:
        raise ValueError("metadata.name: empty")
    return name


def _namespace(document: Fields) -> str:
    return _meta(document).text("namespace", "") or "default"


def _addresses(values: Iterable[str]) -> tuple[Address, ...]:
    """Each address once; nothing for the empty ones that stand in these fields too."""
    return tuple(dict.fromkeys(_address(value) for value in values if value))


def _address(text: str) -> Address:
    try:
        return canonical_address(text)
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no address") from error


def _is_address(text: str) -> bool:
    try:
        canonical_address(text)
    except ValueError:
        return False
    return True


def _is_range(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _owner(metadata: Fields) -> OwnerReference | None:
    for reference in metadata.maps("ownerReferences"):
        if reference.flag("controller"):
            return OwnerReference(
                # an owner that is named and nothing else still holds its pods together
                kind=reference.text("kind", "") or "Pod",
                name=reference.text("name"),
                uid=reference.text("uid", ""),
            )
    return None


def _time(metadata: Fields) -> int:
    text = metadata.text("creationTimestamp", "")
    return parse_rfc3339(text) if text else 0


def _pod(document: Fields) -> Pod:
    metadata, spec, status = _meta(document), document.map("spec"), document.map("status")
    starting = spec.maps("initContainers")
    # init containers that restart always are sidecars and keep running (core/v1 Container.restartPolicy)
    sidecars = [item for item in starting if item.text("restartPolicy", "") == "Always"]
    containers = [*spec.maps("containers"), *sidecars]
    mentions, config_maps = parse_configuration(spec.document)
    probes = tuple(_probes(containers))
    return Pod(
        uid=metadata.text("uid", ""),
        namespace=_namespace(document),
        name=_name(document),
        labels=metadata.labels(),
        addresses=_addresses(
            [status.text("podIP", ""), *(item.text("ip", "") for item in status.maps("podIPs"))]
        ),
        host_addresses=_addresses(
            [status.text("hostIP", ""), *(item.text("ip", "") for item in status.maps("hostIPs"))]
        ),
        node=spec.text("nodeName", ""),
        host_network=spec.flag("hostNetwork"),
        phase=status.text("phase", "") or "Unknown",
        owner=_owner(metadata),
        ports=tuple(
            _container_port(port)
            for item in containers
            for port in item.maps("ports")
            # manifests leave it out, and then nothing is declared
            if port.document.get("containerPort") is not None
        ),
        probe_ports=frozenset(port for port, _ in probes),
        probe_periods=probes,
        init_containers=tuple(
            item.text("name", "") for item in starting if item.text("restartPolicy", "") != "Always"
        ),
        created=_time(metadata),
        mirror="kubernetes.io/config.mirror" in metadata.map("annotations").document,
        deleting=bool(metadata.text("deletionTimestamp", "")),
        operating_system=spec.map("os").text("name", ""),
        dns_policy=spec.text("dnsPolicy", "") or "ClusterFirst",
        mentions=mentions,
        config_maps=config_maps,
    )


def _container_port(port: Fields) -> ContainerPort:
    return ContainerPort(
        name=port.text("name", ""), port=port.port("containerPort"), protocol=port.protocol()
    )


def _probes(containers: Iterable[Fields]) -> Iterable[tuple[int, int]]:
    for container in containers:
        named = {
            port.text("name", ""): port.port("containerPort")
            for port in container.maps("ports")
            if port.document.get("containerPort") is not None
        }
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            asked = container.map(probe)
            period = asked.number("periodSeconds", 0, most=2**31 - 1)
            for kind in ("httpGet", "tcpSocket", "grpc"):
                port = asked.map(kind).port_or_name("port")
                number = named.get(port) if isinstance(port, str) and port else port
                if isinstance(number, int):
                    yield number, period


def _service(document: Fields) -> Service:
    metadata, spec = _meta(document), document.map("spec")
    balancers = document.map("status").map("loadBalancer").maps("ingress")
    # `None` is how a headless Service has no address (core/v1 ClusterIPNone)
    cluster = (spec.text("clusterIP", ""), *spec.texts("clusterIPs"))
    return Service(
        namespace=_namespace(document),
        name=_name(document),
        type=spec.text("type", "") or "ClusterIP",
        addresses=_addresses(
            [
                *("" if text == "None" else text for text in cluster),
                *spec.texts("externalIPs"),
                *(item.text("ip", "") for item in balancers),
            ]
        ),
        selector=spec.labels("selector"),
        ports=tuple(
            ServicePort(
                name=port.text("name", ""),
                protocol=port.protocol(),
                port=port.port("port"),
                target_port=_target(port),
                node_port=port.number("nodePort", 0),
            )
            for port in spec.maps("ports")
        ),
        labels=metadata.labels(),
    )


def _target(port: Fields) -> int | str:
    """Where a Service's port leads; the API server fills the same number in where none was given."""
    named = port.port_or_name("targetPort") if port.document.get("targetPort") else None
    return named or port.port("port")


def _slice(document: Fields) -> EndpointSlice:
    # addressType FQDN is deprecated and nothing's traffic: names are no addresses to compare packets with
    return EndpointSlice(
        namespace=_namespace(document),
        name=_name(document),
        service=_meta(document).labels().get("kubernetes.io/service-name", ""),
        endpoints=tuple(
            SliceEndpoint(
                addresses=_addresses(text for text in item.texts("addresses") if _is_address(text)),
                pod_uid=item.map("targetRef").text("uid", ""),
            )
            for item in document.maps("endpoints")
        ),
        ports=tuple(
            (port.text("name", ""), port.protocol(), port.port("port"))
            for port in document.maps("ports")
            if port.document.get("port")
        ),
    )


def _node(document: Fields) -> Node:
    spec = document.map("spec")
    ranges = spec.texts("podCIDRs") or (spec.text("podCIDR", ""),)
    return Node(
        name=_name(document),
        addresses=_addresses(
            text
            for text in (item.text("address", "") for item in document.map("status").maps("addresses"))
            # host names stand there too
            if _is_address(text)
        ),
        pod_ranges=tuple(text for text in ranges if _is_range(text)),
        labels=_meta(document).labels(),
    )


def _workload(document: Fields, kind: str) -> Workload:
    metadata, spec = _meta(document), document.document["spec"]
    group = document.text("apiVersion", "").rpartition("/")[0]
    if kind in _BUILT_IN and group in _BUILT_IN_GROUPS:
        template, selector, replicas = _own_parts(document.map("spec"), kind)
    else:
        template, selector, replicas = _foreign_parts(spec)
    return Workload(
        uid=metadata.text("uid", ""),
        key=ObjectKey(kind, _namespace(document), _name(document)),
        owner=_owner(metadata),
        selector=selector,
        template_labels=template,
        replicas=replicas,
    )


def _own_parts(spec: Fields, kind: str) -> tuple[Mapping[str, str], LabelSelector | None, int | None]:
    """Template labels, selector and replicas of Kubernetes' own kinds."""
    holder = spec.map("jobTemplate").map("spec") if kind == "CronJob" else spec
    selector = spec.map("selector").document
    try:
        found = _workload_selector(selector)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"spec.selector: {error}") from error
    if found is None and selector:
        raise ValueError("spec.selector: is no selector of labels")
    replicas = spec.document.get("replicas")
    return (
        holder.map("template").map("metadata").labels(),
        found,
        None if replicas is None else spec.number("replicas", most=2**31 - 1),
    )


def _foreign_parts(spec: Any) -> tuple[Mapping[str, str], LabelSelector | None, int | None]:
    """The same of a custom resource, as far as its fields are what they are elsewhere."""
    if not isinstance(spec, Mapping):
        return {}, None, None
    template = spec.get("template")
    replicas = spec.get("replicas")
    try:
        labels: Mapping[str, str] = Fields(template).map("metadata").labels()
    except ValueError:
        labels = {}
    try:
        selector = _workload_selector(spec.get("selector"))
    except (ValueError, TypeError, AttributeError):
        selector = None
    return labels, selector, replicas if isinstance(replicas, int) else None


def _workload_selector(document: Any) -> LabelSelector | None:
    """A LabelSelector, or the bare map that ReplicationControllers carry."""
    if not isinstance(document, Mapping) or not document:
        return None
    if "matchLabels" in document or "matchExpressions" in document:
        return parse_selector(document)
    if all(isinstance(value, str) for value in document.values()):
        return labels_selector(document)
    return None
