"""Kubernetes documents to the values of `model.objects`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_netpolgen.model.declarations import DeclaringObject
from kubectl_netpolgen.model.network import Address, Protocol, canonical_address
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
    TierPolicy,
    Workload,
)
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.model.times import parse_rfc3339
from kubectl_netpolgen.semantics.declarations import DECLARING, parse_configuration, parse_declaring
from kubectl_netpolgen.semantics.policies import parse_policy
from kubectl_netpolgen.semantics.selectors import parse_selector

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
_TIERS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
_HTTPS = 443
"""The port of a webhook's or an APIService's Service where none is given (ServiceReference.port)."""

Document = Mapping[str, Any]


def parse_object(document: Document) -> KubernetesObject | None:
    """The value of one document, None for a kind that says nothing about traffic.

    Raises ValueError naming the field when the document is not what its kind promises.
    """
    kind = document.get("kind")
    try:
        if kind == "Pod":
            return parse_pod(document)
        if kind == "Service":
            return _service(document)
        if kind == "EndpointSlice":
            return _slice(document)
        if kind == "Namespace":
            return Namespace(name=str(_meta(document)["name"]), labels=_labels(_meta(document)))
        if kind == "Node":
            return _node(document)
        if kind == "NetworkPolicy":
            return parse_policy(document)
        if kind in _WEBHOOKS:
            clients = [item.get("clientConfig") or {} for item in document.get("webhooks") or ()]
            return _calls(document, [client.get("service") for client in clients])
        if kind == "APIService":
            return _calls(document, [(document.get("spec") or {}).get("service")])
        if kind in _TIERS:
            return TierPolicy(str(kind), str(_meta(document)["name"]))
        if kind in DECLARING:
            return parse_declaring(document)
        if kind and isinstance(document.get("spec"), Mapping):
            return _workload(document)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{kind}: {error!r} is missing or of a wrong type") from error
    return None


def _calls(document: Document, services: Iterable[Any]) -> ControlPlaneCalls:
    """The Services that are named; a webhook by URL, and an APIService of the API server's own, have none."""
    found = dict.fromkeys(
        (str(service["namespace"]), str(service["name"]), int(service.get("port") or _HTTPS))
        for service in services
        if service
    )
    return ControlPlaneCalls(str(document["kind"]), str(_meta(document)["name"]), tuple(found))


def _meta(document: Document) -> Document:
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        raise ValueError("metadata: missing")
    return metadata


def _labels(metadata: Document) -> dict[str, str]:
    return {str(key): str(value) for key, value in (metadata.get("labels") or {}).items()}


def _addresses(values: Iterable[Any]) -> tuple[Address, ...]:
    found: list[Address] = []
    for value in values:
        try:
            address = canonical_address(str(value))
        except ValueError:
            continue  # `None` (headless), empty strings and host names stand in these fields too
        if address not in found:
            found.append(address)
    return tuple(found)


def _is_range(text: Any) -> bool:
    try:
        ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return False
    return True


def _owner(metadata: Document) -> OwnerReference | None:
    references = [item for item in metadata.get("ownerReferences") or () if item.get("controller")]
    if not references:
        return None
    return OwnerReference(
        kind=str(references[0]["kind"]),
        name=str(references[0]["name"]),
        uid=str(references[0].get("uid", "")),
    )


def _time(metadata: Document) -> int:
    text = metadata.get("creationTimestamp")
    return parse_rfc3339(text) if text else 0


def parse_pod(document: Document) -> Pod:
    """A pod from its API object."""
    metadata, spec, status = _meta(document), document.get("spec") or {}, document.get("status") or {}
    containers = list(spec.get("containers") or ())
    # init containers that restart always are sidecars and keep running (core/v1 Container.restartPolicy)
    sidecars = [item for item in spec.get("initContainers") or () if item.get("restartPolicy") == "Always"]
    ports = tuple(_container_port(port) for item in containers + sidecars for port in item.get("ports") or ())
    mentions, config_maps = parse_configuration(spec)
    probes = tuple(_probes(containers + sidecars))
    return Pod(
        uid=str(metadata.get("uid") or ""),
        namespace=str(metadata.get("namespace") or "default"),
        name=str(metadata["name"]),
        labels=_labels(metadata),
        addresses=_addresses([status.get("podIP"), *(item.get("ip") for item in status.get("podIPs") or ())]),
        host_addresses=_addresses(
            [status.get("hostIP"), *(item.get("ip") for item in status.get("hostIPs") or ())]
        ),
        node=str(spec.get("nodeName") or ""),
        host_network=bool(spec.get("hostNetwork")),
        phase=str(status.get("phase") or "Unknown"),
        owner=_owner(metadata),
        ports=ports,
        probe_ports=frozenset(port for port, _ in probes),
        probe_periods=probes,
        init_containers=tuple(
            str(item.get("name", ""))
            for item in spec.get("initContainers") or ()
            if item.get("restartPolicy") != "Always"
        ),
        created=_time(metadata),
        mirror="kubernetes.io/config.mirror" in (metadata.get("annotations") or {}),
        deleting=bool(metadata.get("deletionTimestamp")),
        operating_system=str((spec.get("os") or {}).get("name") or ""),
        dns_policy=str(spec.get("dnsPolicy") or "ClusterFirst"),
        mentions=mentions,
        config_maps=config_maps,
    )


