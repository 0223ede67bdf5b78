from __future__ import annotations

import random
from typing import Any

import pytest

from kubectl_netpolgen.model.edge import Confidence, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.output.wording import (
    Section,
    endpoint_words,
    home_namespace,
    marks,
    port_words,
    section_of,
    sort_edges,
)
from tests.output.factories import a_workload, an_edge, an_external, many_edges


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (a_workload("web"), "shop/deployment/web"),
        (a_workload("web", owner_kind="Pod"), "shop/pod/web"),
        (Endpoint(EndpointKind.SERVICE, namespace="shop", name="s"), "shop/service/s"),
        (Endpoint(EndpointKind.NODE, name="n1"), "node/n1"),
        (Endpoint(EndpointKind.API_SERVER), "API server"),
        (an_external("203.0.113.10"), "203.0.113.10"),
        (an_external("203.0.113.10", "a.test", "b.test"), "a.test, b.test (203.0.113.10)"),
        (Endpoint(EndpointKind.UNKNOWN, address="10.0.0.1"), "unknown (10.0.0.1)"),
    ],
)
def test_each_kind_of_endpoint_has_its_words(endpoint: Endpoint, words: str) -> None:
    assert endpoint_words(endpoint) == words


def test_the_home_namespace_is_not_repeated() -> None:
    assert endpoint_words(a_workload("web"), home="shop") == "deployment/web"
    assert endpoint_words(a_workload("web"), home="payments") == "shop/deployment/web"


def test_home_is_where_most_ends_are() -> None:
    assert home_namespace([an_edge(), an_edge(server=an_external())]) == "shop"
    assert home_namespace([an_edge(), an_edge(server=a_workload("x", namespace="a"))]) == "shop"
    assert home_namespace([an_edge(server=a_workload("x", namespace="a"))]) == "a"
    assert home_namespace([]) == ""


@pytest.mark.parametrize(
    ("changes", "section"),
    [
        ({}, Section.EDGES),
        ({"outcome": Outcome.UNKNOWN}, Section.EDGES),
        ({"outcome": Outcome.REFUSED}, Section.FAILED),
        ({"role": Role.DNS}, Section.DNS),
        ({"role": Role.DNS, "outcome": Outcome.UNANSWERED}, Section.FAILED),
        ({"role": Role.PROBE}, Section.PROBES),
    ],
)
def test_rows_stand_in_their_section(changes: dict[str, Any], section: Section) -> None:
    assert section_of(an_edge(**changes)) is section


def test_marks_say_what_to_mind() -> None:
    assert list(marks(an_edge())) == []
    edge = an_edge(
        a_workload(host_network=True),
        Endpoint(EndpointKind.UNKNOWN, address="10.0.0.1"),
        confidence=Confidence.LOW,
        connections=None,
        outcome=Outcome.UNKNOWN,
    )
    assert list(marks(edge)) == [
        "low confidence",
        "sockets only",
        "not proven",
        "unknown peer",
        "host network",
    ]


def test_declared_edge_is_marked_as_such_alone() -> None:
    edge = an_edge(outcome=Outcome.DECLARED, confidence=Confidence.MEDIUM, connections=None)
    assert list(marks(edge)) == ["declared, not seen"]
    assert section_of(edge) is Section.EDGES
    whoever = Endpoint(EndpointKind.UNKNOWN, names=("whoever serves Ingresses",))
    assert endpoint_words(whoever) == "unknown (whoever serves Ingresses)"
    assert list(marks(an_edge(whoever, outcome=Outcome.DECLARED))) == ["declared, not seen", "unknown peer"]


def test_ports_have_number_protocol_and_name() -> None:
    assert port_words(an_edge()) == "8080/TCP http"
    assert port_words(an_edge(port_name="")) == "8080/TCP"


def test_the_order_does_not_depend_on_the_order_before() -> None:
    edges = many_edges()
    expected = sort_edges(edges)
    for seed in range(5):
        random.Random(seed).shuffle(edges)
        assert sort_edges(edges) == expected
