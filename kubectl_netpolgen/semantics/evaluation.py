"""May this connection pass? Small and literal: one connection, every rule (networking.k8s.io/v1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule

METADATA_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class ConnectionEnd:
    """One end of a connection: a pod, or an address that is nobody's pod."""

    address: Address
    pod: Pod | None = None


@dataclass(frozen=True)
class AllowedBy:
    """A rule that allows the connection at one end."""

    policy: str
    """namespace/name."""
    rule: int
    """Counts from 1 within the direction."""


@dataclass(frozen=True)
class EndVerdict:
    """What one end's policies say."""

    allowed: bool
    isolated_by: tuple[str, ...]
    """Policies that isolate this end in this direction; none means open by default."""
    allowed_by: tuple[AllowedBy, ...]


class Evaluator:
    """Judges connections against a set of policies and the labels of namespaces."""

    def __init__(
        self, policies: Iterable[NetworkPolicy], namespaces: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._policies: dict[str, list[NetworkPolicy]] = {}
        for policy in policies:
            self._policies.setdefault(policy.namespace, []).append(policy)
        self._namespaces = namespaces
        self._selecting: dict[
            tuple[PolicyType, str, frozenset[tuple[str, str]]], tuple[NetworkPolicy, ...]
        ] = {}

    def egress(
        self, client: ConnectionEnd, server: ConnectionEnd, protocol: Protocol, port: int
    ) -> EndVerdict:
        """Whether the client's own policies let the connection out."""
        return self._judge(PolicyType.EGRESS, client, server, protocol, port, server)

    def ingress(
        self, client: ConnectionEnd, server: ConnectionEnd, protocol: Protocol, port: int
    ) -> EndVerdict:
        """Whether the server's own policies let the connection in."""
        return self._judge(PolicyType.INGRESS, server, client, protocol, port, server)

    def allowed(self, client: ConnectionEnd, server: ConnectionEnd, protocol: Protocol, port: int) -> bool:
        """Both ends must agree; a pod always reaches itself."""
        if client.pod is not None and server.pod is not None and client.pod.uid == server.pod.uid:
            return True
        return (
            self.egress(client, server, protocol, port).allowed
            and self.ingress(client, server, protocol, port).allowed
        )

    def _judge(
        self,
        direction: PolicyType,
        subject: ConnectionEnd,
        peer: ConnectionEnd,
        protocol: Protocol,
        port: int,
        server: ConnectionEnd,
    ) -> EndVerdict:
        pod = subject.pod
        if pod is None or pod.host_network:
            # outside the cluster, or on the node's network, where NetworkPolicy is undefined
            return EndVerdict(True, (), ())
        selecting = self._isolating(direction, pod)
        if not selecting:
            return EndVerdict(True, (), ())
        allowed_by = tuple(
            AllowedBy(f"{policy.namespace}/{policy.name}", number)
            for policy in selecting
            for number, rule in enumerate(policy.rules(direction), 1)
            if self._rule_allows(rule, policy.namespace, peer, protocol, port, server)
        )
        return EndVerdict(
            bool(allowed_by), tuple(f"{policy.namespace}/{policy.name}" for policy in selecting), allowed_by
        )

    def _isolating(self, direction: PolicyType, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """The policies that select a pod; many connections ask for pods of the same labels."""
        key = (direction, pod.namespace, frozenset(pod.labels.items()))
        found = self._selecting.get(key)
        if found is None:
            here = self._policies.get(pod.namespace, ())
            found = self._selecting[key] = isolating(here, pod, direction)
        return found

    def _rule_allows(
        self,
        rule: Rule,
        namespace: str,
        peer: ConnectionEnd,
        protocol: Protocol,
        port: int,
        server: ConnectionEnd,
    ) -> bool:
        return (not rule.peers or any(self._peer_matches(item, namespace, peer) for item in rule.peers)) and (
            not rule.ports or any(port_matches(item, protocol, port, server.pod) for item in rule.ports)
        )

    def _peer_matches(self, peer: Peer, namespace: str, end: ConnectionEnd) -> bool:
        if peer.ip_block is not None:
            return block_contains(peer.ip_block, end.address)
        pod = end.pod
        if pod is None or pod.host_network:
            return False
        if peer.namespace_selector is None:
            if pod.namespace != namespace:
                return False
        elif not peer.namespace_selector.matches(self.namespace_labels(pod.namespace)):
            return False
        return peer.pod_selector is None or peer.pod_selector.matches(pod.labels)

    def namespace_labels(self, name: str) -> dict[str, str]:
        """A namespace's labels; the API server guarantees `kubernetes.io/metadata.name`."""
        return {METADATA_NAME: name, **self._namespaces.get(name, {})}


def isolating(
    policies: Iterable[NetworkPolicy], pod: Pod, direction: PolicyType
) -> tuple[NetworkPolicy, ...]:
    """The policies that isolate a pod in a direction: those of its namespace that select it."""
    return tuple(
        policy
        for policy in policies
        if policy.namespace == pod.namespace
        and direction in policy.policy_types
        and policy.pod_selector.matches(pod.labels)
    )


def block_contains(block: IPBlock, address: Address) -> bool:
    """True when the address is in the block and in none of its exceptions; families never mix."""
    parsed = ipaddress.ip_address(address)
    if parsed not in ipaddress.ip_network(block.cidr, strict=False):
        return False
    return not any(parsed in ipaddress.ip_network(text, strict=False) for text in block.except_)


def port_matches(item: PolicyPort, protocol: Protocol, port: int, server: Pod | None) -> bool:
    """A named port is looked up on the destination pod, with its protocol; elsewhere it matches nothing."""
    if item.protocol is not protocol:
        return False
    if item.port is None:
        return True
    if isinstance(item.port, str):
        return server is not None and any(
            declared.name == item.port and declared.protocol is protocol and declared.port == port
            for declared in server.ports
        )
    return item.port <= port <= (item.end_port if item.end_port is not None else item.port)
