"""The whole way from what was recorded to edges, as one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netpolgen.analysis.edges import join_sightings
from kubectl_netpolgen.analysis.flows import build_flows, flow_order
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.observations import observe
from kubectl_netpolgen.analysis.orientation import Orientation
from kubectl_netpolgen.analysis.services import Translator
from kubectl_netpolgen.analysis.sightings import Sightings, SocketPair
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import (
    CaptureContents,
    Conversation,
    Direction,
    Flow,
    NameAnswer,
    Outcome,
)
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.sockets import PodNetwork


@dataclass(frozen=True)
class Capture:
    """One pod's packets as read."""

    pod_uid: str
    file: str
    contents: CaptureContents


@dataclass(frozen=True)
class Derivation:
    """What the traffic was."""

    flows: tuple[Flow, ...]
    edges: tuple[Edge, ...]
    findings: tuple[Finding, ...]
    identities: Identities


def derive_edges(
    captures: Sequence[Capture], networks: Mapping[str, PodNetwork], timeline: Timeline
) -> Derivation:
    """Flows, edges and findings; the order of the captures does not matter."""
    ordered = sorted(captures, key=lambda capture: capture.file)
    orientation = Orientation(
        timeline, networks, (item for capture in ordered for item in capture.contents.conversations)
    )
    flows: list[Flow] = []
    told: set[SocketPair] = set()
    for capture in ordered:
        conversations = [orientation.orient(item) for item in capture.contents.conversations]
        flows.extend(
            build_flows(conversations, capture=capture.file, pod_uid=capture.pod_uid, tenant=timeline.tenant)
        )
        told.update(_told(capture.pod_uid, conversations))
    flows.sort(key=flow_order)
    answers: dict[str, list[NameAnswer]] = {}
    for capture in ordered:
        answers.setdefault(capture.pod_uid, []).extend(capture.contents.names)
    identities = Identities(timeline, networks)
    sightings = Sightings(identities, Translator(timeline, flows, networks), Names(answers))
    found = [*sightings.of_flows(flows), *sightings.of_sockets(networks, told)]
    edges = join_sightings(found, identities)
    findings = [*sightings.findings, *sightings.unvisited(found), *observe(edges, timeline)]
    for capture in ordered:
        findings.extend(_reading_findings(capture, timeline))
    return Derivation(flows=tuple(flows), edges=edges, findings=tuple(findings), identities=identities)


def _told(pod_uid: str, conversations: Iterable[Conversation]) -> Iterator[SocketPair]:
    """The connections that the packets show from the handshake on, so that a socket adds nothing."""
    for item in conversations:
        if (
            item.protocol is Protocol.TCP
            and item.direction in (Direction.SYN, Direction.SYNACK)
            and item.outcome is not Outcome.UNKNOWN
        ):
            yield pod_uid, (item.client, item.client_port), (item.server, item.server_port)


def _reading_findings(capture: Capture, timeline: Timeline) -> list[Finding]:
    pod = timeline.pods.get(capture.pod_uid)
    subject = f"pod {pod.namespace}/{pod.name}" if pod is not None else capture.file
    findings = []
    if capture.contents.truncated is not None:
        findings.append(
            Finding(
                "capture-truncated",
                Severity.WARNING,
                capture.file,
                f"{subject}: {capture.contents.truncated}; everything before that was used",
                "capture again if an edge is missing",
            )
        )
    for note in capture.contents.cut_short:
        findings.append(
            Finding("capture-cut-short", Severity.WARNING, subject, note, "capture for a shorter time")
        )
    if capture.contents.inexpressible:
        shown = ", ".join(capture.contents.inexpressible[:5])
        more = len(capture.contents.inexpressible) - 5
        findings.append(
            Finding(
                "inexpressible-traffic",
                Severity.NOTE,
                subject,
                f"traffic that NetworkPolicy cannot speak of: {shown}"
                + (f" and {more} more" if more > 0 else ""),
                "how the network plugin treats it is its own affair; check it after the roll-out",
            )
        )
    return findings
