"""What a person should know about the edges before trusting them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netpolgen.analysis.edges import accepted, uncertain
from kubectl_netpolgen.analysis.exposure import invited_outsider, selects, target_numbers
from kubectl_netpolgen.analysis.meshes import tunnelled
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Confidence, Edge, EndpointKind, Role
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import Service

METADATA = frozenset({"169.254.169.254", "fd00:ec2::254", "fd20:ce::254"})
"""Where clouds answer for a node's identity (AWS, Azure and GCP; AWS and GCP by IPv6)."""


def observe(edges: Iterable[Edge], timeline: Timeline) -> Iterator[Finding]:
    """Findings about single edges and about what was expected and not seen."""
    known = list(edges)
    for edge in known:
        yield from _about_edge(edge, timeline)
    captured_namespaces = {
        end.namespace
        for edge in known
        for end in (edge.client, edge.server)
        if end.kind is EndpointKind.WORKLOAD
    }
    for service in timeline.services:
        if service.exposed and service.namespace in captured_namespaces:
            yield from _about_exposure(service, known, timeline)


def _about_edge(edge: Edge, timeline: Timeline) -> Iterator[Finding]:
    subject = f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}"
    if edge.confidence is Confidence.LOW and accepted(edge):
        yield Finding(
            "low-confidence",
            Severity.WARNING,
            subject,
            "nothing but the port numbers says which end is the server; the lower port was taken",
            "capture longer, or while the client restarts",
        )
    if uncertain(edge):
        yield Finding(
            "outcome-unknown",
            Severity.WARNING,
            subject,
            "too little of it was seen to tell whether it got through, so it gets no rule",
            "capture longer, or while the client restarts",
        )
    if accepted(edge) and edge.client.kind is EndpointKind.NODE and not invited_outsider(edge, timeline):
        yield Finding(
            "node-origin",
            Severity.WARNING,
            subject,
            "the connection comes from a node's address: a client outside the cluster through a node port, "
            "a pod on the node's network, or a translated source",
            "a pod's own node always reaches it; for other nodes the rule names the node's addresses only",
        )
    if accepted(edge):
        yield from _about_servers(edge, subject)
    if accepted(edge) and edge.server.kind is EndpointKind.NODE:
        yield Finding(
            "node-port",
            Severity.WARNING,
            subject,
            "the client dials a node's address, which the policy names; no other node's, and no new one's",
            "let the client use the Service's own name",
        )
    if accepted(edge) and edge.server.host_network:
        yield Finding(
            "host-network-peer",
            Severity.WARNING,
            subject,
            "the peer uses its node's network, which no pod selector matches",
            "the rule names the nodes' addresses seen",
        )


def _about_servers(edge: Edge, subject: str) -> Iterator[Finding]:
    """Servers that a rule cannot name as one would wish."""
    tunnel = tunnelled(edge)
    if tunnel is not None:
        yield tunnel
    if edge.server.address in METADATA and edge.role is not Role.DNS:
        yield Finding(
            "metadata-access",
            Severity.WARNING,
            subject,
            "the client asks the cloud's metadata service, which may hand out the node's credentials",
            f"if it need not: `- {{edge: {edge.id}, verdict: drop}}` in decisions.yaml",
        )
    if edge.server.kind is EndpointKind.API_SERVER:
        yield Finding(
            "api-server-addresses",
            Severity.NOTE,
            subject,
            "the rule names the API server by its addresses, and a managed control plane may get others",
            "where yours does, widen the rule to the range that your provider gives it",
        )
    if set(edge.client_pods) & set(edge.server_pods):
        yield Finding(
            "hairpin",
            Severity.NOTE,
            subject,
            "a pod reaches itself through its own Service: some network plugins judge that as traffic "
            "between pods, so there is a rule to itself",
        )


def _about_exposure(service: Service, edges: list[Edge], timeline: Timeline) -> Iterator[Finding]:
    """A port that is open to the outside and that nobody outside used during the capture."""
    for port in service.ports:
        used = any(
            accepted(edge)
            and edge.client.kind in (EndpointKind.EXTERNAL, EndpointKind.NODE, EndpointKind.UNKNOWN)
            and edge.role is not Role.PROBE
            and any(
                port.protocol is edge.protocol and edge.port in target_numbers(port, timeline.pods[uid])
                for uid in edge.server_pods
                if uid in timeline.pods and selects(service, timeline.pods[uid])
            )
            for edge in edges
        )
        if not used:
            yield Finding(
                "exposed-port-unused",
                Severity.WARNING,
                f"Service {service.namespace}/{service.name} port {port.port}/{port.protocol.value}",
                f"type {service.type} invites clients from outside, and none came: it stays closed",
                "capture while it is used, or add an ingress rule for it yourself before you apply",
            )
