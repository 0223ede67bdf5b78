"""Each rule with the edges that rest on it, and each edge with a rule at each captured end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.generation.proof import prove
from kubectl_netpolgen.generation.rule_evidence import Basis, RuleEvidence, find_rule_evidence
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.policy import PolicyType
from tests.factories import NOON, SECOND, an_edge, an_external
from tests.generation.factories import deployed, generated, identities_of

NAMES = ("web", "api", "db")


def rules(*edges: Edge, **options: Any) -> tuple[RuleEvidence, ...]:
    found = generated(*edges, default_deny=True, **options)
    timeline = identities_of(*deployed(*NAMES)).timeline
    proof = prove(found.edges, found.policies, timeline, decisions={})
    assert proof.failures == ()
    return find_rule_evidence(found.policies, found.edges, proof, found.dns_rules)


def told(found: Sequence[RuleEvidence]) -> set[tuple[str, str, str, tuple[str, ...]]]:
    return {
        (
            item.policy.removeprefix("netpolgen-allow-deployment-"),
            item.direction.value,
            item.basis.value,
            tuple(edge.id for edge in item.edges),
        )
        for item in found
    }


CALL, OUT = an_edge("web", "api"), an_edge("web", an_external("203.0.113.10"), 443)


def test_a_rule_rests_on_the_edges_that_it_allows() -> None:
    assert told(rules(CALL, OUT)) == {
        ("api", "Ingress", "seen", (CALL.id,)),
        ("web", "Egress", "seen", (CALL.id,)),
        ("web", "Egress", "seen", (OUT.id,)),
        ("web", "Egress", "assumed", ()),
    }


def test_a_rule_of_what_is_declared_only_says_so() -> None:
    declared = an_edge("web", "api", outcome=Outcome.DECLARED, connections=None, bytes=None, first=0, last=0)
    (into,) = [item for item in rules(declared) if item.direction is PolicyType.INGRESS]
    assert (into.basis, into.edges, into.seen) == (Basis.DECLARED, (declared,), ())
    assert (into.connections, into.bytes, into.first, into.last, into.pods) == (None, None, 0, 0, ())


def test_a_rule_adds_up_its_edges() -> None:
    one = an_edge("web", "db", 5432, connections=2, bytes=100, client_pods=("a", "b"), server_pods=("d",))
    late = {"first": NOON - SECOND, "last": NOON + 9 * SECOND}
    two = an_edge(
        "api", "db", 5432, connections=3, bytes=50, client_pods=("c",), server_pods=("d", "e"), **late
    )
    known = an_edge("api", "web", connections=None, bytes=None)
    found = rules(one, two, known)
    into = [item for item in found if item.policy.endswith("db") and item.direction is PolicyType.INGRESS]
    assert sum(item.connections or 0 for item in into) == 5
    assert sum(item.bytes or 0 for item in into) == 150
    assert (min(item.first for item in into), max(item.last for item in into)) == (
        late["first"],
        late["last"],
    )
    assert {uid for item in into for uid in item.pods} == {"d", "e"}
    (out,) = [item for item in found if item.edges == (one,) and item.direction is PolicyType.EGRESS]
    assert out.pods == ("a", "b")
    (sockets,) = [
        item for item in found if item.policy.endswith("web") and item.direction is PolicyType.INGRESS
    ]
    assert (sockets.connections, sockets.bytes) == (None, None)


PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from([80, 443, 8080]))


@settings(max_examples=60)
@given(st.sets(PAIRS.filter(lambda pair: pair[0] != pair[1]), min_size=1))
def test_every_edge_has_a_rule_at_both_ends_and_every_rule_a_reason(pairs: set[tuple[str, str, int]]) -> None:
    edges = [an_edge(client, server, port) for client, server, port in sorted(pairs)]
    found = rules(*edges)
    for edge in edges:
        ends = {(item.policy.rpartition("-")[2], item.direction) for item in found if edge in item.edges}
        assert ends == {(edge.client.name, PolicyType.EGRESS), (edge.server.name, PolicyType.INGRESS)}
    assert all(item.basis is not Basis.NOTHING for item in found)
    assert all(bool(item.edges) is (item.basis is Basis.SEEN) for item in found)
