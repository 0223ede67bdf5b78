"""Policies that are in the cluster already, and what that means for those that are written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.options import BOTH
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.semantics.evaluation import isolating


def standing_policies(
    captured: Iterable[ObjectKey], written: Collection[NetworkPolicy], timeline: Timeline
) -> Iterator[Finding]:
    """Which workloads were isolated before, by policies that stay.

    Policies add up, so what a standing one allows stays allowed; and what it refused was not seen to work.
    """
    tiers = timeline.tier_policies
    if tiers:
        yield Finding(
            "admin-tier",
            Severity.WARNING,
            "the cluster's policies",
            f"an administrator's tier is in force: {', '.join(str(policy.key) for policy in tiers)}; it is "
            "judged before or after these policies, and may override them",
            "ask who looks after it whether it touches these workloads",
        )
    replaced = {(policy.namespace, policy.name) for policy in written}
    staying = [policy for policy in timeline.policies if (policy.namespace, policy.name) not in replaced]
    for key in sorted(captured):
        by = {
            direction: sorted(
                {
                    policy.name
                    for pod in timeline.pods_of(key)
                    for policy in isolating(staying, pod, direction)
                }
            )
            for direction in BOTH
        }
        said = [f"{direction.value} by {', '.join(names)}" for direction, names in by.items() if names]
        if said:
            yield Finding(
                "already-isolated",
                Severity.NOTE,
                str(key),
                f"is isolated already: {' and '.join(said)}; these stay, and what they allow stays allowed",
                "delete them once the new policies are in force, if these are to replace them",
            )
