"""The kubelet's probes among what comes from a pod's own node.

A client of a node port that was dialled at that node has the same address as they have; only their number
tells that there was somebody beside them.
"""

from __future__ import annotations

from kubectl_netpolgen.analysis.exposure import exposed
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Flow
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod

_SECOND = 1_000_000_000
# A late probe is made up for, and a start that succeeds has readiness asked at once.
_EXTRA = 1


def role_of(
    client: Endpoint,
    server: Endpoint,
    port: int,
    protocol: Protocol,
    pod: Pod | None,
    *,
    crowded: bool = False,
) -> Role | None:
    """A connection from a node to a port that the kubelet probes on that pod is a probe, unless `crowded`."""
    if server.role is Role.DNS:
        return Role.DNS
    if (
        pod is not None
        and client.kind is EndpointKind.NODE
        and protocol is Protocol.TCP
        and port in pod.probe_ports
        and client.name == pod.node
        and not crowded
    ):
        return Role.PROBE
    return None


def crowded(flow: Flow, connections: float, timeline: Timeline) -> bool:
    """Whether somebody beside the kubelet came through the observer's node, by a node port that leads there.

    `connections` are those of the flow that no pod is known to have opened.
    """
    pod = timeline.pods.get(flow.pod_uid)
    return (
        pod is not None
        and more_than_probes(pod, flow.server_port, connections, flow.last - flow.first)
        and exposed(timeline, pod, flow.server_port, flow.protocol)
    )


def more_than_probes(pod: Pod, port: int, connections: float, nanoseconds: int) -> bool:
    """Whether so many connections in that time are more than the probes of the port can have made."""
    periods = [seconds for number, seconds in pod.probe_periods if number == port]
    if not periods or not all(periods):
        return False
    return connections > sum(nanoseconds // (seconds * _SECOND) + 1 + _EXTRA for seconds in periods)
