"""A row is what a filter asks for, or it is not."""

from __future__ import annotations

import fnmatch
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.analysis.filtering import matches_pattern, row_test
from kubectl_netpolgen.model.flow import Direction, NameSource, Outcome, PeerName, Tunnel
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.model.times import parse_rfc3339
from tests.factories import a_conversation, an_answer

ROW = a_conversation(
    client=Address("10.1.0.1"),
    client_port=40000,
    server=Address("fd00::1"),
    server_port=443,
    protocol=Protocol.TCP,
    packets_to_server=3,
    packets_to_client=4,
    first=parse_rfc3339("2026-01-02T03:04:05Z"),
    last=parse_rfc3339("2026-01-02T03:05:05Z"),
    direction=Direction.LISTEN,
    outcome=Outcome.ESTABLISHED,
    names=(PeerName("a.test", NameSource.SNI), PeerName("b.test", NameSource.DNS)),
    vlan=7,
)


def holds(text: str, row: object = ROW, kind: RowKind = RowKind.CONVERSATIONS) -> bool:
    return row_test(parse_filter(text, kind), kind, file="dir/x.pcap")(row)


@pytest.mark.parametrize(
    "text",
    [
        "client == 10.1.0.0/16",
        "host == fd00::1",
        "host == 10.1.0.1",
        "host != 10.2.0.0/16",
        "not client == 10.2.0.0/16",
        "server in {10.0.0.0/8, fd00::/8}",
        "port == 443 and clientport in 32768-60999",
        "port not in {80, 8080}",
        "tcp and outcome == established and direction == proven",
        "packets == 7 and packetstoserver < 4 and packetstoclient >= 4",
        "first >= 2026-01-02T03:04:05Z and last < 2026-01-02T03:06",
        "name == a.test",
        "name ~ ?.test",
        "name !~ *.example",
        "vlan == 7 and vlan != none",
        "tunnel == none",
        "file ~ *.pcap and file != y",
        "udp or tcp",
    ],
)
def test_what_is_so_holds_and_its_contrary_does_not(text: str) -> None:
    assert holds(text)
    assert not holds(f"not ({text})")


@pytest.mark.parametrize(
    "text",
    [
        "udp",
        "client == fd00::1",
        "host == 10.9.9.9",
        "port < 443",
        "name == c.test",
        "vlan == none",
        "vlan in 8-9",
    ],
)
def test_what_is_not_so_does_not_hold(text: str) -> None:
    assert not holds(text)


def test_what_a_row_lacks_is_none_and_nothing_else() -> None:
    bare = ROW._replace(vlan=None, tunnel=Tunnel.GRE)
    assert holds("vlan == none", bare)
    assert holds("vlan != 7", bare)
    assert not holds("vlan < 9", bare)
    assert holds("tunnel == gre", bare)


def test_rows_of_names_have_their_own_fields() -> None:
    answer = an_answer("web.test", "10.1.0.1")
    for text in (
        "name == web.test",
        "host == 10.0.0.0/8",
        "address == 10.1.0.1",
        "source == dns",
        "count == 1",
    ):
        assert holds(text, answer, RowKind.NAMES)
    nothing = replace(answer, address=None)
    assert holds("address == none", nothing, RowKind.NAMES)
    assert not holds("host == 10.0.0.0/8", nothing, RowKind.NAMES)


@given(st.text("ab", max_size=8), st.text("ab*?", max_size=8))
def test_patterns_match_as_shells_match_names(text: str, pattern: str) -> None:
    assert matches_pattern(text, pattern) is fnmatch.fnmatchcase(text, pattern)


def test_a_pattern_cannot_take_for_ever() -> None:
    assert not matches_pattern("a" * 2000, "*a" * 1000 + "b")
