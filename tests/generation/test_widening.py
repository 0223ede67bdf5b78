"""Ranges are the smallest that hold what one name was seen with, and never wide."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.widening import SHORTEST_PREFIX, told, widen
from kubectl_netpolgen.model.edge import Edge
from tests.factories import an_edge, an_external
from tests.generation.factories import generated, spec_of


def to(address: str, *names: str) -> Edge:
    return an_edge("web", an_external(address, *names), port=443)


def test_addresses_of_one_name_get_the_smallest_range_that_has_them() -> None:
    edges = [to("203.0.113.10", "cdn.test"), to("203.0.113.20", "cdn.test"), to("198.51.100.7", "other.test")]
    assert widen(edges) == dict.fromkeys(["203.0.113.10", "203.0.113.20"], "203.0.113.0/27")
    (finding,) = told(edges, widen(edges))
    assert (finding.code, finding.subject) == ("external-widened", "203.0.113.0/27")
    assert "2 addresses seen under cdn.test, and lets 32 through" in finding.message


@pytest.mark.parametrize(
    "edges",
    [
        [to("203.0.113.10", "a.test"), to("203.0.113.20", "b.test")],
        [to("203.0.113.10"), to("203.0.113.20")],
        [to("8.8.8.8", "a.test"), to("203.0.113.20", "a.test")],
        [to("203.0.113.10", "a.test"), to("2001:db8::1", "a.test")],
        [an_edge("web", "api")],
    ],
)
def test_without_evidence_or_far_apart_there_is_no_range(edges: list[Edge]) -> None:
    assert widen(edges) == {}
    assert list(told(edges, {})) == []


def test_address_of_two_names_gets_the_wider_range() -> None:
    edges = [
        to("203.0.113.10", "a.test", "b.test"),
        to("203.0.113.11", "a.test"),
        to("203.0.113.200", "b.test"),
    ]
    ranges = {str(address): cidr for address, cidr in widen(edges).items()}
    assert ranges["203.0.113.10"] == ranges["203.0.113.200"] == "203.0.113.0/24"
    assert ranges["203.0.113.11"] == "203.0.113.10/31"


@given(
    st.lists(st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.ip_address(n))), min_size=1, max_size=6)
)
def test_range_holds_its_addresses_and_is_never_wide(addresses: list[str]) -> None:
    for address, cidr in widen([to(address, "a.test") for address in addresses]).items():
        network = ipaddress.ip_network(cidr)
        assert ipaddress.ip_address(address) in network
        assert network.prefixlen >= SHORTEST_PREFIX[network.version]


def test_ranges_are_written_only_when_asked_for() -> None:
    edges = (to("203.0.113.10", "cdn.test"), to("203.0.113.20", "cdn.test"))
    for asked, cidrs in ((False, ["203.0.113.10/32", "203.0.113.20/32"]), (True, ["203.0.113.0/27"])):
        found = generated(*edges, dns=DnsMode.OBSERVED, widen_external=asked)
        rules: Any = spec_of(found, "deployment-web")["egress"]
        assert [peer["ipBlock"]["cidr"] for rule in rules for peer in rule["to"]] == cidrs
        assert ("external-widened" in {item.code for item in found.findings}) is asked
