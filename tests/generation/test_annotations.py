"""A policy tells which of its rules stand for what was seen, and which do not."""

from __future__ import annotations

from dataclasses import replace

from kubectl_netpolgen.analysis.declared import accepted_edges
from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.proof import prove
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.objects import ControlPlaneCalls
from kubectl_netpolgen.model.policy import IPBlock, Peer, Rule
from tests.factories import a_service, a_timeline, address, an_edge, an_external
from tests.factories_declarations import a_backend, a_class, a_controller, an_ingress, declared_in
from tests.generation.factories import deployed, generated, pods, policy_of, tcp

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


def test_accepted_webhook_opens_its_port_and_a_controller_on_its_nodes_network_is_its_nodes() -> None:
    objects = (
        *deployed("web", "api"),
        a_service("api"),
        ControlPlaneCalls("ValidatingWebhookConfiguration", "x", (("shop", "api", 80),)),
        a_service("web"),
        an_ingress(a_backend("web")),
        a_class(),
        a_controller(address="172.18.0.9", host_network=True, host_addresses=(address("172.18.0.9"),)),
    )
    found = accepted_edges(declared_in(objects), (), every=True)
    assert [str(edge.client) for edge in found] == ["the API server", "ingress/Deployment/controller"]
    policies = generated(*found, objects=objects, dns=DnsMode.OBSERVED)
    assert policy_of(policies, "api").ingress == (Rule((), tcp(8080)),)
    assert policy_of(policies, "web").ingress == (
        Rule((Peer(ip_block=IPBlock("172.18.0.9/32")),), tcp(8080)),
    )
    assert [finding.code for finding in policies.findings] == ["open-to-all"]
    proof = prove(policies.edges, policies.policies, a_timeline(*objects), decisions={})
    assert [row.allowed for row in proof.rows] == [True, True]
