"""Ports to which a Service invites clients from outside the cluster.

Who comes that way has the address of a node, of a load balancer or of anybody, as the Service's traffic
policy and the network plugin have it (core/v1 Service, externalTrafficPolicy).
"""

from __future__ import annotations

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.objects import Pod, Service, ServicePort

_OUTSIDERS = (EndpointKind.NODE, EndpointKind.EXTERNAL)


def inviting_service(edge: Edge, timeline: Timeline) -> Service | None:
    """The first Service that invites outsiders to the port of an edge's server."""
    if edge.server.kind is not EndpointKind.WORKLOAD or edge.server.host_network:
        return None
    pods = [timeline.pods[uid] for uid in edge.server_pods if uid in timeline.pods]
    for service in timeline.services:
        if service.exposed and any(
            port.protocol is edge.protocol and edge.port in target_numbers(port, pod)
            for pod in pods
            if selects(service, pod)
            for port in service.ports
        ):
            return service
    return None


def invited_outsider(edge: Edge, timeline: Timeline) -> Service | None:
    """The Service by which an edge's client came from outside, as far as its address tells.

    None for pods, and for a kubelet's probe, which comes from a node by itself.
    """
    if edge.client.kind not in _OUTSIDERS or edge.role is not None:
        return None
    return inviting_service(edge, timeline)


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
