from __future__ import annotations

import random
import re

import pytest

from kubectl_netpolgen.model.edge import Endpoint, EndpointKind
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.output.dot import LONGEST_LABEL, graph_dot, quoted, without_labels
from tests.goldens import check_golden
from tests.output.factories import HOSTILE, a_workload, an_edge, an_external, many_edges

STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def test_the_whole_graph() -> None:
    check_golden("output/graph.dot", graph_dot(many_edges()))


def test_the_same_edges_give_the_same_bytes_in_any_order() -> None:
    edges = many_edges()
    expected = graph_dot(edges)
    random.Random(7).shuffle(edges)
    assert graph_dot(edges) == expected


def test_dns_and_probes_are_drawn_only_when_asked_for() -> None:
    plain = graph_dot(many_edges())
    assert "coredns" not in plain
    assert "node-1" not in plain
    assert "coredns" in graph_dot(many_edges(), dns=True)
    assert "node-1" in graph_dot(many_edges(), probes=True)


def test_parallel_edges_are_one_line_but_a_failed_one_stays_apart() -> None:
    edges = [an_edge(port=port, port_name="") for port in (80, 443)]
    edges.append(an_edge(port=22, port_name="", outcome=Outcome.REFUSED))
    lines = [line.strip() for line in graph_dot(edges).splitlines() if "->" in line]
    assert lines == [
        'n1 -> n0 [style=dashed, xlabel="22/TCP"]',
        'n1 -> n0 [style=solid, xlabel="80/TCP\\n443/TCP"]',
    ]


def test_very_many_ports_of_a_pair_are_counted() -> None:
    text = graph_dot([an_edge(port=port, port_name="") for port in range(1, 20)])
    assert "and 14 more" in text


def test_labels_can_be_taken_out_and_nothing_else_goes() -> None:
    dot = graph_dot([an_edge(port_name='evil", xlabel="x')])
    bare = without_labels(dot)
    assert "xlabel" not in STRING.sub("", bare)
    assert "n1 -> n0 [style=solid]" in bare
    assert len(bare.splitlines()) == len(dot.splitlines())


def test_declared_edge_is_dotted_and_its_client_is_called_what_it_does() -> None:
    whoever = Endpoint(EndpointKind.UNKNOWN, names=("whoever serves Ingresses",))
    text = graph_dot([an_edge(whoever, outcome=Outcome.DECLARED)])
    assert "style=dotted, xlabel" in text
    assert "whoever serves Ingresses" in text


def test_no_edges_are_a_graph_all_the_same() -> None:
    text = graph_dot([])
    assert text.startswith("digraph netpolgen {")
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_stay_inside_their_label(name: str) -> None:
    edge = an_edge(a_workload(name), an_external("203.0.113.9", name), port_name=name)
    plain = an_edge(a_workload("p"), an_external("203.0.113.9", "q"), port_name="r")
    # without its strings the graph is the one of harmless names
    assert STRING.sub("S", graph_dot([edge])) == STRING.sub("S", graph_dot([plain]))
    graph_dot([edge]).encode()


def test_labels_are_cut_and_say_so() -> None:
    assert quoted(["a" * 10_000_000]) == '"' + "a" * LONGEST_LABEL + '..."'
    assert quoted(["\\N", 'a"b', "c&d"]) == '"\\\\N\\na\\"b\\nc&amp;d"'
