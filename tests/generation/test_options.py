"""What was asked of the policies decides which edges get a rule; nothing is left out in silence."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.generation.options import (
    BOTH,
    GenerationOptions,
    Word,
    left_out,
    options_of,
    words_of,
)
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.policy import PolicyType
from tests.factories import an_edge, an_external, an_unknown
from tests.generation.factories import generated, policy_of, spec_of

EDGE = an_edge(connections=3)
IN = PolicyType.INGRESS
NO_DNS: dict[str, Any] = {"dns": DnsMode.OBSERVED}


@pytest.mark.parametrize(
    ("pattern", "edge", "out"),
    [
        (EDGE.id, EDGE, True),
        ("api", EDGE, True),
        ("shop/web", EDGE, True),
        ("shop/Deployment/*", EDGE, True),
        ("*.example.test", an_edge(server=an_external("203.0.113.10", "api.example.test")), True),
        ("203.0.113.*", an_edge(server=an_external()), True),
        ("db", EDGE, False),
        ("ap", EDGE, False),
        ("Deployment", EDGE, False),
    ],
)
def test_edge_is_excluded_by_its_id_or_the_name_of_an_end(pattern: str, edge: Edge, out: bool) -> None:
    assert bool(GenerationOptions(exclude=("nothing", pattern)).leaves_out(edge)) is out


def test_edge_seen_too_seldom_is_left_out_and_one_without_a_number_is_not() -> None:
    options = GenerationOptions(min_connections=3)
    assert not options.leaves_out(EDGE)
    assert "seen 2 times" in options.leaves_out(an_edge(connections=2))
    assert not options.leaves_out(an_edge(connections=None))
    assert not GenerationOptions().leaves_out(an_edge(connections=0))


def test_what_is_left_out_is_said_with_the_decision_that_takes_it_in() -> None:
    (finding,) = left_out([EDGE, an_edge("db", "web")], GenerationOptions(exclude=("api",)))
    assert finding.code == "edge-left-out"
    assert f"{{edge: {EDGE.id}, verdict: accept}}" in finding.way_out
    assert "excluded by api" in finding.message


def test_words_of_the_command_line_are_understood() -> None:
    assert options_of({}) == GenerationOptions()
    assert options_of({"direction": "egress"}).directions == (PolicyType.EGRESS,)
    given = options_of({"default_deny": True, "dns": "observed", "min_connections": 5, "exclude": ("x", "")})
    assert given == GenerationOptions(True, DnsMode.OBSERVED, BOTH, 5, ("x",))
    assert options_of({"declared": True, "exclude": ("",)}) == GenerationOptions(declared=True)
    assert options_of({"per": "label=app"}).per == Granularity(Per.LABEL, "app")


@pytest.mark.parametrize(
    "words",
    [
        {"colour": "red"},
        {"dns": "sometimes"},
        {"direction": "sideways"},
        {"per": "pod"},
        {"default_deny": "yes"},
        {"min_connections": True},
        {"exclude": "web"},
    ],
)
def test_words_that_make_no_sense_are_refused_by_name(words: dict[str, Word]) -> None:
    with pytest.raises(
        ValueError, match=r"colour|sometimes|Sideways|pod|default_deny|min_connections|exclude"
    ):
        options_of(words)


@pytest.mark.parametrize(
    "options",
    [
        GenerationOptions(),
        GenerationOptions(
            default_deny=True,
            dns=DnsMode.OBSERVED,
            directions=(IN,),
            min_connections=3,
            exclude=("a", "b*"),
            widen_external=True,
            per=Granularity(Per.LABEL, "tier"),
            service_ports=True,
            declared=True,
        ),
    ],
)
def test_every_option_comes_back_from_its_words(options: GenerationOptions) -> None:
    assert options_of(words_of(options)) == options
    assert len(words_of(options)) == len(fields(GenerationOptions))


def test_dialled_ports_are_allowed_beside_the_pods_own_where_they_are_wanted() -> None:
    edge = an_edge("web", "api", dialled_ports=(80,))
    for wanted, ports in ((False, [8080]), (True, [80, 8080])):
        found = generated(edge, service_ports=wanted, **NO_DNS)
        out: Any = spec_of(found, "deployment-web")["egress"]
        into: Any = spec_of(found, "deployment-api")["ingress"]
        assert [[port["port"] for port in rule["ports"]] for rule in (*out, *into)] == [ports, [8080]]


def test_only_the_directions_that_were_asked_for_are_isolated() -> None:
    edges = (an_edge("web", "api"), an_edge("web", an_unknown()))
    both, ingress = generated(*edges), generated(*edges, directions=(IN,), default_deny=True)
    assert policy_of(both, "deployment-web").policy_types == (IN,)
    assert {policy.policy_types for policy in ingress.policies} == {(IN,)}
    assert not ingress.unresolved and both.unresolved


def test_edges_that_were_asked_to_be_left_out_have_no_rule_unless_a_person_decides() -> None:
    edge = an_edge("web", "api")
    found = generated(edge, exclude=("api",), **NO_DNS)
    assert "egress" not in spec_of(found, "deployment-web")
    assert "edge-left-out" in {item.code for item in found.findings}
    decided = generated(edge, exclude=("api",), decisions=[Decision(edge.id, Verdict.ACCEPT)], **NO_DNS)
    assert "egress" in spec_of(decided, "deployment-web")