def _container_port(port: Document) -> ContainerPort:
    return ContainerPort(
        name=str(port.get("name") or ""),
        port=int(port["containerPort"]),
        protocol=Protocol(port.get("protocol") or "TCP"),
    )


def _probes(containers: Iterable[Document]) -> Iterable[tuple[int, int]]:
    for container in containers:
        named = {
            port["name"]: int(port["containerPort"])
            for port in container.get("ports") or ()
            if port.get("name")
        }
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            asked = container.get(probe) or {}
            period = asked.get("periodSeconds")
            for kind in ("httpGet", "tcpSocket", "grpc"):
                port = (asked.get(kind) or {}).get("port")
                number = port if isinstance(port, int) else named.get(port)
                if number is not None:
                    yield number, period if isinstance(period, int) and period > 0 else 0


def _service(document: Document) -> Service:
    metadata, spec = _meta(document), document.get("spec") or {}
    balancer = ((document.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return Service(
        namespace=str(metadata.get("namespace") or "default"),
        name=str(metadata["name"]),
        type=str(spec.get("type") or "ClusterIP"),
        addresses=_addresses(
            [
                spec.get("clusterIP"),
                *(spec.get("clusterIPs") or ()),
                *(spec.get("externalIPs") or ()),
                *(item.get("ip") for item in balancer),
            ]
        ),
        selector={str(key): str(value) for key, value in (spec.get("selector") or {}).items()},
        ports=tuple(
            ServicePort(
                name=str(port.get("name") or ""),
                protocol=Protocol(port.get("protocol") or "TCP"),
                port=int(port["port"]),
                target_port=port.get("targetPort") or int(port["port"]),
                node_port=int(port.get("nodePort") or 0),
            )
            for port in spec.get("ports") or ()
        ),
        labels=_labels(metadata),
    )


def _slice(document: Document) -> EndpointSlice:
    metadata = _meta(document)
    return EndpointSlice(
        namespace=str(metadata.get("namespace") or "default"),
        name=str(metadata["name"]),
        service=_labels(metadata).get("kubernetes.io/service-name", ""),
        endpoints=tuple(
            SliceEndpoint(
                addresses=_addresses(item.get("addresses") or ()),
                pod_uid=str((item.get("targetRef") or {}).get("uid") or ""),
            )
            for item in document.get("endpoints") or ()
        ),
        ports=tuple(
            (str(port.get("name") or ""), Protocol(port.get("protocol") or "TCP"), int(port["port"]))
            for port in document.get("ports") or ()
            if port.get("port")
        ),
    )


def _node(document: Document) -> Node:
    metadata, spec, status = _meta(document), document.get("spec") or {}, document.get("status") or {}
    return Node(
        name=str(metadata["name"]),
        addresses=_addresses(item.get("address") for item in status.get("addresses") or ()),
        pod_ranges=tuple(
            text
            for text in spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
            if _is_range(text)
        ),
        labels=_labels(metadata),
    )


def _workload(document: Document) -> Workload:
    metadata, spec = _meta(document), document["spec"]
    template = (
        spec.get("template") or ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    )
    replicas = spec.get("replicas")
    return Workload(
        uid=str(metadata.get("uid") or ""),
        key=ObjectKey(
            str(document["kind"]), str(metadata.get("namespace") or "default"), str(metadata["name"])
        ),
        owner=_owner(metadata),
        selector=_workload_selector(spec.get("selector")),
        template_labels=_labels(template.get("metadata") or {}),
        replicas=replicas if isinstance(replicas, int) else None,
    )


def _workload_selector(document: Any) -> LabelSelector | None:
    """A LabelSelector, or the bare map that ReplicationControllers carry."""
    if not isinstance(document, Mapping) or not document:
        return None
    if "matchLabels" in document or "matchExpressions" in document:
        return parse_selector(document)
    if all(isinstance(value, str) for value in document.values()):
        return labels_selector(document)
    return None
