"""What was never seen to work is not broken by the policies of others, and is told."""

from __future__ import annotations

from dataclasses import replace

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.proof import Proof, ProofRow, prove
from kubectl_netpolgen.generation.refusals import set_refused_aside
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.policy import NetworkPolicy
from tests.factories import a_policy, a_timeline, an_edge, an_endpoint
from tests.generation.factories import deployed, generated

ELSEWHERE = an_endpoint("ledger", namespace="bank")
SEEN = an_edge("web", ELSEWHERE, 9000)
DECLARED = replace(SEEN, outcome=Outcome.DECLARED)
OBJECTS = (*deployed("web"), *deployed("ledger", namespace="bank"))
WALL = a_policy("ledger", namespace="bank")


def judged(edge: Edge, *standing: NetworkPolicy) -> tuple[Proof, list[str]]:
    """The proof of one edge that is among those to be allowed, and the codes of what is said."""
    objects = (*OBJECTS, *standing)
    found = generated(edge, objects=objects, dns=DnsMode.OBSERVED)
    timeline = a_timeline(*objects)
    proof = prove(found.edges, found.policies, timeline, decisions={})
    kept, findings = set_refused_aside(proof, found.edges, found.policies)
    return kept, [finding.code for finding in findings]


def test_policy_of_another_namespace_that_refuses_a_declared_edge_is_told() -> None:
    proof, codes = judged(DECLARED, WALL)
    assert (proof.rows, codes) == ((), ["declared-refused"])


def test_edge_that_was_seen_stays_a_break() -> None:
    proof, codes = judged(SEEN, WALL)
    assert (len(proof.failures), codes) == (1, [])


def test_declared_edge_that_nothing_refuses_is_proven() -> None:
    proof, codes = judged(DECLARED)
    assert ([row.allowed for row in proof.rows], codes) == ([True], [])


def test_refusal_by_a_policy_that_is_written_here_stays_a_break() -> None:
    ours = a_policy("web")
    row = ProofRow(DECLARED.id, False, True, ("shop/web", "bank/ledger"))
    nobody = ProofRow(DECLARED.id, False, False, ())
    for broken in (row, nobody):
        proof, findings = set_refused_aside(Proof((broken,)), (DECLARED,), (ours,))
        assert (proof.failures, findings) == ((broken,), ())


def test_finding_names_the_end_and_the_policies() -> None:
    row = ProofRow(DECLARED.id, True, False, ("bank/ledger",))
    _, (finding,) = set_refused_aside(Proof((row,)), (DECLARED,), ())
    assert finding.subject == "shop/Deployment/web -> bank/Deployment/ledger 9000/TCP"
    assert finding.message.endswith("at the side of bank/Deployment/ledger: bank/ledger")
