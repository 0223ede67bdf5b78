"""May this connection pass? Both ends, every pod of them, under each meaning that network plugins give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled, blocks_hold
from kubectl_netpolgen.semantics.end_verdicts import EndVerdicts
from kubectl_netpolgen.semantics.ends import End, EndKind, Ends
from kubectl_netpolgen.semantics.subjects import Cast, HostNetwork, cast_of
from kubectl_netpolgen.semantics.verdicts import (
    OPEN,
    Decision,
    EndAnswer,
    Verdict,
    all_of,
    both,
    depending,
    either,
)

_BLOCKS = "an ipBlock holds the address of a pod, and network plugins differ in whether it means it"
_HOST = "a pod of its node's network is a pod to some network plugins and its node to others"
_HAIRPIN = "a pod that reaches itself through its Service is not defined by NetworkPolicy"
_OTHER_NODE = "network plugins differ in whether an ipBlock means a node other than the pod's own"
_SOME_NODE = "a pod's own node may always reach it, and which node this pod is on is not known"


class _Variant(NamedTuple):
    """Pods of an end that policies do not tell apart."""

    group: int
    """Their class."""
    family: int
    """4 or 6; 0 of a template, which may have either."""
    pods: frozenset[str]
    """Of a template none."""


class Judge:
    """Judges connections between ends, by policies that are compiled once for each meaning that matters."""

    def __init__(
        self,
        manifests: Manifests,
        *,
        blocks: BlocksAndPods | None = None,
        host_network: HostNetwork | None = None,
        brief: bool = False,
    ) -> None:
        """None for `blocks` and `host_network` leaves open what they mean: answers may depend on it."""
        on_nodes = cast_of(manifests, per_pod=True, host_network=HostNetwork.NODE)
        self.ends = Ends(manifests, on_nodes)
        hosts = [host_network] if host_network else _hosts(on_nodes)
        kinds = [blocks] if blocks else _blocks(manifests, on_nodes)
        self._reason = _HOST if len(hosts) > 1 else _BLOCKS
        namespaces = {item.name: item.labels for item in manifests.namespaces}
        self._readings = [
            _Reading(
                Compiled(
                    manifests.policies,
                    (on_nodes if host is HostNetwork.NODE else _as_pods(manifests)).members,
                    namespaces,
                    blocks=kind,
                    tiers=manifests.tiers,
                ),
                self.ends,
                brief=brief,
            )
            for host in hosts
            for kind in kinds
        ]
        self.compiled = self._readings[0].compiled
        self._verdicts: dict[tuple[EndAnswer, EndAnswer], Verdict] = {}

    def judge(self, source: End, destination: End, protocol: Protocol, port: int) -> Verdict:
        """What both ends say on a connection; equal verdicts may be the same object."""
        for end in (source, destination):
            if end.kind is EndKind.UNKNOWN:
                return _unresolved(end.reason)
        if source.kind is EndKind.SERVICE:
            return _unresolved(f"{source.address} is a Service's, from which nobody connects")
        if destination.kind is EndKind.SERVICE:
            return self._through_service(source, destination, protocol, port)
        if len(self._readings) == 1:
            answers = self._readings[0].of_two_pods(source, destination, protocol, port)
            if answers is not None:
                return self._verdict(*answers)
        return self._between([(source, destination, port)], protocol)

    def _verdict(self, egress: EndAnswer, ingress: EndAnswer) -> Verdict:
        """What two ends come to, where plugins agree; made once."""
        known = self._verdicts.get((egress, ingress))
        if known is None:
            decision = both(egress.decision, ingress.decision)
            known = Verdict(decision, egress, ingress)
            if len(self._verdicts) > _REMEMBERED:
                self._verdicts.clear()
            self._verdicts[(egress, ingress)] = known
        return known

    def _between(
        self, asked: list[tuple[End, End, int]], protocol: Protocol, *, hairpin: bool = False
    ) -> Verdict:
        egress, ingress, decisions = [], [], set()
        for reading in self._readings:
            pairs = [
                pair
                for source, destination, port in asked
                for pair in reading.answers(source, destination, protocol, port, hairpin=hairpin)
            ]
            if not pairs:
                return _unresolved("the two ends have no family of addresses in common")
            out, into = (all_of([pair[end] for pair in pairs]) for end in (0, 1))
            egress.append(out)
            ingress.append(into)
            decisions.add(both(out.decision, into.decision))
        out, into = either(egress, self._reason), either(ingress, self._reason)
        decision = decisions.pop() if len(decisions) == 1 else Decision.CNI_DEPENDENT
        reason = (out.reason or into.reason or self._reason) if decision is Decision.CNI_DEPENDENT else ""
        return Verdict(decision, out, into, reason)

    def _through_service(self, source: End, destination: End, protocol: Protocol, port: int) -> Verdict:
        """A Service's address is never what rules are judged on: its pods and their port are."""
        service = destination.service
        assert service is not None
        name = f"Service {service.namespace}/{service.name}"
        found = [item for item in service.ports if item.protocol is protocol and item.port == port]
        if not found:
            return _unresolved(f"{name} has no port {port}/{protocol.value}")
        if not service.selector:
            return _unresolved(f"{name} selects no pods, so nobody knows whom it leads to")
        by_port: dict[int, list[int]] = {}
        for number in self.ends.behind(service):
            target = found[0].target_port
            for declared in self.compiled.classes.members[self.compiled.classes.of[number]].ports:
                if declared.name == target and declared.protocol is protocol:
                    target = declared.port
            if isinstance(target, int):
                by_port.setdefault(target, []).append(number)
        if not by_port:
            return _unresolved(f"{name} selects no pod with that port")
        asked = [
            (source, self.ends.of_members(members), number) for number, members in sorted(by_port.items())
        ]
        return self._between(asked, protocol, hairpin=True)


