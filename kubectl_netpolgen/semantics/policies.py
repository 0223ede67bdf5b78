"""NetworkPolicy documents to values and back (networking.k8s.io/v1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.semantics.fields import Fields
from kubectl_netpolgen.semantics.selectors import parse_selector, selector_document

_ABSENT: dict[str, Any] = {}


def parse_policy(document: Mapping[str, Any]) -> NetworkPolicy:
    """The policy of a parsed document, defaults filled in; ValueError names the field that is refused.

    policyTypes defaults to Ingress, plus Egress when there is an egress rule (NetworkPolicySpec.policyTypes).
    """
    try:
        return _policy(document)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"NetworkPolicy: {error!r} is missing or of a wrong type") from error


def _policy(document: Mapping[str, Any]) -> NetworkPolicy:
    metadata = Fields(document).map("metadata")
    spec = document.get("spec") or _ABSENT
    egress = _rules(spec, "egress", "to")
    types = tuple(PolicyType(value) for value in spec.get("policyTypes") or ())
    if not types:
        types = (PolicyType.INGRESS, PolicyType.EGRESS) if egress else (PolicyType.INGRESS,)
    return NetworkPolicy(
        namespace=metadata.text("namespace", "") or "default",
        name=metadata.text("name", ""),
        pod_selector=parse_selector(spec.get("podSelector") or _ABSENT),
        policy_types=types,
        ingress=_rules(spec, "ingress", "from"),
        egress=egress,
        labels=tuple(sorted(metadata.labels().items())),
        annotations=tuple(sorted(metadata.annotations().items())),
    )


def _rules(spec: Mapping[str, Any], direction: str, peers: str) -> tuple[Rule, ...]:
    rules = []
    for index, rule in enumerate(spec.get(direction) or ()):
        try:
            rules.append(
                Rule(
                    peers=tuple(parse_peer(peer) for peer in rule.get(peers) or ()),
                    ports=tuple(_port(port) for port in rule.get("ports") or ()),
                )
            )
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"spec.{direction}[{index}]: {error}") from error
    return tuple(rules)


def parse_peer(document: Mapping[str, Any]) -> Peer:
    """One entry of `from` or `to`; ValueError for one that the API server refuses."""
    block = document.get("ipBlock")
    pods, namespaces = document.get("podSelector"), document.get("namespaceSelector")
    if block is None and pods is None and namespaces is None:
        raise ValueError("a peer needs podSelector, namespaceSelector or ipBlock")
    if block is not None:
        if pods is not None or namespaces is not None:
            raise ValueError("ipBlock stands alone in a peer")
        network = _network(block["cidr"])
        exceptions = tuple(block.get("except") or ())
        for text in exceptions:
            inner = _network(text)
            if inner.version != network.version or not inner.subnet_of(network) or inner == network:  # type: ignore[arg-type]
                raise ValueError(f"ipBlock.except {text}: not a strict part of {block['cidr']}")
        return Peer(ip_block=IPBlock(cidr=block["cidr"], except_=exceptions))
    return Peer(
        pod_selector=None if pods is None else parse_selector(pods),
        namespace_selector=None if namespaces is None else parse_selector(namespaces),
    )


def _network(text: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    # a bare number is an address too for ipaddress, and none for Kubernetes
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no CIDR")
    return ipaddress.ip_network(text, strict=False)


def _port(document: Mapping[str, Any]) -> PolicyPort:
    port, end = document.get("port"), document.get("endPort")
    if port is not None and (isinstance(port, bool) or not isinstance(port, (int, str))):
        raise ValueError(f"port {port!r}: neither a number nor a name")
    if isinstance(port, int) and not 1 <= port <= 65535:
        raise ValueError(f"port {port}: outside 1-65535")
    if end is not None and not (isinstance(port, int) and isinstance(end, int) and port <= end <= 65535):
        raise ValueError(f"endPort {end}: needs a numeric port that is not larger")
    return PolicyPort(protocol=Protocol(document.get("protocol") or "TCP"), port=port, end_port=end)


def policy_document(policy: NetworkPolicy) -> dict[str, Any]:
    """The policy as the API writes it; empty rule lists are left out, since the API server drops them."""
    metadata: dict[str, Any] = {"name": policy.name, "namespace": policy.namespace}
    if policy.labels:
        metadata["labels"] = dict(policy.labels)
    if policy.annotations:
        metadata["annotations"] = dict(policy.annotations)
    spec: dict[str, Any] = {
        "podSelector": selector_document(policy.pod_selector),
        "policyTypes": [kind.value for kind in policy.policy_types],
    }
    for key, peers, rules in (("ingress", "from", policy.ingress), ("egress", "to", policy.egress)):
        if rules:
            spec[key] = [_rule_document(rule, peers) for rule in rules]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def _rule_document(rule: Rule, peers: str) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if rule.peers:
        document[peers] = [peer_document(peer) for peer in rule.peers]
    if rule.ports:
        document["ports"] = [_port_document(port) for port in rule.ports]
    return document


def peer_document(peer: Peer) -> dict[str, Any]:
    """One peer as the API writes it."""
    if peer.ip_block is not None:
        block: dict[str, Any] = {"cidr": peer.ip_block.cidr}
        if peer.ip_block.except_:
            block["except"] = list(peer.ip_block.except_)
        return {"ipBlock": block}
    document: dict[str, Any] = {}
    if peer.namespace_selector is not None:
        document["namespaceSelector"] = selector_document(peer.namespace_selector)
    if peer.pod_selector is not None:
        document["podSelector"] = selector_document(peer.pod_selector)
    return document


def _port_document(port: PolicyPort) -> dict[str, Any]:
    document: dict[str, Any] = {"protocol": port.protocol.value}
    if port.port is not None:
        document["port"] = port.port
    if port.end_port is not None:
        document["endPort"] = port.end_port
    return document
