"""The evidence of rules, written: every filter for programs, a page for people, no markup let through."""

from __future__ import annotations

import json
from typing import Any

from kubectl_netpolgen.generation.rule_evidence import Basis, RuleEvidence
from kubectl_netpolgen.model.edge import Edge, Evidence
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.output.rule_list import rule_lines, rule_page
from tests.factories import an_edge, an_endpoint
from tests.goldens import check_golden

PODS = {"uid-web-1": "shop/web-1", "uid-api-1": "shop/api-1"}
FILTER = "ip.src==10.244.1.5 && tcp.dstport==8080"
CALL = an_edge(
    "web",
    "api",
    connections=3,
    bytes=2048,
    client_pods=("uid-web-1",),
    server_pods=("uid-api-1",),
    evidence=(Evidence("captures/a/r.pcap", FILTER, 12),),
)


def a_rule(*edges: Edge, **changes: Any) -> RuleEvidence:
    words = {"direction": PolicyType.INGRESS, "rule": 1, "basis": Basis.SEEN, **changes}
    return RuleEvidence(namespace="shop", policy="allow-api", edges=edges, **words)


DECLARED = an_edge("db", "api", outcome=Outcome.DECLARED, connections=None, bytes=None, first=0, last=0)
SOCKETS = an_edge(
    "db", "api", 9090, connections=None, bytes=None, evidence=(Evidence("captures/b/r.sockets"),)
)
RULES = (
    a_rule(CALL, DECLARED),
    a_rule(SOCKETS, rule=2),
    a_rule(basis=Basis.ASSUMED, direction=PolicyType.EGRESS),
    a_rule(DECLARED, basis=Basis.DECLARED, direction=PolicyType.EGRESS, rule=2),
)


def test_both_forms_are_as_the_files_say() -> None:
    check_golden("output/evidence.jsonl", "".join(rule_lines(RULES, PODS)))
    check_golden("output/evidence.md", "".join(rule_page(RULES, PODS)))


def test_a_line_has_counts_times_pods_files_and_filters() -> None:
    (line,) = rule_lines(RULES[:1], PODS)
    found = json.loads(line)
    assert (found["policy"], found["direction"], found["rule"], found["basis"]) == (
        "shop/allow-api",
        "Ingress",
        1,
        "seen",
    )
    assert (found["connections"], found["bytes"], found["pods"]) == (3, 2048, ["shop/api-1"])
    assert found["edges"] == [CALL.id, DECLARED.id]
    assert found["evidence"] == [{"file": "captures/a/r.pcap", "filter": FILTER, "packets": 12}]
    assert found["first"] and found["last"]


def test_a_rule_that_nothing_shows_has_no_times() -> None:
    (line,) = rule_lines(RULES[2:3], PODS)
    found = json.loads(line)
    assert (found["first"], found["last"], found["connections"], found["evidence"]) == (None, None, None, [])


def test_a_rule_has_some_files_of_an_edge_and_says_how_many_more() -> None:
    many = an_edge(evidence=tuple(Evidence(f"captures/{number}.pcap", "ip") for number in range(25)))
    page = "".join(rule_page([a_rule(many)], PODS))
    assert page.count("`captures/") == 3
    assert f"and 22 more, with edge {many.id} in edges.jsonl" in page
    found = json.loads("".join(rule_lines([a_rule(many)], PODS)))
    assert (len(found["evidence"]), found["evidenceElsewhere"]) == (3, 22)


def test_names_from_outside_are_no_markup() -> None:
    hostile = an_edge(an_endpoint("web|<img>`\x1b[31m"), "api")
    page = "".join(rule_page([a_rule(hostile)], PODS))
    assert "<img>" not in page.replace("\\<img\\>", "")
    assert "\x1b" not in page
