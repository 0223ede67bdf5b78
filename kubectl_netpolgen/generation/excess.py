"""What the policies allow beyond what was seen, between workloads that are there.

A selector says labels, not workloads: where two share them, both get what one needed; and a policy for a
group gives each member what another one needed. What a rule for anybody lets in is told by itself
(`outsiders.py`) and not counted pair by pair; that pods may ask the DNS is assumed, and marked so (`dns.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import ObjectKey, Pod
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.semantics.evaluation import ConnectionEnd, Evaluator

_NOWHERE = Address("0.0.0.0")
_LISTED = 8


@dataclass(frozen=True, order=True)
class Excess:
    """One pair of workloads and a port that nobody was seen to use and that is allowed."""

    client: ObjectKey
    server: ObjectKey
    protocol: Protocol
    port: int

    def __str__(self) -> str:
        return f"{self.client} -> {self.server} {self.port}/{self.protocol.value}"


def find_excess(
    edges: Iterable[Edge],
    policies: Sequence[NetworkPolicy],
    timeline: Timeline,
    *,
    assumed: Collection[Rule] = (),
) -> tuple[Excess, ...]:
    """Pairs that both ends allow by the written and the standing policies, and that are no edge.

    Asked of every server that a written policy isolates, on the ports of its rules, and of every one that a
    written egress rule names, on the ports of that rule unless it is `assumed`; and of one living pod for
    each set of labels: pods of the same labels are judged alike.
    """
    written = {(policy.namespace, policy.name): policy for policy in policies}
    standing = {(policy.namespace, policy.name): policy for policy in timeline.policies}
    labels = {name: dict(namespace.labels) for name, namespace in timeline.namespaces.items()}
    evaluator = Evaluator({**standing, **written}.values(), labels)
    seen = {_seen(edge) for edge in edges}
    kinds = list(_living(timeline))
    outward = [list(_outward(policies, kind.pod, assumed)) for kind in kinds]
    found: set[Excess] = set()
    for server in kinds:
        inward = set(_ports(policies, server.pod))
        for client, rules in zip(kinds, outward, strict=True):
            # a workload reaches itself where it has a second pod
            pod = server.twin if client is server else server.pod
            if pod is None:
                continue
            end = _end(pod)
            ports = inward.union(
                (port.protocol, number)
                for rule in rules
                if evaluator.is_peer(rule, client.pod.namespace, end)
                for port in rule.ports
                for number in _numbers(port, pod)
            )
            rows = {Excess(client.key, server.key, *port) for port in ports} - seen - found
            found.update(
                row for row in rows if evaluator.allowed(_end(client.pod), end, row.protocol, row.port)
            )
    return tuple(sorted(found))


def _seen(edge: Edge) -> Excess | None:
    if edge.client.kind is not EndpointKind.WORKLOAD or edge.server.kind is not EndpointKind.WORKLOAD:
        return None
    client, server = (
        ObjectKey(end.owner_kind, end.namespace, end.name) for end in (edge.client, edge.server)
    )
    return Excess(client, server, edge.protocol, edge.port)


@dataclass(frozen=True)
class _Kind:
    """A living pod for a workload and a set of labels and declared ports, and another one like it."""

    key: ObjectKey
    pod: Pod
    twin: Pod | None = None


def _living(timeline: Timeline) -> Iterator[_Kind]:
    known: dict[object, _Kind] = {}
    for uid in sorted(timeline.present):
        pod = timeline.pods[uid]
        if pod.finished or pod.host_network or pod.deleting:
            continue
        key = timeline.top_owner(pod).key
        kind = (key, pod.namespace, frozenset(pod.labels.items()), pod.ports)
        if kind not in known:
            known[kind] = _Kind(key, pod)
        elif known[kind].twin is None:
            known[kind] = replace(known[kind], twin=pod)
    yield from known.values()


def _outward(policies: Iterable[NetworkPolicy], pod: Pod, assumed: Collection[Rule]) -> Iterator[Rule]:
    """The egress rules with peers that hold for a pod."""
    for policy in policies:
        if policy.namespace == pod.namespace and policy.pod_selector.matches(pod.labels):
            yield from (rule for rule in policy.egress if rule.peers and rule not in assumed)


def _ports(policies: Iterable[NetworkPolicy], pod: Pod) -> Iterator[tuple[Protocol, int]]:
    """The numbers that rules with peers name for a pod; of a range its ends."""
    for policy in policies:
        if policy.namespace != pod.namespace or not policy.pod_selector.matches(pod.labels):
            continue
        for rule in policy.rules(PolicyType.INGRESS):
            if rule.peers:
                for port in rule.ports:
                    yield from ((port.protocol, number) for number in _numbers(port, pod))


def _numbers(port: PolicyPort, pod: Pod) -> Iterator[int]:
    if isinstance(port.port, int):
        yield port.port
        if port.end_port is not None:
            yield port.end_port
    else:
        yield from (
            item.port for item in pod.ports if item.name == port.port and item.protocol is port.protocol
        )


def _end(pod: Pod) -> ConnectionEnd:
    return ConnectionEnd(pod.addresses[0] if pod.addresses else _NOWHERE, pod)


def told(found: Sequence[Excess]) -> Iterator[Finding]:
    """One finding for each server."""
    by_server: dict[ObjectKey, list[Excess]] = {}
    for item in found:
        by_server.setdefault(item.server, []).append(item)
    for server, items in by_server.items():
        shown = ", ".join(f"{item.client} on {item.port}/{item.protocol.value}" for item in items[:_LISTED])
        more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
        yield Finding(
            "allowed-unseen",
            Severity.WARNING,
            str(server),
            f"the policies also let in, though it was not seen: {shown}{more}",
            "--per workload, labels that tell the workloads apart, or no open rule, would keep them out",
        )
