"""Objects of the cluster cut down to what traffic and policies need.

An allow-list, not a deny-list: environment values, arguments, last-applied copies, and whatever a later
Kubernetes adds never enter a bundle, because people send bundles to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubectl_netpolgen.bundle.configuration import Configuration
from kubectl_netpolgen.bundle.routes import REDUCTIONS
from kubectl_netpolgen.bundle.shapes import as_map, only

_ANNOTATIONS = ("kubernetes.io/config.mirror", "deployment.kubernetes.io/revision")
_METADATA = (
    "name",
    "namespace",
    "uid",
    "labels",
    "creationTimestamp",
    "deletionTimestamp",
    "resourceVersion",
)
_SERVICE_REFERENCE = ("namespace", "name", "port")
_PORT = ("name", "containerPort", "hostPort", "protocol")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_SPEC_OF_SERVICE = (
    "type",
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "selector",
    "ports",
    "externalName",
    "ipFamilies",
)


def _metadata(item: Mapping[str, Any]) -> dict[str, Any]:
    raw = as_map(item.get("metadata"))
    metadata = only(raw, _METADATA)
    annotations = only(raw.get("annotations"), _ANNOTATIONS)
    if annotations:
        metadata["annotations"] = annotations
    owners = [
        only(owner, ("apiVersion", "kind", "name", "uid", "controller"))
        for owner in raw.get("ownerReferences") or ()
    ]
    if owners:
        metadata["ownerReferences"] = owners
    return metadata


def _probe(probe: Mapping[str, Any]) -> dict[str, Any]:
    """A probe's port and period alone: paths and headers may hold credentials."""
    ports = {
        kind: {"port": probe[kind]["port"]}
        for kind in ("httpGet", "tcpSocket", "grpc")
        if isinstance(probe.get(kind), Mapping) and "port" in probe[kind]
    }
    return {**ports, **only(probe, ("periodSeconds",))} if ports else {}


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    reduced = only(container, ("name", "restartPolicy"))
    ports = [only(port, _PORT) for port in container.get("ports") or ()]
    if ports:
        reduced["ports"] = ports
    for name in _PROBES:
        if isinstance(container.get(name), Mapping):
            probe = _probe(container[name])
            if probe:
                reduced[name] = probe
    return reduced


def _pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    reduced = only(spec, ("nodeName", "hostNetwork", "os", "nodeSelector", "dnsPolicy"))
    for group in ("initContainers", "containers"):
        if spec.get(group):
            reduced[group] = [_container(container) for container in spec[group]]
    return reduced


def _pod(item: Mapping[str, Any]) -> dict[str, Any]:
    status = only(item.get("status"), ("phase", "podIP", "podIPs", "hostIP", "hostIPs", "startTime"))
    return {"spec": _pod_spec(item.get("spec") or {}), "status": status}


def _selector(selector: Any) -> dict[str, Any]:
    """A LabelSelector or a bare map of labels; custom resources select with much else."""
    if all(isinstance(value, str) for value in as_map(selector).values()):
        return dict(as_map(selector))
    return only(selector, ("matchLabels", "matchExpressions"))


def _workload(item: Mapping[str, Any]) -> dict[str, Any]:
    spec = as_map(item.get("spec"))
    reduced = only(spec, ("replicas", "schedule", "suspend"))
    selector = _selector(spec.get("selector"))
    if selector:
        reduced["selector"] = selector
    template = spec.get("template") or as_map(as_map(spec.get("jobTemplate")).get("spec")).get("template")
    if isinstance(template, Mapping):
        short = {
            "metadata": only(template.get("metadata"), ("labels",)),
            "spec": _pod_spec(as_map(template.get("spec"))),
        }
        if "jobTemplate" in spec:
            reduced["jobTemplate"] = {"spec": {"template": short}}
        else:
            reduced["template"] = short
    return {"spec": reduced}


def _service(item: Mapping[str, Any]) -> dict[str, Any]:
    status = item.get("status") or {}
    ingress = (status.get("loadBalancer") or {}).get("ingress") or []
    reduced: dict[str, Any] = {"spec": only(item.get("spec"), _SPEC_OF_SERVICE)}
    if ingress:
        reduced["status"] = {
            "loadBalancer": {"ingress": [only(entry, ("ip", "hostname")) for entry in ingress]}
        }
    return reduced


def _slice(item: Mapping[str, Any]) -> dict[str, Any]:
    endpoints = []
    for endpoint in item.get("endpoints") or ():
        reduced = only(endpoint, ("addresses", "conditions", "nodeName"))
        target = only(endpoint.get("targetRef"), ("kind", "namespace", "name", "uid"))
        if target:
            reduced["targetRef"] = target
        endpoints.append(reduced)
    return {**only(item, ("addressType", "ports")), "endpoints": endpoints}


def _node(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "spec": only(item.get("spec"), ("podCIDR", "podCIDRs")),
        "status": only(item.get("status"), ("addresses",)),
    }


def _policy(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"spec": item.get("spec") or {}}


def _webhooks(item: Mapping[str, Any]) -> dict[str, Any]:
    """Which Services are called, and nothing of certificates, URLs and rules."""
    services = (
        only(as_map(as_map(hook).get("clientConfig")).get("service"), _SERVICE_REFERENCE)
        for hook in item.get("webhooks") or ()
    )
    return {"webhooks": [{"clientConfig": {"service": service}} for service in services if service]}


def _api_service(item: Mapping[str, Any]) -> dict[str, Any]:
    service = only(as_map(item.get("spec")).get("service"), _SERVICE_REFERENCE)
    return {"spec": {"service": service}} if service else {}


def _nothing_more(item: Mapping[str, Any]) -> dict[str, Any]:
    return {}


_BY_KIND: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Pod": _pod,
    "Service": _service,
    "EndpointSlice": _slice,
    "Node": _node,
    "NetworkPolicy": _policy,
    "Namespace": _nothing_more,
    "ValidatingWebhookConfiguration": _webhooks,
    "MutatingWebhookConfiguration": _webhooks,
    "APIService": _api_service,
    "AdminNetworkPolicy": _nothing_more,
    "BaselineAdminNetworkPolicy": _nothing_more,
    "ClusterNetworkPolicy": _nothing_more,
    **REDUCTIONS,
}


def reduce_object(
    item: Mapping[str, Any], configuration: Configuration | None = None
) -> dict[str, Any] | None:
    """The object's allowed fields, or None for a kind that a bundle must not hold.

    With a configuration, pods and ConfigMaps also keep the Services that they mention.
    """
    kind = str(item.get("kind", ""))
    head = {"apiVersion": item.get("apiVersion", ""), "kind": kind, "metadata": _metadata(item)}
    if kind in _BY_KIND:
        reduced = _BY_KIND[kind](item)
        if kind == "Pod" and configuration is not None:
            configuration.add_to_pod(reduced["spec"], item)
        return {**head, **reduced}
    if kind == "ConfigMap" and configuration is not None:
        entries = configuration.config_map(item)
        return None if entries is None else {**head, **entries}
    if kind in ("Secret", "ConfigMap", "ServiceAccount"):
        return None
    if isinstance(item.get("spec"), Mapping):
        return {**head, **_workload(item)}
    return head if kind else None
