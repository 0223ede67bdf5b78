"""Findings that ask a person for a decision name all of it, and their word is told from what was seen."""

from __future__ import annotations

import re

import pytest

from kubectl_netpolgen.documents.decisions import parse_decisions
from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.questions import question, said_by_a_person
from kubectl_netpolgen.generation.rules import Unresolved
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.policy import IPBlock, Peer, PolicyType
from tests.factories import a_timeline, an_edge, an_endpoint, an_external, an_unknown
from tests.generation.factories import deployed, pods

OUT, IN = PolicyType.EGRESS, PolicyType.INGRESS
API_SERVER = Endpoint(EndpointKind.API_SERVER)
NODE = Endpoint(EndpointKind.NODE, name="node-1")
BLOCK = Peer(ip_block=IPBlock("10.0.0.0/8"))


def entry_of(finding: Finding) -> str:
    """The entry that the way out shows."""
    match = re.search(r"`- (.*?)` under", finding.way_out)
    assert match is not None
    return match[1]


def said(edge: Edge, peer: Peer | None = None, *ports: int | str) -> list[Finding]:
    """What is said about an edge that was accepted like this, with web and api known."""
    decisions = {edge.id: Decision(edge.id, Verdict.ACCEPT, peer, ports=ports)}
    peers = Peers(a_timeline(*deployed("web", "api")), decisions)
    return list(said_by_a_person([edge], decisions, peers))


@pytest.mark.parametrize(
    ("edge", "direction"),
    [
        (an_edge("web", an_unknown()), OUT),
        (an_edge(an_unknown(), "web"), IN),
        (an_edge("web", API_SERVER), OUT),
        (an_edge("web", NODE), OUT),
        (an_edge(NODE, "web"), IN),
        (an_edge("web", an_endpoint("bare", namespace="far")), OUT),
        (an_edge("web", Endpoint(EndpointKind.SERVICE, namespace="far", name="x")), OUT),
    ],
)
def test_way_out_is_a_whole_entry_once_its_capitals_are_replaced(edge: Edge, direction: PolicyType) -> None:
    entry = entry_of(question(Unresolved(edge, direction, "why")))
    for word, value in (
        ("NAMESPACE", "data"),
        ("LABEL", "app"),
        ("VALUE", "db"),
        ("ADDRESS", "10.1.2.3"),
        ("PORT", "5433"),
    ):
        entry = entry.replace(word, value)
    decision = parse_decisions(f"decisions:\n  - {entry}\n", where="d")[edge.id]
    assert decision.peer is not None
    asked = direction is OUT and edge.server.kind is not EndpointKind.WORKLOAD
    assert decision.ports == ((5433,) if asked else ())


def test_entry_copied_as_it_stands_is_refused() -> None:
    entry = entry_of(question(Unresolved(an_edge("web", an_unknown()), OUT, "why")))
    with pytest.raises(BundleError, match="PORT"):
        parse_decisions(f"decisions:\n  - {entry}\n", where="d")


def test_question_says_that_the_port_may_be_a_services() -> None:
    edge = an_edge("web", an_unknown("10.96.0.9"), 5432)
    finding = question(Unresolved(edge, OUT, "why"))
    assert (finding.code, finding.severity) == ("peer-unknown", Severity.ERROR)
    assert finding.subject == "shop/Deployment/web Egress"
    assert finding.message.endswith("10.96.0.9 5432/TCP: why")
    assert "5432 was dialled" in finding.way_out
    assert "verdict: drop" in finding.way_out
    into = question(Unresolved(an_edge(an_unknown(), "web"), IN, "why"))
    assert into.subject == "shop/Deployment/web Ingress"
    assert "dialled" not in into.way_out


def test_decision_that_is_not_enough_has_a_code_of_its_own() -> None:
    edge = an_edge("web", an_unknown())
    assert question(Unresolved(edge, OUT, "why", decided=True)).code == "decision-incomplete"


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("db.data.svc.cluster.local", "data"),
        ("db-0.db.data.svc.cluster.local", "data"),
        ("10-1-2-3.data.pod.cluster.local", "data"),
        ("db.data.svc", "data"),
        ("db.example.test", "NAMESPACE"),
        ("a.b}{.svc", "NAMESPACE"),
        ("svc", "NAMESPACE"),
    ],
)
def test_namespace_comes_from_the_name_that_was_asked_for(name: str, namespace: str) -> None:
    edge = an_edge("web", an_unknown(names=(name,)))
    assert f"metadata.name: {namespace}}}" in entry_of(question(Unresolved(edge, OUT, "why")))


@pytest.mark.parametrize(
    ("edge", "peer", "ports"),
    [
        (an_edge("web", an_unknown()), pods("db"), (5433,)),
        (an_edge("web", an_unknown()), BLOCK, ()),
        (an_edge(an_unknown(), "web"), pods("db"), ()),
        (an_edge("web", an_external()), None, (8443,)),
    ],
)
def test_edge_that_rests_on_a_decision_is_told(edge: Edge, peer: Peer | None, ports: tuple[int, ...]) -> None:
    (finding,) = said(edge, peer, *ports)
    assert (finding.code, finding.severity) == ("decision-taken-on-trust", Severity.NOTE)
    assert edge.id in finding.subject
    assert all(str(port) in finding.message for port in ports)
    assert ("its peer" in finding.message) is (peer is not None)


def test_block_for_a_private_address_is_told_of_services() -> None:
    assert "Service" in said(an_edge("web", an_unknown()), BLOCK)[0].way_out
    assert "Service" not in said(an_edge("web", an_external()), BLOCK)[0].way_out


def test_decision_that_says_nothing_new_is_not_trusted_but_told_where_it_meant_more() -> None:
    edge = an_edge("web", "api")
    assert said(edge) == []
    assert said(edge, BLOCK) == []
    (finding,) = said(edge, None, 9090)
    assert (finding.code, finding.severity) == ("decision-unused", Severity.NOTE)
    assert "8080" in finding.message


def test_link_local_server_is_an_address_and_no_pod() -> None:
    entry = entry_of(question(Unresolved(an_edge("web", an_unknown("169.254.169.254"), port=80), OUT, "why")))
    assert "peer: {ipBlock: {cidr: 169.254.169.254/32}}" in entry
