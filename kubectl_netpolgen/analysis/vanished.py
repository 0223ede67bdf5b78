"""Closed connections with pods that were gone before the run began.

Socket tables keep a closed connection for a minute. Where all pods can be seen, a pod's address that nobody
has was a pod's that is no more: it cannot be named, and no rule for it would select anybody.
"""

from __future__ import annotations

from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.sockets import SocketRow, SocketState


def vanished(row: SocketRow, pod: Pod, timeline: Timeline, places: Places) -> Finding | None:
    """What is lost where the other end of a closed connection had gone before the run; None where it had not.

    The connection is no evidence for a rule, and it may be the only one of an edge.
    """
    if (
        row.state is not SocketState.CLOSING
        or not timeline.sees_all_pods
        or not timeline.in_pod_range(row.remote)
        # a node's bridge has an address of the range as well
        or places.find(row.remote, row.time, pod.uid)[0].kind is not EndpointKind.UNKNOWN
    ):
        return None
    return Finding(
        "closed-with-gone-pod",
        Severity.WARNING,
        f"Pod {pod.namespace}/{pod.name}",
        f"had closed a connection with {row.remote} before the capture, a pod's address that no pod has any "
        "more: it made no edge",
        "capture again where pods were replaced in the minute before, if an edge is missing",
    )
