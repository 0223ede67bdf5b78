"""Random sets of policies, of every form that NetworkPolicy has, the same for the same seed."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.harness import layout

Manifest = dict[str, Any]

APPS, TIERS, TEAMS = ("web", "api", "db", "cache"), ("front", "back"), ("red", "blue", "green")
TCP_PORTS, UDP_PORTS = {"http": 8080, "admin": 9090}, {"dns": 5353}
UNDECLARED = 7000
OUTSIDE = ("203.0.113.10", "203.0.113.20", "2001:db8::10", "2001:db8::20")
OUTSIDE_PORT = 443


def policy_set(seed: int, namespaces: dict[str, str]) -> list[Manifest]:
    """Three to seven policies over namespaces by team, which are named differently on every cluster."""
    chance = Random(seed)
    return [
        _policy(chance, f"set-{number}", namespaces[chance.choice(TEAMS)])
        for number in range(chance.randint(3, 7))
    ]


def _policy(chance: Random, name: str, namespace: str) -> Manifest:
    directions = chance.choice((("Ingress",), ("Egress",), ("Ingress", "Egress")))
    spec: Manifest = {"podSelector": _selector(chance, APPS, "app"), "policyTypes": list(directions)}
    for direction in directions:
        field, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        # now and then none: a policy that denies
        rules = [_rule(chance, peers) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
        if rules:
            spec[field] = rules
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _selector(chance: Random, values: tuple[str, ...], key: str) -> Manifest:
    """Nothing, labels, or an operator; `NotIn` and `DoesNotExist` hold without the key."""
    chosen = chance.sample(values, chance.randint(1, 2))
    forms: tuple[Manifest, ...] = (
        {},
        {"matchLabels": {key: chosen[0]}},
        {"matchExpressions": [{"key": key, "operator": "In", "values": chosen}]},
        {"matchExpressions": [{"key": key, "operator": "NotIn", "values": chosen}]},
        {"matchExpressions": [{"key": "tier", "operator": chance.choice(("Exists", "DoesNotExist"))}]},
        {"matchLabels": {key: chosen[0]}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": [chance.choice(TIERS)]}]},
    )
    return chance.choice(forms[1:] if chance.random() < 0.8 else forms)


def _rule(chance: Random, field: str) -> Manifest:
    rule: Manifest = {}
    if chance.random() < 0.85:
        rule[field] = [_peer(chance) for _ in range(chance.randint(1, 2))]
    if chance.random() < 0.7:
        rule["ports"] = [_port(chance) for _ in range(chance.randint(1, 2))]
    return rule


def _peer(chance: Random) -> Manifest:
    pods, teams = _selector(chance, APPS, "app"), _teams(chance)
    forms = (
        lambda: {"podSelector": pods},
        lambda: {"namespaceSelector": teams},
        lambda: {"podSelector": pods, "namespaceSelector": teams},
        lambda: {"ipBlock": _block(chance)},
    )
    return chance.choice(forms)()


def _teams(chance: Random) -> Manifest:
    team = chance.choice(TEAMS)
    return chance.choice(
        (
            {},
            {"matchLabels": {"team": team}},
            {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": [team]}]},
        )
    )


def _block(chance: Random) -> Manifest:
    """Outside, a node's pods, everything; half of the time with a hole."""
    node = chance.choice(layout.nodes(2))
    cidr, hole = chance.choice(
        (
            ("203.0.113.0/24", "203.0.113.16/28"),
            ("2001:db8::/64", "2001:db8::20/128"),
            ("0.0.0.0/0", node.pod_range),
            ("::/0", node.pod_range_v6),
            (layout.POD_RANGE, node.pod_range),
            (layout.POD_RANGE_V6, node.pod_range_v6),
        )
    )
    return {"cidr": cidr, "except": [hole]} if chance.random() < 0.5 else {"cidr": cidr}


def _port(chance: Random) -> Manifest:
    name, number = chance.choice(list(TCP_PORTS.items()))
    forms: tuple[Manifest, ...] = (
        {"port": number},
        {"protocol": "TCP", "port": name},
        {"port": UNDECLARED, "endPort": chance.choice((7000, 8080, 9000))},
        {"port": OUTSIDE_PORT},
        {"protocol": "TCP"},
        {"protocol": "UDP", "port": UDP_PORTS["dns"]},
        {"protocol": "UDP", "port": "dns"},
        {"protocol": "UDP"},
        {"protocol": "SCTP"},
    )
    return chance.choice(forms)
