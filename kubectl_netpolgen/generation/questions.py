"""What only a person can say about an edge, and what rests on their word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from kubectl_netpolgen.generation.dns import LINK_LOCAL
from kubectl_netpolgen.generation.peers import Peers, decided_ports
from kubectl_netpolgen.generation.rules import Unresolved
from kubectl_netpolgen.model.decision import Decision
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.network import Address, host_network
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.evaluation import METADATA_NAME

# A name that pods resolve for a Service or a pod (Kubernetes DNS specification), with the namespace in it.
_CLUSTER_NAME = re.compile(r"[^.]+(?:\.[^.]+)?\.(?P<namespace>[a-z0-9-]{1,63})\.(?:svc|pod)(?:\.|$)")


def question(item: Unresolved) -> Finding:
    """The finding that asks for a decision, with the whole entry to write."""
    edge = item.edge
    subject = edge.client if item.direction is PolicyType.EGRESS else edge.server
    ports = ""
    if item.direction is PolicyType.EGRESS and edge.server.kind is not EndpointKind.WORKLOAD:
        ports = (
            "; PORT is what the server itself listens on, not its Service's port "
            f"({edge.port} was dialled, which may be either)"
        )
    return Finding(
        "decision-incomplete" if item.decided else "peer-unknown",
        Severity.ERROR,
        f"{subject} {item.direction.value}",
        f"no policy in this direction: {_said(edge)}: {item.reason}",
        f"write `- {decision_entry(edge, item.direction)}` under `decisions:` in decisions.yaml, its "
        f"capitals replaced{ports}; or `- {{edge: {edge.id}, verdict: drop}}`; and run analyse again",
    )


def _said(edge: Edge) -> str:
    return f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}"


def decision_entry(edge: Edge, direction: PolicyType) -> str:
    """A decision on who the other end is, in which words in capitals are to be replaced."""
    egress = direction is PolicyType.EGRESS
    end = edge.server if egress else edge.client
    if end.address.startswith(LINK_LOCAL):
        # there is one such address on every node, and no pod has it
        peer = f"{{ipBlock: {{cidr: {host_network(Address(end.address))}}}}}"
    elif end.kind in (EndpointKind.API_SERVER, EndpointKind.NODE) or end.host_network:
        peer = "{ipBlock: {cidr: ADDRESS/32}}"
    else:
        namespace = f"namespaceSelector: {{matchLabels: {{{METADATA_NAME}: {_namespace(end)}}}}}"
        peer = f"{{{namespace}, podSelector: {{matchLabels: {{LABEL: VALUE}}}}}}"
    ports = ", ports: [PORT]" if egress and end.kind is not EndpointKind.WORKLOAD else ""
    return f"{{edge: {edge.id}, verdict: accept, peer: {peer}{ports}}}"


def _namespace(end: Endpoint) -> str:
    if end.namespace:
        return end.namespace
    found = (_CLUSTER_NAME.match(name) for name in end.names)
    return next((match["namespace"] for match in found if match), "NAMESPACE")


def said_by_a_person(
    edges: Iterable[Edge], decisions: Mapping[str, Decision], peers: Peers
) -> Iterator[Finding]:
    """What of the allowed edges nothing but a decision vouches for, and what of decisions changed nothing."""
    for edge in edges:
        decision = decisions.get(edge.id)
        if decision is None:
            continue
        named = any(
            peers.of(edge, end, namespace=other.namespace).decided
            for end, other in ((edge.server, edge.client), (edge.client, edge.server))
            if other.kind is EndpointKind.WORKLOAD
        )
        if named:
            yield Finding(
                "decision-taken-on-trust",
                Severity.NOTE,
                f"decision on edge {edge.id}",
                f"{_said(edge)} is allowed as it was decided: {_words(edge, decision)}; nothing seen says "
                "whether that is so",
                _caution(edge, decision),
            )
        if decision.ports and not decided_ports(edge, decision):
            yield Finding(
                "decision-unused",
                Severity.NOTE,
                f"decision on edge {edge.id}",
                f"its ports changed nothing: the pods of {edge.server} were seen to listen on {edge.port}",
            )


def _caution(edge: Edge, decision: Decision) -> str:
    block = decision.peer.ip_block if decision.peer is not None else None
    if block is not None and edge.server.kind is EndpointKind.UNKNOWN:
        return (
            "try the connection after the roll-out; the CIDR of a Service's own address lets nothing through"
        )
    return "try the connection after the roll-out"


def _words(edge: Edge, decision: Decision) -> str:
    ports = decided_ports(edge, decision)
    who = "its peer" if decision.peer is not None else ""
    where = f"port {', '.join(map(str, ports))}" if ports else ""
    return " and ".join(filter(None, (who, where)))
