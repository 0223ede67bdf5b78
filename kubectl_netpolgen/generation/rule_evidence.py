"""Rule by rule: the edges that rest on it, so that each line of a policy can be followed to its packets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.generation.proof import Proof
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType, Rule


class Basis(str, Enum):
    """What a rule rests on."""

    SEEN = "seen"
    """Traffic in the captures or socket tables."""
    DECLARED = "declared"
    """Edges that manifests imply and a person accepted, nothing that was seen."""
    ASSUMED = "assumed"
    """Name resolution, which every pod is taken to need."""
    NOTHING = "nothing"
    """No edge that the proof judged."""


@dataclass(frozen=True)
class RuleEvidence:
    """One rule of one written policy."""

    namespace: str
    policy: str
    direction: PolicyType
    rule: int
    """Counts from 1 within the direction."""
    basis: Basis
    edges: tuple[Edge, ...]

    @property
    def seen(self) -> tuple[Edge, ...]:
        """The edges that were seen, without those that are declared only."""
        return tuple(edge for edge in self.edges if edge.outcome is not Outcome.DECLARED)

    @property
    def connections(self) -> int | None:
        """Connections of all edges; None where socket tables alone saw them."""
        return _sum(edge.connections for edge in self.seen)

    @property
    def bytes(self) -> int | None:
        """Bytes of all edges; None where socket tables alone saw them."""
        return _sum(edge.bytes for edge in self.seen)

    @property
    def first(self) -> int:
        """The first packet, in nanoseconds since the epoch; 0 when none was seen."""
        return min((edge.first for edge in self.seen), default=0)

    @property
    def last(self) -> int:
        """The last packet, in nanoseconds since the epoch; 0 when none was seen."""
        return max((edge.last for edge in self.seen), default=0)

    @property
    def pods(self) -> tuple[str, ...]:
        """UIDs of the policy's own pods that were seen to need it."""
        egress = self.direction is PolicyType.EGRESS
        return tuple(
            sorted({uid for edge in self.seen for uid in (edge.client_pods if egress else edge.server_pods)})
        )


def find_rule_evidence(
    policies: Iterable[NetworkPolicy],
    edges: Sequence[Edge],
    proof: Proof,
    dns_rules: Collection[Rule],
) -> tuple[RuleEvidence, ...]:
    """Every rule in the order of the policies, with the edges that the proof found it to allow."""
    by_id = {edge.id: edge for edge in edges}
    resting: dict[tuple[str, PolicyType, int], list[Edge]] = {}
    for row in proof.rows:
        for direction, allowing in row.rules:
            resting.setdefault((allowing.policy, direction, allowing.rule), []).append(by_id[row.edge])
    found = []
    for policy in policies:
        for direction in PolicyType:
            for number, rule in enumerate(policy.rules(direction), 1):
                known = tuple(resting.get((f"{policy.namespace}/{policy.name}", direction, number), ()))
                basis = _basis(known, assumed=rule in dns_rules)
                found.append(RuleEvidence(policy.namespace, policy.name, direction, number, basis, known))
    return tuple(found)


def _basis(edges: tuple[Edge, ...], *, assumed: bool) -> Basis:
    if any(edge.outcome is not Outcome.DECLARED for edge in edges):
        return Basis.SEEN
    if edges:
        return Basis.DECLARED
    return Basis.ASSUMED if assumed else Basis.NOTHING


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
