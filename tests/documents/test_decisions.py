"""What a person writes about edges is understood, or refused by the number of the entry."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.documents.decisions import parse_decisions
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.policy import IPBlock, Peer
from kubectl_netpolgen.model.selector import labels_selector

TEXT = """\
# reviewed by hand
decisions:
  - {edge: 0123456789ab, verdict: accept}
  - edge: aaaaaaaaaaaa
    verdict: drop
    reason: a scanner
  - edge: bbbbbbbbbbbb
    verdict: accept
    peer: {ipBlock: {cidr: 2001:DB8::/64}}
  - edge: cccccccccccc
    verdict: accept
    peer:
      namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: payments}}
      podSelector: {matchLabels: {app: api, on: 1}}
"""


def refused(entry: str) -> str:
    """The message for a file with this one entry."""
    with pytest.raises(BundleError) as caught:
        parse_decisions(f"decisions:\n  - {entry}\n", where="decisions.yaml")
    assert caught.value.way_out
    return caught.value.message


def test_decisions_are_found_by_edge() -> None:
    found = parse_decisions(TEXT, where="decisions.yaml")
    assert list(found) == ["0123456789ab", "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"]
    assert found["aaaaaaaaaaaa"] == Decision("aaaaaaaaaaaa", Verdict.DROP, reason="a scanner")
    assert found["bbbbbbbbbbbb"].peer == Peer(ip_block=IPBlock("2001:db8::/64"))
    assert found["cccccccccccc"].peer == Peer(
        pod_selector=labels_selector({"app": "api", "on": "1"}),
        namespace_selector=labels_selector({"kubernetes.io/metadata.name": "payments"}),
    )


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("[5433]", (5433,)),
        ('["5433", 1, 65535, 1]', (5433, 1, 65535)),
        ("[http, pg-1, 9p]", ("http", "pg-1", "9p")),
        ("[]", ()),
        ("", ()),
    ],
)
def test_ports_are_numbers_or_names(text: str, ports: tuple[int | str, ...]) -> None:
    found = parse_decisions(f"decisions: [{{edge: aa, verdict: accept, ports: {text}}}]", where="d")
    assert found["aa"].ports == ports


@pytest.mark.parametrize(
    "text",
    [
        "5433",
        "{a: b}",
        "[0]",
        "[65536]",
        "[-1]",
        "[1.5]",
        "[PORT]",
        "[a b]",
        "[-a]",
        "[a--b]",
        "[[1]]",
        "['']",
    ],
)
def test_what_is_no_port_is_refused(text: str) -> None:
    assert "ports" in refused(f"{{edge: aa, verdict: accept, ports: {text}}}")


def test_unknown_keys_are_named() -> None:
    assert "peers, port" in refused("{edge: aa, verdict: accept, port: [1], peers: {}}")


@pytest.mark.parametrize("edge", ["123456789012", "012345670123", "123e45678901", "1234_5678901"])
def test_edge_id_that_looks_like_a_number_needs_no_quotes(edge: str) -> None:
    found = parse_decisions(f"decisions: [{{edge: {edge}, verdict: accept}}]", where="d")
    assert list(found) == [edge]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "decisions:\n", "decisions: []\n"])
def test_file_without_decisions_decides_nothing(text: str) -> None:
    assert parse_decisions(text, where="d") == {}


def test_same_decision_twice_is_one_and_two_different_ones_are_refused() -> None:
    once = "  - {edge: aaaaaaaaaaaa, verdict: accept}\n"
    assert len(parse_decisions("decisions:\n" + once + once, where="d")) == 1
    with pytest.raises(BundleError, match="decision 2: edge aaaaaaaaaaaa was decided otherwise"):
        parse_decisions("decisions:\n" + once + once.replace("accept", "drop"), where="d")


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("aaaaaaaaaaaa", "names no edge"),
        ("{verdict: accept}", "names no edge"),
        ("{edge: , verdict: accept}", "names no edge"),
        ("{edge: [a], verdict: accept}", "names no edge"),
        ("{edge: aaaaaaaaaaaa}", "Verdict"),
        ("{edge: aaaaaaaaaaaa, verdict: maybe}", "maybe"),
        ("{edge: aaaaaaaaaaaa, verdict: accept, peer: anyone}", "decision 1"),
        ("{edge: aaaaaaaaaaaa, verdict: accept, peer: {ipBlock: {}}}", "cidr"),
        ("{edge: aaaaaaaaaaaa, verdict: accept, peer: {ipBlock: {cidr: 10.0.0.0/99}}}", "10.0.0.0/99"),
        ("{edge: aaaaaaaaaaaa, verdict: accept, peer: {ipBlock: {cidr: 10.1.2.3/24}}}", "host bits"),
        ("{edge: aaaaaaaaaaaa, verdict: accept, peer: {podSelector: app}}", "must be a map"),
        ("{edge: aaaaaaaaaaaa, verdict: accept, peer: {other: {}}}", "needs podSelector"),
    ],
)
def test_entry_that_cannot_be_understood_is_named(entry: str, named: str) -> None:
    message = refused(entry)
    assert message.startswith("decisions.yaml: decision 1")
    assert named in message


@pytest.mark.parametrize("text", ["- a\n", "other: 1\n", "decisions: yes\n", "just words"])
def test_file_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="no list `decisions`"):
        parse_decisions(text, where="d")


def test_broken_yaml_says_where() -> None:
    with pytest.raises(BundleError, match=r"decisions\.yaml: line 4"):
        parse_decisions("decisions:\n  - {edge: a\n  x", where="decisions.yaml")
