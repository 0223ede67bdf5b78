"""May this connection pass? Small and literal: one connection, every rule (networking.k8s.io/v1)."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule

METADATA_NAME = "kubernetes.io/metadata.name"

PeerKind = tuple[tuple[int, int], tuple[str, frozenset[tuple[str, str]], bool] | None]
"""Where an address lies among the bounds of its family; of a pod also namespace, labels and host network."""


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
        self._bounds = _bounds(self._policies.values())
        self._peers: dict[tuple[int, str, PeerKind], bool] = {}
        self._kinds: dict[tuple[str, Address], PeerKind] = {}
        self._labels: dict[str, Mapping[str, str]] = {}

    def kind(self, end: ConnectionEnd) -> PeerKind:
        """What peers see of an end: ends of the same kind match the same ones.

        Of an address it matters between which bounds of CIDRs it lies.
        """
        asked = (end.pod.uid if end.pod is not None else "", end.address)
        known = self._kinds.get(asked)
        if known is None:
            parsed = ipaddress.ip_address(end.address)
            place = (parsed.version, bisect_right(self._bounds[parsed.version], int(parsed)))
            pod = end.pod
            seen = (
                (pod.namespace, frozenset(pod.labels.items()), pod.host_network) if pod is not None else None
            )
            known = self._kinds[asked] = (place, seen)
        return known

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
        return (not rule.peers or self.is_peer(rule, namespace, peer)) and (
            not rule.ports or any(port_matches(item, protocol, port, server.pod) for item in rule.ports)
        )

    def is_peer(self, rule: Rule, namespace: str, end: ConnectionEnd) -> bool:
        """True when a peer of a rule of these policies, which stands in a namespace, matches the end."""
        # by identity: the policies live as long as this does, and to compare rules takes as long as to judge
        asked = (id(rule), namespace, self.kind(end))
        known = self._peers.get(asked)
        if known is None:
            known = any(self._peer_matches(item, namespace, end) for item in rule.peers)
            self._peers[asked] = known
        return known

    def _peer_matches(self, peer: Peer, namespace: str, end: ConnectionEnd) -> bool:
        if peer.ip_block is not None:
            return block_contains(peer.ip_block, end.address)
        pod = end.pod
        if pod is None or pod.host_network:
            return False
        if peer.namespace_selector is None:
            if pod.namespace != namespace:
                return False
        elif not peer.namespace_selector.matches(self._labels_of(pod.namespace)):
            return False
        return peer.pod_selector is None or peer.pod_selector.matches(pod.labels)

    def _labels_of(self, namespace: str) -> Mapping[str, str]:
        known = self._labels.get(namespace)
        if known is None:
            known = self._labels[namespace] = self.namespace_labels(namespace)
        return known

    def namespace_labels(self, name: str) -> dict[str, str]:
        """A namespace's labels; the API server guarantees `kubernetes.io/metadata.name`."""
        return {METADATA_NAME: name, **self._namespaces.get(name, {})}


def _bounds(policies: Iterable[Iterable[NetworkPolicy]]) -> dict[int, list[int]]:
    """Where CIDRs begin and where they have just ended, for each family."""
    found: dict[int, set[int]] = {4: set(), 6: set()}
    for policy in chain.from_iterable(policies):
        for rule in chain.from_iterable(map(policy.rules, PolicyType)):
            for block in (peer.ip_block for peer in rule.peers if peer.ip_block is not None):
                for text in (block.cidr, *block.except_):
                    network = ipaddress.ip_network(text, strict=False)
                    found[network.version] |= {int(network[0]), int(network[-1]) + 1}
    return {family: sorted(bounds) for family, bounds in found.items()}


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
