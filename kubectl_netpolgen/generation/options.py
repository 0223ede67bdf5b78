"""What a person asked of the policies, and which edges that leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.granularity import PER_WORKLOAD, Granularity, parse_granularity
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
    per: Granularity = PER_WORKLOAD
    """Who shares a policy."""
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


Word = str | int | bool | tuple[str, ...]
"""An option as the command line has it, by the name of its flag with underscores."""


def words_of(options: GenerationOptions) -> dict[str, Word]:
    """Every option as a word, so that what is written down does not rest on a version's defaults."""
    both = options.directions == BOTH
    return {
        "per": str(options.per),
        "direction": "both" if both else options.directions[0].value.lower(),
        "default_deny": options.default_deny,
        "dns": options.dns.value,
        "min_connections": options.min_connections,
        "exclude": options.exclude,
        "widen_external": options.widen_external,
        "service_ports": options.service_ports,
        "declared": options.declared,
    }


DEFAULTS: Mapping[str, Word] = words_of(GenerationOptions())


def options_of(words: Mapping[str, Word]) -> GenerationOptions:
    """Options from words, defaults for those that are missing; ValueError names what makes no sense."""
    for name, word in words.items():
        if name not in DEFAULTS:
            raise ValueError(f"{name}: no such option")
        if type(word) is not type(DEFAULTS[name]):
            raise ValueError(f"{name}: {word!r} is no {type(DEFAULTS[name]).__name__}")
    said = {**DEFAULTS, **words}
    direction = str(said["direction"])
    exclude = said["exclude"]
    return GenerationOptions(
        default_deny=bool(said["default_deny"]),
        dns=DnsMode(said["dns"]),
        directions=BOTH if direction == "both" else (PolicyType(direction.capitalize()),),
        min_connections=int(str(said["min_connections"])),
        # an empty pattern matches nothing: alone it takes earlier ones back
        exclude=tuple(pattern for pattern in exclude if pattern) if isinstance(exclude, tuple) else (),
        widen_external=bool(said["widen_external"]),
        per=parse_granularity(str(said["per"])),
        service_ports=bool(said["service_ports"]),
        declared=bool(said["declared"]),
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
