"""What workloads of other namespaces need at their own side, for whoever looks after these.

A connection must be allowed at both ends. Theirs is not ours to write: where their pods are isolated, or will
be, the policies here say what ours rely on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.names import policy_name
from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.rules import build_rules
from kubectl_netpolgen.generation.selectors import workload_selector
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.semantics.evaluation import isolating

_DIRECTIONS = (PolicyType.INGRESS, PolicyType.EGRESS)
REQUEST = "netpolgen.io/request"
_WORDS = "apply where these pods are isolated anyway: by itself it would isolate them"


@dataclass(frozen=True)
class Requests:
    """Policies for other namespaces, by namespace and name."""

    policies: tuple[NetworkPolicy, ...]
    findings: tuple[Finding, ...]


def request_policies(
    edges: Sequence[Edge], captured: Collection[ObjectKey], timeline: Timeline, peers: Peers
) -> Requests:
    """The other side of edges between a captured workload and one of a namespace without any."""
    namespaces = {key.namespace for key in captured}
    wanted: dict[tuple[ObjectKey, PolicyType], list[Edge]] = {}
    for edge in edges:
        for end, other, direction in (
            (edge.server, edge.client, PolicyType.INGRESS),
            (edge.client, edge.server, PolicyType.EGRESS),
        ):
            if _is_elsewhere(end, namespaces) and _key(other) in captured and edge.role is not Role.DNS:
                wanted.setdefault((_key(end), direction), []).append(edge)
    policies, findings = [], []
    for key in sorted({key for key, _ in wanted}):
        selector = workload_selector(key, timeline)
        if selector is None:
            continue
        rules = {
            direction: tuple(
                item.rule for item in build_rules(found, direction, namespace=key.namespace, peers=peers)[0]
            )
            for direction in _DIRECTIONS
            if (found := wanted.get((key, direction)))
        }
        types = tuple(direction for direction in _DIRECTIONS if rules.get(direction))
        if not types:
            continue
        policies.append(
            NetworkPolicy(
                namespace=key.namespace,
                name=policy_name(key),
                pod_selector=selector,
                policy_types=types,
                ingress=rules.get(PolicyType.INGRESS, ()),
                egress=rules.get(PolicyType.EGRESS, ()),
                annotations=((REQUEST, _WORDS),),
            )
        )
        findings.append(_finding(key, types, timeline))
    return Requests(tuple(policies), tuple(findings))


def _is_elsewhere(end: Endpoint, namespaces: Collection[str]) -> bool:
    return (
        end.kind is EndpointKind.WORKLOAD
        and not end.host_network
        and end.role is None
        and end.namespace not in namespaces
    )


def _key(end: Endpoint) -> ObjectKey:
    return ObjectKey(end.owner_kind, end.namespace, end.name)


def _finding(key: ObjectKey, types: Sequence[PolicyType], timeline: Timeline) -> Finding:
    standing = sorted(
        {
            policy.name
            for pod in timeline.pods_of(key)
            for direction in types
            for policy in isolating(timeline.policies, pod, direction)
        }
    )
    now = (
        f"is isolated there by {', '.join(standing)}"
        if standing
        else "is not isolated there as far as we see"
    )
    return Finding(
        "other-side",
        Severity.NOTE,
        str(key),
        f"it {now}; what it needs at its own side is in requests/{key.namespace}.yaml",
        "hand it to whoever looks after that namespace",
    )
