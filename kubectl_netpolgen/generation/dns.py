"""The rule that lets a workload resolve names.

Every workload with any egress gets it, seen or not: a client that resolved its names before the capture must
survive its next start. What was not seen is marked as assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.generation.peers import address_peer, pods_peer
from kubectl_netpolgen.model.edge import Edge, EndpointKind, Role
from kubectl_netpolgen.model.network import DNS_PORT, Address, Protocol, address_order
from kubectl_netpolgen.model.objects import Service
from kubectl_netpolgen.model.policy import Peer, PolicyPort, Rule
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector

ASSUMED_NAMESPACE = "kube-system"
ASSUMED_SELECTOR = LabelSelector(match_labels=(("k8s-app", "kube-dns"),))
"""What kubeadm, and nearly every distribution, labels the cluster's DNS with."""
LINK_LOCAL = ("169.254.", "fe80:")


class DnsMode(str, Enum):
    """Whether name resolution is allowed to every workload with egress, or only where it was seen."""

    ASSUMED = "assumed"
    OBSERVED = "observed"


@dataclass(frozen=True)
class DnsTarget:
    """Where the cluster's DNS is, as far as we may read it."""

    peer: Peer
    extra: tuple[Peer, ...]
    """Node-local resolvers, which are addresses and no pods."""
    ports: tuple[int, ...]
    known: bool
    """False when the Service could not be read and its labels are assumed."""
    addresses: tuple[Address, ...] = ()
    """The Service's own, under which pods ask it."""
    nameservers: frozenset[Address] = frozenset()
    """What pods that use the cluster's DNS have in their resolv.conf."""


def find_dns(identities: Identities, namespace: str) -> DnsTarget:
    """The DNS peer for policies of a namespace."""
    extra = tuple(
        address_peer(address)
        for address in sorted(identities.nameservers, key=address_order)
        if address.startswith(LINK_LOCAL)
    )
    service = identities.dns_service
    if service is not None and service.selector:
        return DnsTarget(
            peer=pods_peer(labels_selector(service.selector), service.namespace, namespace),
            extra=extra,
            ports=_target_ports(service, identities),
            known=True,
            addresses=service.addresses,
            nameservers=identities.nameservers,
        )
    return DnsTarget(
        peer=pods_peer(ASSUMED_SELECTOR, ASSUMED_NAMESPACE, namespace),
        extra=extra,
        ports=(DNS_PORT,),
        known=False,
        nameservers=identities.nameservers,
    )


def _target_ports(service: Service, identities: Identities) -> tuple[int, ...]:
    """The pods' own ports behind port 53 (OpenShift listens on 5353)."""
    names = {port.name for port in service.ports if port.port == DNS_PORT}
    found = {
        number
        for item in identities.timeline.slices_of(service)
        for name, _, number in item.ports
        if name in names
    }
    if not found:
        found = {
            port.target_port
            for port in service.ports
            if port.port == DNS_PORT and isinstance(port.target_port, int)
        }
    return tuple(sorted(found or {DNS_PORT}))


def dns_rule(target: DnsTarget, seen: tuple[Edge, ...]) -> tuple[Rule, bool]:
    """The egress rule, and whether any part of it is assumed rather than seen.

    TCP beside UDP always: an answer too long for UDP is asked for again over TCP (RFC 7766).
    """
    ports = sorted({*target.ports, *(edge.port for edge in seen)})
    rule = Rule(
        peers=(target.peer, *target.extra),
        ports=tuple(
            PolicyPort(protocol=protocol, port=port)
            for protocol in (Protocol.UDP, Protocol.TCP)
            for port in ports
        ),
    )
    return rule, not (target.known and {edge.protocol for edge in seen} >= {Protocol.UDP, Protocol.TCP})


def is_dns_edge(edge: Edge) -> bool:
    """True for a query to the cluster's own DNS."""
    return edge.role is Role.DNS or edge.server.role is Role.DNS


def covered(edge: Edge, target: DnsTarget) -> bool:
    """True when the DNS rule speaks for this edge, so that it needs no rule of its own."""
    if not is_dns_edge(edge):
        return False
    if edge.server.kind is EndpointKind.UNKNOWN:
        # a private nameserver beside the cluster's own (dnsPolicy Default or None) is another server
        if edge.server.address not in target.nameservers:
            return edge.server.address in target.addresses
        return not target.known or edge.server.address in target.addresses or node_local(edge) is not None
    return edge.server.kind is EndpointKind.WORKLOAD and target.known


def node_local(edge: Edge) -> Address | None:
    """The address of a node-local resolver that the edge went to."""
    if edge.server.address.startswith(LINK_LOCAL):
        return Address(edge.server.address)
    return None
