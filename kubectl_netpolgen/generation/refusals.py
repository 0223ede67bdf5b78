"""Declared edges that policies in the cluster refuse, whatever is written here.

What was seen got through, so a policy that refuses it would be a break. What is only declared may have been
refused all along, at the side of somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubectl_netpolgen.generation.proof import Proof, ProofRow
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.policy import NetworkPolicy


def set_refused_aside(
    proof: Proof, edges: Iterable[Edge], written: Iterable[NetworkPolicy]
) -> tuple[Proof, tuple[Finding, ...]]:
    """The proof without declared edges that only others' policies refuse, and a finding for each of these."""
    declared = {edge.id: edge for edge in edges if edge.outcome is Outcome.DECLARED}
    ours = {f"{policy.namespace}/{policy.name}" for policy in written}
    aside = {row.edge: row for row in proof.failures if _is_others(row, declared, ours)}
    kept = tuple(row for row in proof.rows if row.edge not in aside)
    return Proof(kept), tuple(_finding(declared[row.edge], row) for row in aside.values())


def _is_others(row: ProofRow, declared: Mapping[str, Edge], ours: set[str]) -> bool:
    return row.edge in declared and bool(row.refused_by) and not ours.intersection(row.refused_by)


def _finding(edge: Edge, row: ProofRow) -> Finding:
    ends = [end for end, allowed in ((edge.client, row.egress), (edge.server, row.ingress)) if not allowed]
    return Finding(
        "declared-refused",
        Severity.WARNING,
        f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}",
        f"it was accepted, and policies in the cluster refuse it at the side of "
        f"{' and of '.join(map(str, ends))}: {', '.join(row.refused_by)}",
        "ask whoever looks after these policies, or drop the edge",
    )
