"""Documents of administrators' policies to values, those of both API versions to the same.

network-policy-api, apis/v1alpha1 and apis/v1alpha2. What a rule says that we do not know fails closed, as the
API asks of implementations: an Accept matches nobody by it, a Deny or a Pass becomes a Deny of everybody.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import Action, Tier, TierPeer, TierPolicy, TierPort, TierRule
from kubectl_netpolgen.semantics.fields import Fields
from kubectl_netpolgen.semantics.selectors import parse_selector

TIER_KINDS = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
_OLD_ACTIONS = {"Allow": Action.ACCEPT, "Deny": Action.DENY, "Pass": Action.PASS}
_NEW_ACTIONS = {action.value: action for action in Action}
_MOST_PRIORITY = 1000
_EVERYONE = TierPeer(namespaces=LabelSelector())
_EVERYWHERE = TierPeer(networks=("0.0.0.0/0", "::/0"))


def parse_tier(fields: Fields, name: str) -> TierPolicy:
    """The policy of a document; ValueError with the path of a field that the API server would refuse."""
    kind, spec = fields.text("kind"), fields.map("spec")
    new = kind == TIER_KINDS[0]
    subject = spec.map("subject")
    given = [word for word in ("namespaces", "pods") if subject.document.get(word) is not None]
    if len(given) != 1:
        raise ValueError("spec.subject: needs either namespaces or pods")
    namespaces, pods = _selected(subject, given[0])
    return TierPolicy(
        kind,
        name,
        _tier(kind, spec),
        0 if kind == TIER_KINDS[2] else spec.number("priority", most=_MOST_PRIORITY),
        namespaces,
        pods,
        tuple(_rule(item, PolicyType.INGRESS, new=new) for item in spec.maps("ingress")),
        tuple(_rule(item, PolicyType.EGRESS, new=new) for item in spec.maps("egress")),
    )


def _tier(kind: str, spec: Fields) -> Tier:
    if kind == TIER_KINDS[1]:
        return Tier.ADMIN
    if kind == TIER_KINDS[2]:
        return Tier.BASELINE
    text = spec.text("tier")
    if text not in {tier.value for tier in Tier}:
        raise ValueError(f"{spec.path('tier')}: {text!r} is neither Admin nor Baseline")
    return Tier(text)


def _selected(fields: Fields, word: str) -> tuple[LabelSelector, LabelSelector | None]:
    """Namespaces, and pods within them."""
    if word == "namespaces":
        return _selector(fields, "namespaces"), None
    pods = fields.map("pods")
    return _selector(pods, "namespaceSelector"), _selector(pods, "podSelector")


def _selector(fields: Fields, key: str) -> LabelSelector:
    try:
        return parse_selector(fields.map(key).document)
    except ValueError as error:
        raise ValueError(f"{fields.path(key)}: {error}") from error


def _rule(fields: Fields, direction: PolicyType, *, new: bool) -> TierRule:
    actions = _NEW_ACTIONS if new else _OLD_ACTIONS
    text = fields.text("action")
    if text not in actions:
        raise ValueError(f"{fields.path('action')}: {text!r} is none of {', '.join(actions)}")
    field = "from" if direction is PolicyType.INGRESS else "to"
    peers = [_peer(item, direction) for item in fields.maps(field)]
    if not peers:
        raise ValueError(f"{fields.path(field)}: needs a peer")
    ports = [_port(item) if new else _old_port(item) for item in fields.maps("protocols" if new else "ports")]
    action, name = actions[text], fields.text("name", "")
    if None not in peers and None not in ports:
        return TierRule(action, tuple(filter(None, peers)), tuple(filter(None, ports)), name)
    if action is not Action.ACCEPT:
        return TierRule(Action.DENY, (_EVERYONE, _EVERYWHERE), (), name)
    known = tuple(filter(None, ports))
    # without one that is known the list would be empty, and that means all
    return TierRule(action, tuple(filter(None, peers)) if known or not ports else (), known, name)


def _peer(fields: Fields, direction: PolicyType) -> TierPeer | None:
    """None for one that we cannot know: a domain's name, or a field of a later version."""
    words = [word for word in fields.document if fields.document[word] is not None]
    if len(words) != 1:
        raise ValueError(f"{fields.path('').rstrip('.')}: needs exactly one of its fields")
    word = str(words[0])
    if word in ("namespaces", "pods"):
        return TierPeer(*_selected(fields, word))
    if direction is PolicyType.EGRESS and word == "networks":
        return TierPeer(networks=tuple(_network(fields, text) for text in fields.texts("networks")))
    if direction is PolicyType.EGRESS and word == "nodes":
        return TierPeer(nodes=_selector(fields, "nodes"))
    return None


def _network(fields: Fields, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ValueError(f"{fields.path('networks')}: {text!r} is no CIDR") from error


def _port(fields: Fields) -> TierPort | None:
    """An entry of `protocols` (v1alpha2)."""
    if fields.document.get("destinationNamedPort") is not None:
        return TierPort(name=fields.text("destinationNamedPort"))
    for protocol in Protocol:
        if fields.document.get(protocol.value.lower()) is not None:
            port = fields.map(protocol.value.lower()).map("destinationPort")
            if port.document.get("number") is not None:
                return TierPort(protocol, port.port("number"), port.port("number"))
            if port.document.get("range") is not None:
                return _range(protocol, port.map("range"))
            return TierPort(protocol) if not port.document else None
    return None


def _old_port(fields: Fields) -> TierPort | None:
    """An entry of `ports` (v1alpha1)."""
    if fields.document.get("namedPort") is not None:
        return TierPort(name=fields.text("namedPort"))
    if fields.document.get("portNumber") is not None:
        port = fields.map("portNumber")
        return TierPort(port.protocol(), port.port("port"), port.port("port"))
    if fields.document.get("portRange") is not None:
        return _range(fields.map("portRange").protocol(), fields.map("portRange"))
    return None


def _range(protocol: Protocol, fields: Fields) -> TierPort:
    first, last = fields.port("start"), fields.port("end")
    if first >= last:
        raise ValueError(f"{fields.path('start')}: {first} is not less than the end, {last}")
    return TierPort(protocol, first, last)


def with_nodes(policies: Iterable[TierPolicy], nodes: Iterable[Node]) -> Iterator[TierPolicy]:
    """The policies with selected nodes as the addresses that these nodes have."""
    known = tuple(nodes)

    def placed(peer: TierPeer) -> TierPeer:
        if peer.nodes is None:
            return peer
        return TierPeer(
            networks=tuple(
                str(ipaddress.ip_network(address))
                for node in known
                if peer.nodes.matches(node.labels)
                for address in node.addresses
            )
        )

    for policy in policies:
        egress = tuple(replace(rule, peers=tuple(map(placed, rule.peers))) for rule in policy.egress)
        yield replace(policy, egress=egress)
