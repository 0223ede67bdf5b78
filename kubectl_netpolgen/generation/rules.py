"""Edges of one workload to the rules of its policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.semantics.policies import peer_document


@dataclass(frozen=True)
class NumberedRule:
    """A rule and the ids of the edges it stands for."""

    rule: Rule
    edges: tuple[str, ...]


@dataclass(frozen=True)
class Unresolved:
    """An accepted edge whose peer, or whose port, nobody can name."""

    edge: Edge
    direction: PolicyType
    reason: str
    decided: bool = False
    """True when a person decided it, and not completely."""


def build_rules(
    edges: Sequence[Edge], direction: PolicyType, *, namespace: str, peers: Peers
) -> tuple[tuple[NumberedRule, ...], tuple[Unresolved, ...]]:
    """Rules for exactly these edges; only peers with equal ports share one, so nothing is crossed in.

    Clients whom a Service invites from outside share a rule without peers: what their addresses are next time
    nobody knows. An edge of the server's direction alone; who else it lets in is told (`policies.py`).
    """
    invited = {
        edge.id: (edge.protocol, peers.port_of(edge))
        for edge in edges
        if direction is PolicyType.INGRESS and peers.inviting(edge)
    }
    ports_of: dict[Peer, set[tuple[Protocol, int | str]]] = {}
    edges_of: dict[Peer, set[str]] = {}
    unresolved = []
    for edge in edges:
        if edge.id in invited:
            continue
        if (
            edge.protocol,
            peers.port_of(edge),
        ) in invited.values() and edge.client.kind is EndpointKind.UNKNOWN:
            # whoever that is, the rule for anybody lets it in
            invited[edge.id] = (edge.protocol, peers.port_of(edge))
            continue
        end = edge.server if direction is PolicyType.EGRESS else edge.client
        found = peers.of(edge, end, namespace=namespace)
        if not found.peers:
            unresolved.append(Unresolved(edge, direction, found.reason, found.decided))
            continue
        # ingress is judged on the server's own port; the API server's several ports are its endpoints'
        several = direction is PolicyType.EGRESS and edge.server.kind is EndpointKind.API_SERVER
        seen = edge.ports if several and edge.ports else (peers.port_of(edge),)
        if direction is PolicyType.EGRESS:
            seen = (*seen, *peers.dialled_ports(edge))
        numbers = found.ports or seen
        for peer in found.peers:
            ports_of.setdefault(peer, set()).update((edge.protocol, number) for number in numbers)
            edges_of.setdefault(peer, set()).add(edge.id)
    by_ports: dict[tuple[tuple[Protocol, int | str], ...], list[Peer]] = {}
    for peer, ports in ports_of.items():
        by_ports.setdefault(tuple(sorted(ports, key=_port_order)), []).append(peer)
    rules = [
        NumberedRule(
            rule=Rule(
                peers=tuple(sorted(group, key=peer_order)),
                ports=policy_ports(ports),
            ),
            edges=tuple(sorted({edge for peer in group for edge in edges_of[peer]})),
        )
        for ports, group in by_ports.items()
    ]
    if invited:
        open_ports = policy_ports(sorted(set(invited.values()), key=_port_order))
        rules.append(NumberedRule(Rule(ports=open_ports), tuple(sorted(invited))))
    return tuple(sorted(rules, key=lambda item: _rule_order(item.rule))), tuple(unresolved)


def policy_ports(ports: Iterable[tuple[Protocol, int | str]]) -> tuple[PolicyPort, ...]:
    """Ports of a rule; numbers that were seen side by side are one range (`endPort`), which allows no other.

    Two are no range yet: it must be worth that some plugins know none, and others count each rule's ports.
    """
    found: list[PolicyPort] = []
    for protocol, number in ports:
        last = found[-1] if found else None
        if (
            last is not None
            and isinstance(number, int)
            and isinstance(last.port, int)
            and last.protocol is protocol
            and (last.end_port or last.port) + 1 == number
        ):
            found[-1] = replace(last, end_port=number)
        else:
            found.append(PolicyPort(protocol=protocol, port=number))
    return tuple(item for port in found for item in _unless_short(port))


def _unless_short(port: PolicyPort) -> tuple[PolicyPort, ...]:
    if isinstance(port.port, int) and port.end_port == port.port + 1:
        return replace(port, end_port=None), replace(port, port=port.end_port, end_port=None)
    return (port,)


def _port_order(port: tuple[Protocol, int | str]) -> tuple[str, str]:
    return (port[0].value, f"{port[1]:>5}")


def peer_order(peer: Peer) -> tuple[int, str]:
    """Pods before namespaces before addresses, then by what the API would print."""
    kind = 2 if peer.ip_block is not None else 1 if peer.namespace_selector is not None else 0
    return (kind, str(peer_document(peer)))


def _rule_order(rule: Rule) -> tuple[list[tuple[int, str]], list[tuple[str, str]]]:
    return (
        [peer_order(peer) for peer in rule.peers],
        [(port.protocol.value, f"{port.port:>5}") for port in rule.ports],
    )
