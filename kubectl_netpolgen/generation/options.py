"""What a person asked of the policies, and which edges that leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.model.edge import Edge, Endpoint
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.policy import PolicyType

BOTH = (PolicyType.INGRESS, PolicyType.EGRESS)


@dataclass(frozen=True)
class GenerationOptions:
    """How the policies are wanted."""

    default_deny: bool = False
    dns: DnsMode = DnsMode.ASSUMED
    directions: tuple[PolicyType, ...] = BOTH
    min_connections: int = 0
    """Edges that were seen less often get no rule; those that sockets alone show have no number and stay."""
    exclude: tuple[str, ...] = ()
    """Edges with such an id, or with an end of such a name, get no rule; shell patterns."""

    widen_external: bool = False
    """Write ranges for servers outside that have several addresses under one name."""
    service_ports: bool = False
    """Also write the ports that Services are dialled on, for plugins that judge before translation."""
    declared: bool = False
    """Also allow edges that manifests imply and that were not seen."""

    def leaves_out(self, edge: Edge) -> str:
        """Why an edge gets no rule; empty when nothing asked of the policies speaks against it."""
        pattern = next((pattern for pattern in self.exclude if _matches(edge, pattern)), None)
        if pattern is not None:
            return f"excluded by {pattern}"
        if edge.connections is not None and edge.connections < self.min_connections:
            return f"seen {edge.connections} times, less than {self.min_connections}"
        return ""


def options_of(
    *,
    default_deny: bool,
    dns: str,
    direction: str,
    min_connections: int | None,
    exclude: Iterable[str],
    widen_external: bool,
    service_ports: bool,
    declared: bool,
) -> GenerationOptions:
    """Options from the words of the command line."""
    return GenerationOptions(
        default_deny=default_deny,
        dns=DnsMode(dns),
        directions=BOTH if direction == "both" else (PolicyType(direction.capitalize()),),
        min_connections=min_connections or 0,
        exclude=tuple(exclude),
        widen_external=widen_external,
        service_ports=service_ports,
        declared=declared,
    )


def _matches(edge: Edge, pattern: str) -> bool:
    return edge.id == pattern or any(
        fnmatchcase(name, pattern) for end in (edge.client, edge.server) for name in _names(end)
    )


def _names(end: Endpoint) -> Iterator[str]:
    yield from (str(end), end.name, f"{end.namespace}/{end.name}", end.address, *end.names)


def left_out(edges: Iterable[Edge], options: GenerationOptions) -> Iterator[Finding]:
    """A finding for each edge that got through and that the options leave without a rule."""
    for edge in edges:
        reason = options.leaves_out(edge)
        if reason:
            yield Finding(
                "edge-left-out",
                Severity.WARNING,
                f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}",
                f"it got through and has no rule, as was asked: {reason}",
                f"to allow it all the same: `- {{edge: {edge.id}, verdict: accept}}` in decisions.yaml",
            )
