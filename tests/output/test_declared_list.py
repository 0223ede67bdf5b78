"""Each declared edge with its reason, and the line that accepts it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kubectl_netpolgen.documents.decisions import parse_decisions
from kubectl_netpolgen.model.declarations import Declaration, DeclaredEdge, Obstacle
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.output.declared_list import decision_line, declared_item, declared_lines
from kubectl_netpolgen.output.edge_list import edge_item
from tests.factories import an_edge

EDGE = replace(
    an_edge("web", "api", 8080),
    outcome=Outcome.DECLARED,
    connections=None,
    bytes=None,
    first=0,
    last=0,
    evidence=(),
)
WHERE = (
    Declaration(ObjectKey("Deployment", "shop", "web"), "env URL of container main"),
    Declaration(ObjectKey("APIService", "", "v1.test"), "service api.shop:80"),
)


def declared(obstacle: Obstacle = Obstacle.NONE, edge: Edge = EDGE) -> DeclaredEdge:
    """Of web to api."""
    return DeclaredEdge(edge, WHERE, "its configuration names api.shop:80", obstacle)


def test_item_is_the_edge_and_what_declares_it() -> None:
    item = declared_item(declared())
    assert item == {
        **edge_item(EDGE),
        "declaredBy": [
            {"kind": "Deployment", "namespace": "shop", "name": "web", "field": "env URL of container main"},
            {"kind": "APIService", "name": "v1.test", "field": "service api.shop:80"},
        ],
        "reason": "its configuration names api.shop:80",
        "obstacle": None,
        "decision": f"- {{edge: {EDGE.id}, verdict: accept}}",
    }
    assert (item["outcome"], item["first"], item["last"], item["evidence"]) == ("declared", None, None, [])


def test_one_line_an_edge() -> None:
    lines = declared_lines([declared(), declared(Obstacle.ALWAYS_ALLOWED)]).splitlines()
    assert [json.loads(line)["obstacle"] for line in lines] == [None, "always-allowed"]
    assert declared_lines([]) == ""


@pytest.mark.parametrize(
    ("obstacle", "edge", "peer"),
    [
        (
            Obstacle.CLIENT_UNKNOWN,
            replace(EDGE, client=Endpoint(EndpointKind.UNKNOWN, names=("x",))),
            "NAMESPACE",
        ),
        (
            Obstacle.SERVER_UNKNOWN,
            replace(EDGE, server=Endpoint(EndpointKind.SERVICE, namespace="bank", name="ledger")),
            "bank",
        ),
    ],
)
def test_line_that_names_an_unknown_end_is_understood_once_it_is_filled_in(
    obstacle: Obstacle, edge: Edge, peer: str
) -> None:
    line = decision_line(declared(obstacle, edge))
    assert line is not None
    assert f"kubernetes.io/metadata.name: {peer}" in line
    assert ("ports: [PORT]" in line) is (obstacle is Obstacle.SERVER_UNKNOWN)
    filled = line.replace("NAMESPACE", "infra").replace("LABEL: VALUE", "app: x").replace("PORT", "9000")
    (decision,) = parse_decisions(f"decisions:\n{filled}\n", where="x").values()
    assert (decision.edge, decision.peer is not None) == (edge.id, True)


def test_line_that_accepts_as_it_stands_is_understood() -> None:
    (decision,) = parse_decisions(f"decisions:\n{decision_line(declared())}\n", where="x").values()
    assert (decision.edge, decision.peer, decision.ports) == (EDGE.id, None, ())


def test_what_is_always_allowed_needs_no_decision() -> None:
    assert decision_line(declared(Obstacle.ALWAYS_ALLOWED)) is None
