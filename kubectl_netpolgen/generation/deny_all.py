"""The policy that denies everything else in a namespace: only where each workload has its rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.names import DEFAULT_DENY
from kubectl_netpolgen.generation.options import BOTH
from kubectl_netpolgen.generation.subjects import Subject
from kubectl_netpolgen.generation.unobserved import cut_off
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.model.selector import LabelSelector

MANAGED_BY = (("app.kubernetes.io/managed-by", "netpolgen"),)


def deny_alls(
    subjects: Iterable[Subject],
    policies: Iterable[NetworkPolicy],
    keys: Sequence[ObjectKey],
    timeline: Timeline,
    wanted: Sequence[Edge],
    directions: tuple[PolicyType, ...],
) -> tuple[list[NetworkPolicy], list[Finding]]:
    """A deny-all for each namespace, in the directions in which each of its workloads has its rules."""
    shut = {(policy.namespace, policy.name): policy.policy_types for policy in policies}
    closed = {
        key: set(shut.get((subject.namespace, subject.policy), ()))
        for subject in subjects
        for key in subject.members
    }
    found, findings = [], []
    known = frozenset(keys)
    for namespace in sorted({key.namespace for key in keys}):
        here = [key for key in keys if key.namespace == namespace]
        open_here = {kind for key in here for kind in directions if kind not in closed.get(key, ())} | (
            cut_off(namespace, known, timeline, wanted) & set(directions)
        )
        if open_here:
            findings.append(_withheld_deny(namespace, open_here))
        types = tuple(kind for kind in directions if kind not in open_here)
        if types:
            found.append(default_deny(namespace, types))
    return found, findings


def default_deny(namespace: str, types: tuple[PolicyType, ...] = BOTH) -> NetworkPolicy:
    """The policy that selects every pod of the namespace and allows nothing."""
    return NetworkPolicy(
        namespace=namespace,
        name=DEFAULT_DENY,
        pod_selector=LabelSelector(),
        policy_types=types,
        labels=MANAGED_BY,
    )


def _withheld_deny(namespace: str, directions: set[PolicyType]) -> Finding:
    which = " and ".join(kind.value for kind in BOTH if kind in directions)
    return Finding(
        "default-deny-withheld",
        Severity.ERROR,
        f"namespace {namespace}",
        f"the deny-all leaves out {which}: a workload there was not captured, or talks to a peer that nobody "
        "can name, and would be cut off",
        "capture every workload, or decide the edges listed as unresolved, and run analyse again",
    )
