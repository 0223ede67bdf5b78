"""Ports to which clients from outside the cluster are invited: by a Service, or by the control plane's calls.

Who comes that way has the address of a node, of a load balancer or of anybody, as the Service's traffic
policy and the network plugin have it (core/v1 Service, externalTrafficPolicy).
"""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod, Service, ServicePort

_OUTSIDERS = (EndpointKind.NODE, EndpointKind.EXTERNAL)
_CONTROL_PLANE = (EndpointKind.NODE, EndpointKind.EXTERNAL, EndpointKind.UNKNOWN, EndpointKind.API_SERVER)
"""As whom the API server may appear: a node, or an address of the provider's that nobody knows."""


def invited_outsider(edge: Edge, timeline: Timeline) -> str:
    """Through what an edge's client came from outside, as far as its address tells; empty for all others.

    Others are pods, and a kubelet's probe, which comes from a node by itself. `NodePort shop/web`, or kind
    and name of the webhook configuration or APIService by which the control plane calls.
    """
    if edge.role is not None or edge.server.kind is not EndpointKind.WORKLOAD or edge.server.host_network:
        return ""
    pods = [timeline.pods[uid] for uid in edge.server_pods if uid in timeline.pods]
    if edge.client.kind in _OUTSIDERS:
        for service in timeline.services:
            if service.exposed and _leads(service, None, edge, pods):
                return f"{service.type} {service.namespace}/{service.name}"
    if edge.client.kind in _CONTROL_PLANE:
        for calls in timeline.control_plane_calls:
            for namespace, name, port in calls.services:
                called = timeline.service(namespace, name)
                if called is not None and _leads(called, port, edge, pods):
                    return f"{calls.kind} {calls.name}"
    return ""


def exposed(timeline: Timeline, pod: Pod, port: int, protocol: Protocol) -> bool:
    """Whether a Service invites clients from outside to this port of the pod."""
    return any(
        service.exposed
        and selects(service, pod)
        and any(item.protocol is protocol and port in target_numbers(item, pod) for item in service.ports)
        for service in timeline.services
    )


def _leads(service: Service, number: int | None, edge: Edge, pods: Iterable[Pod]) -> bool:
    """Whether a Service, by one of its ports or by any, leads to the edge's port on one of the pods."""
    return any(
        port.protocol is edge.protocol and edge.port in target_numbers(port, pod)
        for pod in pods
        if selects(service, pod)
        for port in service.ports
        if number is None or port.port == number
    )


def selects(service: Service, pod: Pod) -> bool:
    """Whether the pod is behind the Service; one without a selector has none by itself."""
    return (
        pod.namespace == service.namespace
        and bool(service.selector)
        and service.selector.items() <= dict(pod.labels).items()
    )


def target_numbers(port: ServicePort, pod: Pod) -> set[int]:
    """What a Service's port is on a pod: a number, or what the pod calls by that name."""
    if isinstance(port.target_port, int):
        return {port.target_port}
    return {
        item.port for item in pod.ports if item.name == port.target_port and item.protocol is port.protocol
    }
