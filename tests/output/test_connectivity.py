"""What policies allow, written: one form for programs, others for people, nothing of markup let through."""

from __future__ import annotations

import csv
import io
import json

import pytest

from kubectl_netpolgen.documents.json_text import dump_json
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.network import canonical_address as at
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.output.connectivity import (
    allowed_text,
    connectivity_csv,
    connectivity_dot,
    connectivity_json,
    connectivity_markdown,
    connectivity_table,
    end_text,
)
from kubectl_netpolgen.semantics.address_atoms import AddressRange
from kubectl_netpolgen.semantics.connectivity import Connection
from tests.goldens import check_golden

WEB, POD = ObjectKey("Deployment", "shop", "web"), ObjectKey("Pod", "shop", "api-1")
EVERYTHING = dict.fromkeys((Protocol.TCP, Protocol.UDP, Protocol.SCTP), ((1, 65535),))
SOME = {Protocol.UDP: ((53, 53),), Protocol.TCP: ((80, 80), (8000, 8080))}
ALL_FOUR, ALL_SIX = (
    AddressRange(at("0.0.0.0"), at("255.255.255.255")),
    AddressRange(at("::"), at("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
)
ONE = AddressRange(at("203.0.113.9"), at("203.0.113.9"))
CONNECTIONS = (
    Connection(WEB, POD, SOME),
    Connection(WEB, ALL_SIX, {Protocol.TCP: ((1, 65535),)}),
    Connection(AddressRange(at("10.0.0.0"), at("10.0.0.255")), WEB, EVERYTHING),
    Connection(ONE, POD, EVERYTHING),
)


def test_the_list_is_the_contract() -> None:
    text = "".join(connectivity_json(CONNECTIONS[:1] + CONNECTIONS[3:]))
    document = json.loads(text)
    assert text == dump_json(document)
    assert document == {
        "apiVersion": "netpolgen/v1",
        "kind": "ConnectivityList",
        "items": [
            {
                "source": {"workload": "shop/Deployment/web"},
                "destination": {"pod": "shop/api-1"},
                "allowed": [
                    {"protocol": "TCP", "ports": [[80, 80], [8000, 8080]]},
                    {"protocol": "UDP", "ports": [[53, 53]]},
                ],
            },
            {
                "source": {"range": "203.0.113.9-203.0.113.9"},
                "destination": {"pod": "shop/api-1"},
                "allowed": [
                    {"protocol": "SCTP", "ports": [[1, 65535]]},
                    {"protocol": "TCP", "ports": [[1, 65535]]},
                    {"protocol": "UDP", "ports": [[1, 65535]]},
                ],
            },
        ],
    }


def test_every_form_is_as_the_file_says() -> None:
    check_golden("output/connectivity.txt", connectivity_table(CONNECTIONS))
    check_golden("output/connectivity.md", connectivity_markdown(CONNECTIONS))
    check_golden("output/connectivity.dot", connectivity_dot(CONNECTIONS))


def test_csv_has_a_line_for_each_protocol() -> None:
    rows = list(csv.reader(io.StringIO(connectivity_csv(CONNECTIONS[:1]), newline="")))
    assert rows == [
        ["source", "destination", "protocol", "ports"],
        ["shop/Deployment/web", "shop/Pod/api-1", "TCP", "80,8000-8080"],
        ["shop/Deployment/web", "shop/Pod/api-1", "UDP", "53"],
    ]


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (WEB, "shop/Deployment/web"),
        (ALL_FOUR, "0.0.0.0/0"),
        (ALL_SIX, "::/0"),
        (ONE, "203.0.113.9"),
        (AddressRange(at("10.0.0.0"), at("10.0.0.255")), "10.0.0.0-10.0.0.255"),
    ],
)
def test_ends_for_people(end: ObjectKey | AddressRange, text: str) -> None:
    assert end_text(end) == text


def test_ports_for_people() -> None:
    assert allowed_text(EVERYTHING) == "everything"
    assert allowed_text(SOME) == "TCP 80,8000-8080, UDP 53"
    assert allowed_text({Protocol.TCP: ((1, 65535),)}) == "TCP"


def test_no_lines_without_headers() -> None:
    assert connectivity_table((), headers=False) == ""


def test_names_from_outside_are_no_markup() -> None:
    hostile = ObjectKey("Deployment", "shop", "a|b <img src=x> [x](y) `z`\x1b[31m")
    lines = connectivity_markdown([Connection(hostile, WEB, SOME)]).splitlines()
    assert len(lines) == 3
    assert "\\|b \\<img" in lines[2]
    assert "\x1b" not in lines[2]
