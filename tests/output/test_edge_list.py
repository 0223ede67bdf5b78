from __future__ import annotations

import json
import random

import pytest

from kubectl_netpolgen.documents.json_text import dump_json
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind, Evidence, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.output.edge_list import edge_item, edge_list, endpoint_item, evidence_item
from tests.goldens import check_golden
from tests.output.factories import HOSTILE, a_workload, an_edge, an_external, many_edges


def test_the_whole_list() -> None:
    check_golden("output/edge-list.json", dump_json(edge_list(many_edges())))


def test_the_keys_of_an_item_and_their_order_are_the_contract() -> None:
    assert list(edge_item(an_edge())) == [
        "id",
        "client",
        "server",
        "protocol",
        "port",
        "portName",
        "outcome",
        "confidence",
        "connections",
        "bytes",
        "first",
        "last",
        "evidence",
    ]
    assert edge_item(an_edge(role=Role.PROBE))["role"] == "probe"


def test_times_are_utc_with_microseconds() -> None:
    item = edge_item(an_edge())
    assert (item["first"], item["last"]) == ("2026-01-03T12:00:00.000000Z", "2026-01-03T12:00:59.000000Z")


@pytest.mark.parametrize(
    ("endpoint", "item"),
    [
        (a_workload("web"), {"kind": "Deployment", "namespace": "shop", "name": "web"}),
        (
            a_workload("dns", host_network=True, role=Role.DNS),
            {"kind": "Deployment", "namespace": "shop", "name": "dns", "hostNetwork": True, "role": "dns"},
        ),
        (
            an_external("203.0.113.10", "a.test"),
            {"kind": "External", "address": "203.0.113.10", "names": ["a.test"]},
        ),
        (an_external("203.0.113.10"), {"kind": "External", "address": "203.0.113.10", "names": []}),
        (Endpoint(EndpointKind.API_SERVER), {"kind": "APIServer"}),
        (Endpoint(EndpointKind.NODE, name="n1"), {"kind": "Node", "name": "n1"}),
        (
            Endpoint(EndpointKind.SERVICE, namespace="shop", name="s"),
            {"kind": "Service", "namespace": "shop", "name": "s"},
        ),
        (Endpoint(EndpointKind.UNKNOWN, address="10.0.0.1"), {"kind": "Unknown", "address": "10.0.0.1"}),
    ],
)
def test_each_kind_of_endpoint_has_its_shape(endpoint: Endpoint, item: dict[str, object]) -> None:
    assert endpoint_item(endpoint) == item


def test_evidence_is_packets_of_a_file_or_a_sockets_file() -> None:
    assert evidence_item(Evidence("c.pcap", "tcp", 3)) == {"file": "c.pcap", "filter": "tcp", "packets": 3}
    assert evidence_item(Evidence("c.sockets")) == {"sockets": "c.sockets"}


def test_counts_that_nobody_saw_are_null() -> None:
    item = edge_item(an_edge(connections=None, bytes=None))
    assert (item["connections"], item["bytes"]) == (None, None)


def test_declared_edge_was_never_seen_and_its_client_may_have_no_address() -> None:
    whoever = Endpoint(EndpointKind.UNKNOWN, names=("whoever serves Ingresses",))
    item = edge_item(an_edge(whoever, outcome=Outcome.DECLARED, first=0, last=0))
    assert (item["outcome"], item["first"], item["last"]) == ("declared", None, None)
    assert item["client"] == {"kind": "Unknown", "names": ["whoever serves Ingresses"]}


def test_the_order_of_edges_does_not_matter() -> None:
    edges = many_edges()
    expected = edge_list(edges)
    random.Random(3).shuffle(edges)
    assert edge_list(edges) == expected
    assert (expected["apiVersion"], expected["kind"]) == ("netpolgen/v1", "EdgeList")


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_come_back_as_they_are(name: str) -> None:
    text = dump_json(edge_list([an_edge(a_workload(name), port_name=name)]))
    assert text.isascii()
    assert json.loads(text)["items"][0]["client"]["name"] == name
