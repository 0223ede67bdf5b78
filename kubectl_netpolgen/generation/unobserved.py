"""Whom a policy for more than one workload would cut off, though nobody watched what they need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import LabelSelector

_BOTH = frozenset(PolicyType)


def running_unobserved(
    namespace: str, selector: LabelSelector, captured: Collection[ObjectKey], timeline: Timeline
) -> frozenset[ObjectKey]:
    """Workloads that were not captured and of which a pod is there that the selector selects."""
    return frozenset(
        owner
        for (where, labels), pods in timeline.selectable.items()
        if where == namespace and selector.matches(dict(labels))
        for pod in pods
        if not pod.deleting and (owner := timeline.top_owner(pod).key) not in captured
    )


def ended_unobserved(
    namespace: str, captured: Collection[ObjectKey], wanted: Iterable[Edge]
) -> Iterator[tuple[ObjectKey, PolicyType]]:
    """Workloads that were not captured, by their known edges: a Job's pods go, and the next will come."""
    for edge in wanted:
        for end, direction in ((edge.client, PolicyType.EGRESS), (edge.server, PolicyType.INGRESS)):
            if end.kind is EndpointKind.WORKLOAD and end.namespace == namespace and not end.host_network:
                key = ObjectKey(end.owner_kind, end.namespace, end.name)
                if key not in captured:
                    yield key, direction


def cut_off(
    namespace: str, captured: Collection[ObjectKey], timeline: Timeline, wanted: Iterable[Edge]
) -> frozenset[PolicyType]:
    """Directions in which a workload without a policy of its own would be cut off by a deny-all.

    Both for one that runs; for one that does not at the moment, such as a CronJob, those of its known edges.
    """
    if running_unobserved(namespace, LabelSelector(), captured, timeline):
        return _BOTH
    return frozenset(direction for _, direction in ended_unobserved(namespace, captured, wanted))


def idle_workloads(
    namespace: str,
    captured: Collection[ObjectKey],
    timeline: Timeline,
    *,
    held_by: Callable[[ObjectKey], str],
) -> Iterator[Finding]:
    """Workloads without a pod to capture: CronJobs between two runs, Deployments scaled to nothing.

    `held_by` names the policy for others that will hold for their pods as well, or nothing.
    """
    busy = {
        timeline.top_owner(pod).key
        for pod in timeline.pods.values()
        if pod.namespace == namespace and pod.uid in timeline.present and not pod.finished
    }
    for workload in timeline.workloads:
        key = workload.key
        idle = key.namespace == namespace and workload.owner is None and key not in captured
        if not idle or not workload.template_labels or key in busy:
            continue
        policy = held_by(key)
        what = (
            f"{policy} will hold for its next pods, and nobody saw what they need"
            if policy
            else "so it gets no policy; a deny-all would cut its next pods off"
        )
        yield Finding(
            "workload-idle",
            Severity.WARNING,
            str(key),
            f"had no running pod to capture, {'and ' if policy else ''}{what}",
            "capture while it runs",
        )
