"""What administrators' tiers and NetworkPolicies say together, pair by pair, as the API describes it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import Action, Tier, TierPeer, TierPolicy, TierRule
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator

Labels = Mapping[str, Mapping[str, str]]


def allowed(
    tiers: Iterable[TierPolicy],
    literal: Evaluator,
    namespaces: Labels,
    source: ConnectionEnd,
    destination: ConnectionEnd,
    protocol: Protocol,
    port: int,
    direction: PolicyType,
) -> bool:
    """One end of one connection."""
    egress = direction is PolicyType.EGRESS
    subject, peer = (source, destination) if egress else (destination, source)
    judged = (literal.egress if egress else literal.ingress)(source, destination, protocol, port)
    ordered = sorted(tiers, key=lambda item: (item.priority, item.name))

    def first(tier: Tier) -> Action | None:
        for policy in ordered:
            if policy.tier is tier and _is(policy.namespaces, policy.pods, subject.pod, namespaces):
                for rule in policy.rules(direction):
                    if _matches(rule, peer, destination, protocol, port, namespaces):
                        return rule.action
        return None

    admin = first(Tier.ADMIN)
    if admin in (Action.ACCEPT, Action.DENY):
        return admin is Action.ACCEPT
    if judged.isolated_by:
        return judged.allowed
    return first(Tier.BASELINE) is not Action.DENY


def _is(namespaces: LabelSelector, pods: LabelSelector | None, pod: Pod | None, known: Labels) -> bool:
    if pod is None or pod.host_network:
        return False
    labels = {"kubernetes.io/metadata.name": pod.namespace, **known.get(pod.namespace, {})}
    return namespaces.matches(labels) and (pods is None or pods.matches(pod.labels))


def _matches(
    rule: TierRule,
    peer: ConnectionEnd,
    server: ConnectionEnd,
    protocol: Protocol,
    port: int,
    namespaces: Labels,
) -> bool:
    if not any(_is_peer(item, peer, namespaces) for item in rule.peers):
        return False
    declared = server.pod.ports if server.pod is not None else ()
    return not rule.ports or any(
        item.first <= port <= item.last and item.protocol is protocol
        if item.protocol is not None
        else any((one.name, one.port, one.protocol) == (item.name, port, protocol) for one in declared)
        for item in rule.ports
    )


def _is_peer(item: TierPeer, peer: ConnectionEnd, namespaces: Labels) -> bool:
    if item.namespaces is not None:
        return _is(item.namespaces, item.pods, peer.pod, namespaces)
    where = ipaddress.ip_address(peer.address)
    return any(where in ipaddress.ip_network(text) for text in item.networks)
