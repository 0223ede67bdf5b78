"""Before anything is written: every accepted edge is allowed at both ends by what will be in the cluster."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.dns import ASSUMED_NAMESPACE, ASSUMED_SELECTOR, is_dns_edge, node_local
from kubectl_netpolgen.generation.peers import decided_ports
from kubectl_netpolgen.model.decision import Decision
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import ContainerPort, ObjectKey, Pod
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyType
from kubectl_netpolgen.model.selector import LabelSelector, Operator
from kubectl_netpolgen.semantics.evaluation import (
    METADATA_NAME,
    AllowedBy,
    ConnectionEnd,
    EndVerdict,
    Evaluator,
    block_contains,
)

_NOWHERE = Address("0.0.0.0")


@dataclass(frozen=True)
class ProofRow:
    """One edge, judged at both ends for every pair of its pods."""

    edge: str
    egress: bool
    ingress: bool
    refused_by: tuple[str, ...]
    """Policies that isolate the refusing end; empty when the edge is allowed."""
    rules: tuple[tuple[PolicyType, AllowedBy], ...] = ()
    """The rules that allow it, at either end."""

    @property
    def allowed(self) -> bool:
        """Both ends let it pass."""
        return self.egress and self.ingress


@dataclass(frozen=True)
class Proof:
    """Every accepted edge's verdict under generated plus existing policies."""

    rows: tuple[ProofRow, ...]

    @property
    def failures(self) -> tuple[ProofRow, ...]:
        """Edges that would break."""
        return tuple(row for row in self.rows if not row.allowed)


def prove(
    edges: Sequence[Edge],
    policies: Iterable[NetworkPolicy],
    timeline: Timeline,
    *,
    decisions: Mapping[str, Decision],
) -> Proof:
    """Judge each edge under the new policies and those in the cluster that they do not replace."""
    written = {(policy.namespace, policy.name): policy for policy in policies}
    standing = {(policy.namespace, policy.name): policy for policy in timeline.policies}
    labels = {name: dict(namespace.labels) for name, namespace in timeline.namespaces.items()}
    for decision in decisions.values():
        peer = decision.peer
        if peer is not None and peer.namespace_selector is not None:
            labels.setdefault(_namespace_of(peer, decision.edge), _satisfying(peer.namespace_selector))
    evaluator = Evaluator({**standing, **written}.values(), labels)
    return Proof(tuple(_row(edge, evaluator, timeline, decisions.get(edge.id)) for edge in edges))


def _row(edge: Edge, evaluator: Evaluator, timeline: Timeline, decision: Decision | None) -> ProofRow:
    peer = decision.peer if decision is not None else None
    decided = _numbered(decided_ports(edge, decision))
    clients = _ends(edge, edge.client, edge.client_pods, timeline, peer)
    servers = _ends(edge, edge.server, edge.server_pods, timeline, peer)
    if decided:
        servers = [_as_decided(server, peer, edge.protocol, decided) for server in servers]
    egress = ingress = True
    refused: set[str] = set()
    rules: set[tuple[PolicyType, AllowedBy]] = set()
    # a pod alone may be client and server of itself, which no policy forbids
    enough = 2 if edge.client.identity == edge.server.identity else 1
    by_node = edge.client.kind is EndpointKind.NODE
    for client in _unlike(clients, evaluator, enough, by_node):
        for server in _unlike(servers, evaluator, enough, by_node):
            if client.pod is not None and server.pod is not None and client.pod.uid == server.pod.uid:
                continue
            out = _egress(edge, client, server, evaluator, tuple(decided))
            into = _all(
                evaluator.ingress(client, server, edge.protocol, port) for port in decided or (edge.port,)
            )
            into_allowed = into.allowed or _own_node(edge, server)
            egress, ingress = egress and out.allowed, ingress and into_allowed
            rules.update((PolicyType.EGRESS, rule) for rule in out.allowed_by)
            rules.update((PolicyType.INGRESS, rule) for rule in into.allowed_by)
            refused.update(out.isolated_by if not out.allowed else ())
            refused.update(into.isolated_by if not into_allowed else ())
    if not clients or not servers:
        # nobody to judge: an edge without a pod at either end cannot be shown to hold
        return ProofRow(edge.id, False, False, ())
    ordered = sorted(rules, key=lambda item: (item[0].value, item[1].policy, item[1].rule))
    return ProofRow(edge.id, egress, ingress, tuple(sorted(refused)), tuple(ordered))


def _unlike(
    ends: Iterable[ConnectionEnd], evaluator: Evaluator, enough: int, by_node: bool
) -> list[ConnectionEnd]:
    """At most `enough` of those that are judged alike; on another node one is not where nodes are clients."""
    found: dict[object, list[ConnectionEnd]] = {}
    for end in ends:
        pod = end.pod
        node = pod.node if pod is not None and by_node else ""
        alike = found.setdefault((evaluator.kind(end), pod.ports if pod is not None else (), node), [])
        if len(alike) < enough:
            alike.append(end)
    return [end for alike in found.values() for end in alike]


def _own_node(edge: Edge, server: ConnectionEnd) -> bool:
    """A pod's own node may always reach it (NetworkPolicy documentation, kubelet traffic)."""
    return (
        edge.client.kind is EndpointKind.NODE
        and server.pod is not None
        and server.pod.node == edge.client.name
    )


