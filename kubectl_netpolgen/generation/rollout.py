"""In which order policies take effect without cutting anybody off, and how to take them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.names import DEFAULT_DENY
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType


def rollout_steps(
    files: Sequence[tuple[str, NetworkPolicy]], captured: Sequence[ObjectKey], timeline: Timeline
) -> Iterator[str]:
    """What to do, step by step; `files` are the policies' files in the order of application."""
    allowing = [(path, policy) for path, policy in files if policy.name != DEFAULT_DENY]
    denying = [(path, policy) for path, policy in files if policy.name == DEFAULT_DENY]
    yield "Read the findings first: what got no rule is cut off from the moment its workload is isolated."
    for path, policy in allowing:
        kinds = " and ".join(kind.value.lower() for kind in policy.policy_types)
        yield f"`kubectl apply -f {path}` isolates {policy.name} of {policy.namespace} for {kinds}."
    for key, containers in _restarting(captured, timeline, [policy for _, policy in allowing]):
        yield (
            f"Restart {key}: its init containers ({', '.join(containers)}) ran before the capture, and its "
            "policy holds for them too. Better now than by itself at night."
        )
    yield (
        "Restart the clients, or wait until they have reconnected: what a network plugin does to connections "
        "that are older than a policy is its own affair, so a quiet minute proves little."
    )
    for path, policy in denying:
        yield f"`kubectl apply -f {path}`, last: it denies everything else in {policy.namespace}."
    undo = " ".join(f"-f {path}" for path, _ in reversed(files))
    yield f"To take all of it back, in the reverse order: `kubectl delete --ignore-not-found {undo}`."


def _restarting(
    captured: Sequence[ObjectKey], timeline: Timeline, policies: Sequence[NetworkPolicy]
) -> Iterator[tuple[ObjectKey, list[str]]]:
    """Workloads whose egress is closed and that start with init containers."""
    for key in captured:
        pods = timeline.pods_of(key)
        closed = any(
            PolicyType.EGRESS in policy.policy_types
            and policy.namespace == key.namespace
            and policy.pod_selector.matches(pod.labels)
            for policy in policies
            for pod in pods
        )
        containers = sorted({name for pod in pods for name in pod.init_containers})
        if closed and containers:
            yield key, containers
