"""Edges that were to have no rule and that the policies allow all the same.

Policies add up, and one for a group allows each member what another one needs: a word against one edge does
not close what others keep open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.dns import is_dns_edge
from kubectl_netpolgen.generation.proof import prove
from kubectl_netpolgen.model.decision import Decision
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.semantics.evaluation import isolating


def find_overruled(
    refused: Sequence[Edge],
    policies: Collection[NetworkPolicy],
    timeline: Timeline,
    *,
    decisions: Mapping[str, Decision],
) -> Iterator[Finding]:
    """A finding for each of these edges that gets through at an end that a written policy isolates.

    Where no end is isolated nothing is closed, and the findings say that already; lookups are assumed.
    """
    rows = {row.edge: row for row in prove(refused, policies, timeline, decisions={}).rows}
    for edge in refused:
        if is_dns_edge(edge) or not rows[edge.id].allowed or not _isolated(edge, policies, timeline):
            continue
        decided = edge.id in decisions
        yield Finding(
            "edge-still-allowed",
            Severity.ERROR if decided else Severity.WARNING,
            f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}",
            f"it was to have no rule ({'decided: drop' if decided else 'left out'}), and rules that others "
            "need allow it all the same",
            "--per workload, or labels that tell the workloads apart, keep it closed",
        )


def _isolated(edge: Edge, policies: Collection[NetworkPolicy], timeline: Timeline) -> bool:
    return any(
        isolating(policies, pod, direction)
        for end, direction in ((edge.client, PolicyType.EGRESS), (edge.server, PolicyType.INGRESS))
        if end.kind is EndpointKind.WORKLOAD and not end.host_network
        for pod in timeline.pods_of(ObjectKey(end.owner_kind, end.namespace, end.name))
    )
