"""A policy tells which of its rules stand for what was seen, and which do not."""

from __future__ import annotations

from dataclasses import replace

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.policy import Rule
from tests.factories import an_edge, an_external
from tests.generation.factories import generated, pods, policy_of, tcp

SEEN = an_edge("web", "db", 5432)
DECLARED = replace(an_edge("web", "api", 8080), outcome=Outcome.DECLARED, connections=None, evidence=())


def said(name: str, *edges: Edge) -> dict[str, str]:
    """The annotations of one policy, DNS as it was seen."""
    return dict(policy_of(generated(*edges, dns=DnsMode.OBSERVED), name).annotations)


def test_rules_name_their_edges_and_those_that_were_not_seen() -> None:
    assert said("web", SEEN, DECLARED) == {
        "netpolgen.io/declared": f"egress/1={DECLARED.id}",
        "netpolgen.io/edges": f"egress/1={DECLARED.id} egress/2={SEEN.id}",
    }
    assert said("api", SEEN, DECLARED)["netpolgen.io/declared"] == f"ingress/1={DECLARED.id}"
    assert "netpolgen.io/declared" not in said("db", SEEN, DECLARED)


def test_rule_for_both_says_which_of_its_edges_were_not_seen() -> None:
    other = an_edge("web", "db", 8080)
    found = said("web", other, DECLARED)
    assert found["netpolgen.io/declared"] == f"egress/1={DECLARED.id}"
    assert found["netpolgen.io/edges"] == f"egress/1={','.join(sorted((other.id, DECLARED.id)))}"


def test_declared_edge_that_is_among_the_edges_gets_its_rules_and_its_proof() -> None:
    found = generated(DECLARED, dns=DnsMode.OBSERVED)
    assert policy_of(found, "web").egress == (Rule((pods("api"),), tcp(8080)),)
    assert policy_of(found, "api").ingress == (Rule((pods("web"),), tcp(8080)),)
    assert found.edges == (DECLARED,)


def test_declared_edge_is_dropped_and_left_out_like_any_other() -> None:
    drop = Decision(DECLARED.id, Verdict.DROP)
    assert generated(DECLARED, decisions=[drop], dns=DnsMode.OBSERVED).edges == ()
    found = generated(DECLARED, exclude=("api",), dns=DnsMode.OBSERVED)
    assert found.edges == ()
    assert [finding.code for finding in found.findings] == ["edge-left-out"]


def test_names_of_addresses_stand_where_a_rule_has_the_address() -> None:
    outside = an_edge("web", an_external("203.0.113.10", "a.test", "b.test"), 443)
    assert said("web", outside)["netpolgen.io/names"] == "203.0.113.10/32=a.test,b.test"
    assert "netpolgen.io/names" not in said("api", outside)
