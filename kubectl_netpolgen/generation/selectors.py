"""Which labels stand for a workload."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.objects import ObjectKey, Pod, Workload
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector

# Labels that controllers write and the next roll-out, run or reschedule changes.
_VOLATILE = frozenset(
    {
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "rollouts-pod-template-hash",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "helm.sh/chart",
        "app.kubernetes.io/version",
    }
)
_VOLATILE_PREFIXES = ("topology.kubernetes.io/", "failure-domain.beta.kubernetes.io/")
_JOBS = ("Job", "CronJob")


def stable_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that the next pod of the same workload will carry too."""
    return {key: value for key, value in labels.items() if _is_stable(key)}


def _is_stable(key: str) -> bool:
    return key not in _VOLATILE and not key.startswith(_VOLATILE_PREFIXES)


def workload_selector(key: ObjectKey, timeline: Timeline) -> LabelSelector | None:
    """The selector for a workload's pods, None when no usable label tells them apart.

    The owner's own spec.selector where it has one, since it is immutable and what the owner counts by; for
    Jobs and CronJobs the template's labels, since their selector names one run; else what its pods share, as
    also where a custom resource's selector is about something else than its pods.
    """
    workload, pods = timeline.workload(key), timeline.pods_of(key)
    if workload is not None:
        found = _from_owner(workload)
        if found is not None and (not pods or any(found.matches(pod.labels) for pod in pods)):
            return found
    return _shared(pods)


def _from_owner(workload: Workload) -> LabelSelector | None:
    selector = workload.selector
    if selector is not None and workload.key.kind not in _JOBS and not selector.empty:
        labels = stable_labels(dict(selector.match_labels))
        expressions = tuple(item for item in selector.match_expressions if _is_stable(item.key))
        if labels or expressions:
            return LabelSelector(tuple(sorted(labels.items())), expressions)
    labels = stable_labels(workload.template_labels)
    return labels_selector(labels) if labels else None


def _shared(pods: tuple[Pod, ...]) -> LabelSelector | None:
    if not pods:
        return None
    shared = set(stable_labels(pods[0].labels).items())
    for pod in pods[1:]:
        shared &= set(pod.labels.items())
    return labels_selector(dict(shared)) if shared else None


def collateral(
    selector: LabelSelector, namespace: str, members: Collection[ObjectKey], timeline: Timeline
) -> tuple[Pod, ...]:
    """Pods of other workloads than these that the selector selects as well, by name."""
    found = (
        pod
        for (where, labels), twins in timeline.selectable.items()
        if where == namespace and selector.matches(dict(labels))
        for pod in twins
        if timeline.top_owner(pod).key not in members
    )
    return tuple(sorted(found, key=lambda pod: pod.name))