def _ends(
    edge: Edge, end: Endpoint, uids: tuple[str, ...], timeline: Timeline, peer: Peer | None
) -> list[ConnectionEnd]:
    if end.kind is EndpointKind.WORKLOAD:
        seen = [timeline.pods[uid] for uid in uids if uid in timeline.pods]
        pods = seen or list(timeline.pods_of(ObjectKey(end.owner_kind, end.namespace, end.name)))
        return [ConnectionEnd(_address(pod), pod) for pod in pods]
    if end.kind in (EndpointKind.NODE, EndpointKind.API_SERVER) and peer is None:
        known = edge.addresses if end is edge.server else timeline.node_addresses(end.name)
        return [ConnectionEnd(address) for address in known] or [ConnectionEnd(_NOWHERE)]
    if is_dns_edge(edge) and end is edge.server and peer is None and node_local(edge) is None:
        return [ConnectionEnd(_NOWHERE, _stand_in(ASSUMED_NAMESPACE, dict(ASSUMED_SELECTOR.match_labels)))]
    if peer is not None and peer.ip_block is None:
        return [ConnectionEnd(_NOWHERE, _stand_in_for(peer, edge))]
    if end.address:
        return [ConnectionEnd(Address(end.address))]
    if peer is not None and peer.ip_block is not None:
        return [ConnectionEnd(_address_in(peer.ip_block))]
    return []


def _numbered(ports: tuple[int | str, ...]) -> dict[int, str]:
    """Port numbers and their names; a name is given a number, which only its pods could tell."""
    free = (number for number in range(65535, 0, -1) if number not in ports)
    return {port if isinstance(port, int) else next(free): str(port) for port in ports}


def _as_decided(
    server: ConnectionEnd, peer: Peer | None, protocol: Protocol, ports: Mapping[int, str]
) -> ConnectionEnd:
    """The server as a person says it is: pods with these ports, or an address of the CIDR."""
    if server.pod is not None:
        declared = tuple(ContainerPort(name, number, protocol) for number, name in ports.items())
        return replace(server, pod=replace(server.pod, ports=declared))
    block = peer.ip_block if peer is not None else None
    if block is not None and not block_contains(block, server.address):
        return ConnectionEnd(_address_in(block))
    return server


def _address_in(block: IPBlock) -> Address:
    """An address of the block that no exception takes out, where there is one."""
    network = ipaddress.ip_network(block.cidr, strict=False)
    first = int(network[0])
    after = (int(ipaddress.ip_network(text, strict=False)[-1]) + 1 - first for text in block.except_)
    offsets = (0, *(offset for offset in after if 0 < offset < network.num_addresses))
    found = [Address(str(network[offset])) for offset in offsets]
    return next((address for address in found if block_contains(block, address)), found[0])


def _all(verdicts: Iterable[EndVerdict]) -> EndVerdict:
    """The first refusal, where there is one; else all rules that allow any."""
    judged = list(verdicts)
    refusal = next((verdict for verdict in judged if not verdict.allowed), None)
    return refusal or replace(judged[0], allowed_by=_rules(judged))


def _rules(verdicts: Iterable[EndVerdict]) -> tuple[AllowedBy, ...]:
    return tuple(dict.fromkeys(rule for verdict in verdicts for rule in verdict.allowed_by))


def _egress(
    edge: Edge,
    client: ConnectionEnd,
    server: ConnectionEnd,
    evaluator: Evaluator,
    decided: tuple[int, ...],
) -> EndVerdict:
    """A server on every port that a person gave, the API server on any one of its own, others on theirs."""
    if decided:
        return _all(evaluator.egress(client, server, edge.protocol, port) for port in decided)
    verdicts = [
        evaluator.egress(client, server, edge.protocol, port) for port in (edge.ports or (edge.port,))
    ]
    found = next((verdict for verdict in verdicts if verdict.allowed), verdicts[0])
    return replace(found, allowed_by=_rules(verdicts))


def _address(pod: Pod) -> Address:
    return pod.addresses[0] if pod.addresses else _NOWHERE


def _stand_in(namespace: str, labels: Mapping[str, str]) -> Pod:
    """A pod nobody could show us, with the labels that the rule takes for granted."""
    return Pod(uid=f"assumed/{namespace}", namespace=namespace, name="assumed", labels=dict(labels))


def _stand_in_for(peer: Peer, edge: Edge) -> Pod:
    namespace = edge.client.namespace or edge.server.namespace
    if peer.namespace_selector is not None:
        namespace = _namespace_of(peer, edge.id)
    return _stand_in(namespace, _satisfying(peer.pod_selector or LabelSelector()))


def _namespace_of(peer: Peer, edge: str) -> str:
    """The namespace that a decided peer names, or one that can only be this decision's."""
    wanted = _satisfying(peer.namespace_selector or LabelSelector())
    return wanted.get(METADATA_NAME, f"decided for {edge}")


def _satisfying(selector: LabelSelector) -> dict[str, str]:
    """Labels that the selector matches, where any do."""
    labels = dict(selector.match_labels)
    for item in selector.match_expressions:
        if item.operator is Operator.IN:
            labels.setdefault(item.key, item.values[0])
        elif item.operator is Operator.EXISTS:
            labels.setdefault(item.key, "")
    return labels
