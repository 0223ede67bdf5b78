"""Parts of policies that the API server takes and that never match: mostly slips of a pen."""

from __future__ import annotations

from collections.abc import Iterator

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import NetworkPolicy, Peer, PolicyType, Rule
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.members import ClassMask, numbers_of
from kubectl_netpolgen.semantics.subjects import cast_of


def find_idle(manifests: Manifests) -> tuple[Finding, ...]:
    """A finding for each subject or peer that selects no pod, and each port by name that nothing can have.

    Nothing is said where there are no pods and no templates at all: policies alone may be meant for any.
    """
    cast = cast_of(manifests)
    if not cast.members:
        return ()
    namespaces = {namespace.name: namespace.labels for namespace in manifests.namespaces}
    search = _Search(Compiled(manifests.policies, cast.members, namespaces))
    return tuple(finding for policy in manifests.policies for finding in search.of_policy(policy))


class _Search:
    """What the classes of pods say about one policy after the other."""

    def __init__(self, compiled: Compiled) -> None:
        self._classes = compiled.classes

    def of_policy(self, policy: NetworkPolicy) -> Iterator[Finding]:
        """The findings of one policy, subjects first, then rule by rule."""
        subjects = self._classes.selected(policy.pod_selector) & self._classes.in_namespace(policy.namespace)
        if not subjects:
            yield _finding(policy, "spec.podSelector", "selects no pod, so the policy does nothing")
        for direction in PolicyType:
            # rules of a direction that is not among the policyTypes are never read
            if direction not in policy.policy_types:
                continue
            for number, rule in enumerate(policy.rules(direction)):
                where = f"spec.{direction.value.lower()}[{number}]"
                yield from self._rule(policy, direction, rule, where, subjects)

    def _rule(
        self, policy: NetworkPolicy, direction: PolicyType, rule: Rule, where: str, subjects: ClassMask
    ) -> Iterator[Finding]:
        field = "from" if direction is PolicyType.INGRESS else "to"
        reached: ClassMask = 0 if rule.peers else self._classes.all
        for index, peer in enumerate(rule.peers):
            selected = self._peer(policy, peer)
            reached |= selected
            if peer.ip_block is None and not selected:
                yield _finding(policy, f"{where}.{field}[{index}]", "selects no pod")
        servers = subjects if direction is PolicyType.INGRESS else reached
        only_addresses = bool(rule.peers) and all(peer.ip_block is not None for peer in rule.peers)
        for index, port in enumerate(rule.ports):
            if not isinstance(port.port, str):
                continue
            place = f"{where}.ports[{index}]"
            if direction is PolicyType.EGRESS and only_addresses:
                yield _finding(
                    policy, place, f"{port.port!r} is a name, and addresses have no names of ports"
                )
            elif servers and not self._declares(servers, port.protocol, port.port):
                yield _finding(
                    policy, place, f"no pod that it is about declares {port.protocol.value} {port.port!r}"
                )

    def _peer(self, policy: NetworkPolicy, peer: Peer) -> ClassMask:
        if peer.ip_block is not None:
            return 0
        known = self._classes.all if peer.pod_selector is None else self._classes.selected(peer.pod_selector)
        if peer.namespace_selector is None:
            return known & self._classes.in_namespace(policy.namespace)
        return known & self._classes.in_namespaces(peer.namespace_selector)

    def _declares(self, servers: ClassMask, protocol: Protocol, name: str) -> bool:
        return any(
            port.name == name and port.protocol is protocol
            for number in numbers_of(servers)
            for port in self._classes.members[number].ports
        )


def _finding(policy: NetworkPolicy, where: str, message: str) -> Finding:
    return Finding(
        "never-matches",
        Severity.WARNING,
        f"{policy.namespace}/{policy.name}: {where}",
        message,
        "check the spelling, or leave it out; manifests that are not given count as missing",
    )
