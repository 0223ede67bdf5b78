"""Documents of both versions say the same; what is unknown fails closed, what is wrong is refused."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.model.tiers import Action, Tier, TierPeer, TierPolicy, TierPort, TierRule
from kubectl_netpolgen.semantics.fields import Fields
from kubectl_netpolgen.semantics.tiers import parse_tier, with_nodes
from tests.factories import address

EVERYONE = (TierPeer(LabelSelector()), TierPeer(networks=("0.0.0.0/0", "::/0")))
SUBJECT: dict[str, Any] = {"namespaces": {}}
PEERS: list[dict[str, Any]] = [{"namespaces": {}}]


def parsed(kind: str = "ClusterNetworkPolicy", **spec: Any) -> TierPolicy:
    whole = {"tier": "Admin", "priority": 7, "subject": SUBJECT, **spec}
    return parse_tier(Fields({"kind": kind, "spec": whole}), "x")


def ports(kind: str, **entry: Any) -> tuple[TierPort, ...]:
    field = "protocols" if kind == "ClusterNetworkPolicy" else "ports"
    action = "Accept" if kind == "ClusterNetworkPolicy" else "Allow"
    return parsed(kind, ingress=[{"action": action, "from": PEERS, field: [entry]}]).ingress[0].ports


def test_both_versions_say_the_same() -> None:
    selector = {"matchLabels": {"app": "web"}}
    subject = {"pods": {"namespaceSelector": {}, "podSelector": selector}}
    new = parsed(
        subject=subject,
        ingress=[
            {
                "name": "a",
                "action": "Accept",
                "from": PEERS,
                "protocols": [{"tcp": {"destinationPort": {"number": 80}}}],
            }
        ],
    )
    old = parsed(
        "AdminNetworkPolicy",
        subject=subject,
        ingress=[{"name": "a", "action": "Allow", "from": PEERS, "ports": [{"portNumber": {"port": 80}}]}],
    )
    assert new.ingress == old.ingress
    assert new.ingress == (
        TierRule(Action.ACCEPT, (TierPeer(LabelSelector()),), (TierPort(Protocol.TCP, 80, 80),), "a"),
    )
    assert (new.namespaces, new.pods) == (LabelSelector(), labels_selector({"app": "web"}))
    assert (new.tier, new.priority) == (old.tier, old.priority) == (Tier.ADMIN, 7)


def test_the_baseline_has_no_priority_in_the_old_version_and_one_in_the_new() -> None:
    assert parsed("BaselineAdminNetworkPolicy").tier is Tier.BASELINE
    assert parsed("BaselineAdminNetworkPolicy").priority == 0
    assert (parsed(tier="Baseline").tier, parsed(tier="Baseline").priority) == (Tier.BASELINE, 7)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"udp": {"destinationPort": {"number": 53}}}, TierPort(Protocol.UDP, 53, 53)),
        ({"sctp": {"destinationPort": {"range": {"start": 1, "end": 9}}}}, TierPort(Protocol.SCTP, 1, 9)),
        ({"tcp": {}}, TierPort(Protocol.TCP)),
        ({"destinationNamedPort": "http"}, TierPort(name="http")),
    ],
)
def test_protocols_of_the_new_version(entry: dict[str, Any], expected: TierPort) -> None:
    assert ports("ClusterNetworkPolicy", **entry) == (expected,)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"portNumber": {"protocol": "UDP", "port": 53}}, TierPort(Protocol.UDP, 53, 53)),
        ({"portRange": {"start": 1, "end": 9}}, TierPort(Protocol.TCP, 1, 9)),
        ({"namedPort": "http"}, TierPort(name="http")),
    ],
)
def test_ports_of_the_old_version(entry: dict[str, Any], expected: TierPort) -> None:
    assert ports("AdminNetworkPolicy", **entry) == (expected,)


def egress(*peers: Any, action: str = "Deny", **more: Any) -> TierRule:
    return parsed(egress=[{"action": action, "to": list(peers), **more}]).egress[0]


def test_networks_and_nodes_are_peers_of_egress() -> None:
    rule = egress({"networks": ["10.0.0.1/8"]}, {"nodes": {"matchLabels": {"role": "db"}}})
    assert rule.peers == (
        TierPeer(networks=("10.0.0.0/8",)),
        TierPeer(nodes=labels_selector({"role": "db"})),
    )


def test_selected_nodes_are_their_addresses() -> None:
    policy = parsed(egress=[{"action": "Deny", "to": [{"nodes": {"matchLabels": {"role": "db"}}}, *PEERS]}])
    nodes = [
        Node("a", (address("172.18.0.2"), address("fd00::2")), labels={"role": "db"}),
        Node("b", (address("172.18.0.3"),)),
    ]
    (found,) = with_nodes([policy], nodes)
    assert found.egress[0].peers == (
        TierPeer(networks=("172.18.0.2/32", "fd00::2/128")),
        TierPeer(LabelSelector()),
    )


UNKNOWN = {"domainNames": ["example.com"]}


def test_an_accept_matches_nobody_by_what_we_do_not_know() -> None:
    assert egress(UNKNOWN, *PEERS, action="Accept").peers == (TierPeer(LabelSelector()),)
    assert egress(UNKNOWN, action="Accept").peers == ()
    odd: dict[str, Any] = {"icmp": {}}
    assert egress(*PEERS, action="Accept", protocols=[odd]).peers == ()
    both = egress(*PEERS, action="Accept", protocols=[odd, {"tcp": {}}])
    assert (both.peers, both.ports) == ((TierPeer(LabelSelector()),), (TierPort(Protocol.TCP),))


@pytest.mark.parametrize("action", ["Deny", "Pass"])
def test_a_deny_or_a_pass_of_what_we_do_not_know_denies_everybody(action: str) -> None:
    for rule in (
        egress(UNKNOWN, action=action),
        egress(*PEERS, action=action, protocols=[{"icmp": {}}]),
        egress({"later": {}}, action=action),
    ):
        assert (rule.action, rule.peers, rule.ports) == (Action.DENY, EVERYONE, ())


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"subject": {}}, "spec.subject: needs either namespaces or pods"),
        ({"subject": {"namespaces": {}, "pods": {}}}, "spec.subject: needs either"),
        ({"subject": {"namespaces": {"matchLabels": {"a": 1}}}}, "spec.subject.namespaces: matchLabels.a"),
        ({"tier": "admin"}, "spec.tier: 'admin' is neither Admin nor Baseline"),
        ({"priority": 1001}, "spec.priority: 1001 is no number from 0 to 1000"),
        ({"priority": None}, "spec.priority: missing"),
        ({"ingress": [{"action": "Allow", "from": PEERS}]}, r"spec.ingress\[0\].action: 'Allow' is none of"),
        ({"ingress": [{"action": "Deny", "from": []}]}, r"spec.ingress\[0\].from: needs a peer"),
        ({"egress": [{"action": "Deny", "to": [{}]}]}, r"spec.egress\[0\].to\[0\]: needs exactly one"),
        (
            {"egress": [{"action": "Deny", "to": [{"networks": ["10.0.0.0/99"]}]}]},
            r"spec.egress\[0\].to\[0\].networks: '10.0.0.0/99' is no CIDR",
        ),
        (
            {
                "ingress": [
                    {
                        "action": "Deny",
                        "from": PEERS,
                        "protocols": [{"tcp": {"destinationPort": {"range": {"start": 9, "end": 9}}}}],
                    }
                ]
            },
            "start: 9 is not less than the end, 9",
        ),
    ],
)
def test_what_the_api_server_refuses_is_refused_by_its_path(spec: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parsed(**spec)


def test_networks_are_no_peers_of_ingress() -> None:
    rule = parsed(ingress=[{"action": "Accept", "from": [{"networks": ["10.0.0.0/8"]}]}]).ingress[0]
    assert rule.peers == ()