_REMEMBERED = 1 << 17


class _Reading:
    """The policies with one meaning of what network plugins differ in."""

    def __init__(self, compiled: Compiled, ends: Ends, *, brief: bool) -> None:
        self.compiled = compiled
        self._ends = ends
        self._judged = EndVerdicts(compiled, brief=brief)
        self._variants: dict[End, tuple[_Variant, ...]] = {}

    def of_two_pods(
        self, source: End, destination: End, protocol: Protocol, port: int
    ) -> tuple[EndAnswer, EndAnswer] | None:
        """What `answers` says where there is one pair, which is what most flows are; None elsewhere."""
        if not source.pod or not destination.pod or source.pod == destination.pod:
            return None
        clients, servers = self._of(source), self._of(destination)
        if len(clients) != 1 or len(servers) != 1 or clients[0].family != servers[0].family:
            return None
        client, server = clients[0].group, servers[0].group
        if self.compiled.classes.members[client].host_network:
            return None
        atom = self.compiled.ports.atom(protocol, port)
        return (
            self._judged.of_pod(PolicyType.EGRESS, client, server, atom),
            self._judged.of_pod(PolicyType.INGRESS, server, client, atom),
        )

    def answers(
        self, source: End, destination: End, protocol: Protocol, port: int, *, hairpin: bool
    ) -> Iterator[tuple[EndAnswer, EndAnswer]]:
        """Egress and ingress of each pair of unlike pods."""
        atom = self.compiled.ports.atom(protocol, port)
        if source.kind is EndKind.PODS and destination.kind is EndKind.PODS:
            if source.pod and source.pod == destination.pod and not hairpin:
                yield OPEN, OPEN
                return
            for client in self._of(source):
                for server in self._of(destination):
                    if client.family == server.family or not client.family or not server.family:
                        yield from self._pair(client, server, atom, hairpin=hairpin)
            return
        if source.kind is EndKind.PODS:
            assert destination.address is not None
            place = self.compiled.addresses.atom(destination.address)
            for client in self._of(source):
                yield self._judged.of_outside(PolicyType.EGRESS, client.group, place, atom), OPEN
        elif destination.kind is EndKind.PODS:
            assert source.address is not None
            place = self.compiled.addresses.atom(source.address)
            for server in self._of(destination):
                answer = self._judged.of_outside(PolicyType.INGRESS, server.group, place, atom)
                if source.kind is EndKind.NODE:
                    yield OPEN, self._from_node({source.node}, server, atom, answer)
                else:
                    yield OPEN, answer
        else:
            yield OPEN, OPEN

    def _pair(
        self, client: _Variant, server: _Variant, atom: int, *, hairpin: bool
    ) -> Iterator[tuple[EndAnswer, EndAnswer]]:
        alone = len(client.pods) == 1 and client.pods == server.pods
        if alone and not hairpin:
            yield OPEN, OPEN
            return
        egress = self._judged.of_pod(PolicyType.EGRESS, client.group, server.group, atom)
        ingress = self._judged.of_pod(PolicyType.INGRESS, server.group, client.group, atom)
        if self.compiled.classes.members[client.group].host_network:
            nodes = {self._ends.nodes[pod] for pod in client.pods}
            ingress = self._from_host(nodes, server, ingress)
        if not alone:
            yield egress, ingress
        if hairpin and client.pods & server.pods:
            # nothing keeps a pod from itself, and some plugins hold policies against it on this way
            yield tuple(
                item if item.decision is Decision.ALLOWED else depending(item, _HAIRPIN)
                for item in (egress, ingress)
            )  # type: ignore[misc]

    def _from_host(self, nodes: set[str], server: _Variant, answer: EndAnswer) -> EndAnswer:
        """Pods of a node's network come from that node, and a pod's own node always reaches it."""
        theirs = {self._ends.nodes[pod] for pod in server.pods}
        if answer.decision is Decision.ALLOWED:
            return answer
        if len(nodes) == 1 and nodes == theirs and "" not in nodes:
            return OPEN
        return depending(answer, _SOME_NODE) if not theirs or "" in nodes | theirs else answer

    def _from_node(self, nodes: set[str], server: _Variant, atom: int, answer: EndAnswer) -> EndAnswer:
        theirs = {self._ends.nodes[pod] for pod in server.pods}
        if answer.default or theirs == nodes:
            return OPEN
        if self._judged.to_anyone(PolicyType.INGRESS, server.group, atom):
            return answer
        if not theirs or "" in theirs:
            return depending(answer, _SOME_NODE)
        return depending(answer, _OTHER_NODE) if answer.decision is Decision.ALLOWED else answer

    def _of(self, end: End) -> tuple[_Variant, ...]:
        known = self._variants.get(end)
        if known is None:
            found: dict[tuple[int, int], set[str]] = {}
            for number in end.members:
                group = self.compiled.classes.of[number]
                pods = found.setdefault((group, self._ends.families[number]), set())
                if number in self._ends.pods:
                    pods.add(self._ends.pods[number])
            known = tuple(_Variant(*key, frozenset(pods)) for key, pods in found.items())
            if len(self._variants) > _REMEMBERED:
                self._variants.clear()
            self._variants[end] = known
        return known


def _unresolved(reason: str) -> Verdict:
    return Verdict(Decision.UNRESOLVED, None, None, reason)


def _as_pods(manifests: Manifests) -> Cast:
    return cast_of(manifests, per_pod=True, host_network=HostNetwork.POD)


def _hosts(cast: Cast) -> list[HostNetwork]:
    """Both meanings where there are pods of their node's network."""
    return list(HostNetwork) if any(item.host_network for item in cast.members) else [HostNetwork.POD]


def _blocks(manifests: Manifests, cast: Cast) -> list[BlocksAndPods]:
    """Both meanings where they matter."""
    matters = blocks_hold(manifests.policies, cast.members)
    return list(BlocksAndPods) if matters else [BlocksAndPods.MATCH]
