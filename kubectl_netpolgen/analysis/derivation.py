"""The whole way from what was recorded to edges, as one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kubectl_netpolgen.analysis.accounting import tell_unplaced, unplaced
from kubectl_netpolgen.analysis.alignment import moved, moved_networks, tell_clocks
from kubectl_netpolgen.analysis.clocks import Clock, Recording, measure_clocks
from kubectl_netpolgen.analysis.contradictions import contradictions
from kubectl_netpolgen.analysis.edge_sums import EdgeSums
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.analysis.flows import build_flows
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.observations import observe
from kubectl_netpolgen.analysis.orientation import HANDSHAKES, Orientation
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.plain_flows import PlainFlows, add_flows
from kubectl_netpolgen.analysis.services import Translator
from kubectl_netpolgen.analysis.shared_connections import Comparison
from kubectl_netpolgen.analysis.sightings import Sightings, SocketPair
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import (
    CaptureContents,
    Conversation,
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

    flows: FlowTable
    edges: tuple[Edge, ...]
    findings: tuple[Finding, ...]
    identities: Identities


def derive_edges(
    captures: Iterable[Capture],
    networks: Mapping[str, PodNetwork],
    timeline: Timeline,
    recordings: Mapping[str, Recording] | None = None,
) -> Derivation:
    """Flows, edges and findings; the order of the captures does not matter.

    Of each capture no more is kept than its flows, so `captures` may read one after the other; where a clock
    was off, which shows only when all are read, they are read once more. `recordings` has by file what the
    run knows of the time of a capture.
    """
    comparison = Comparison(timeline.held)
    gathering = _Gathering(Orientation(timeline, networks), timeline, networks)
    for capture in captures:
        comparison.learn(capture)
        gathering.take(capture)
    glances, shared = comparison.glances, comparison.shared()
    # it holds many conversations that nobody else does
    del comparison
    clocks = measure_clocks(glances, shared, timeline, recordings or {})
    if any(clock.off for clock in clocks.values()):
        if iter(captures) is captures:
            raise TypeError("captures that differ by their clocks cannot be read twice from an iterator")
        networks = moved_networks(networks, glances, clocks)
        gathering = _Gathering(Orientation(timeline, networks), timeline, networks)
        for capture in captures:
            gathering.take(moved(capture, clocks.get(capture.file, Clock())))
    flows, told, answers = gathering.finish()
    identities = Identities(timeline, networks)
    sums, findings = _sum_up(flows, identities, networks, Names(answers), told)
    edges = sums.edges(identities)
    findings = (*findings, *observe(edges, timeline), *gathering.findings)
    doubts = (*tell_clocks(glances, clocks, timeline), *contradictions(glances, shared, timeline))
    return Derivation(flows, edges, (*doubts, *findings), identities)


def _sum_up(
    flows: FlowTable,
    identities: Identities,
    networks: Mapping[str, PodNetwork],
    names: Names,
    told: set[SocketPair],
) -> tuple[EdgeSums, tuple[Finding, ...]]:
    """What all sightings add up to; what it takes to find them is gone before edges are made of that."""
    translator, places = Translator(identities.timeline, flows, networks), Places(identities, names)
    sightings, sums = Sightings(identities, translator, places), EdgeSums(flows)
    add_flows(flows, PlainFlows(identities, places, translator, sums), sightings, sums)
    sums.add(sightings.of_sockets(networks, told))
    lost = tell_unplaced(unplaced(flows, sums))
    return sums, (*lost, *sightings.findings, *sightings.unvisited(sums))


class _Gathering:
    """Captures to flows, and what else is needed of them."""

    def __init__(
        self, orientation: Orientation, timeline: Timeline, networks: Mapping[str, PodNetwork]
    ) -> None:
        self._orientation = orientation
        self._timeline = timeline
        self._sockets = {
            (uid, *sorted(((row.local, row.local_port), (row.remote, row.remote_port))))
            for uid, network in networks.items()
            for row in network.rows
            if row.protocol is Protocol.TCP and row.remote_port
        }
        self._with_sockets = {uid for uid, *_ in self._sockets}
        self._flows = FlowTable()
        self._waiting: list[Capture] = []
        """What is left of captures: the conversations whose server another one may prove."""
        self._told: set[SocketPair] = set()
        self._answers: dict[str, list[NameAnswer]] = {}
        self.findings: list[Finding] = []

    def take(self, capture: Capture) -> None:
        """Take one capture; of it is kept only what a handshake in another one may say more about."""
        self._answers.setdefault(capture.pod_uid, []).extend(capture.contents.names)
        self.findings.extend(_reading_findings(capture, self._timeline))
        conversations = capture.contents.conversations
        # whoever talks between the same two may belong to the same flow, whichever end turns out to serve
        pairs = {
            pair
            for item in conversations
            if item.direction not in HANDSHAKES and item.protocol is not Protocol.UDP
            for pair in ((item.client, item.server), (item.server, item.client))
        }
        if pairs:
            kept = tuple(item for item in conversations if (item.client, item.server) in pairs)
            self._orientation.learn(kept)
            contents = capture.contents._replace(conversations=kept, names=())
            self._waiting.append(replace(capture, contents=contents))
            conversations = tuple(item for item in conversations if (item.client, item.server) not in pairs)
        self._add(capture, conversations)

    def _add(self, capture: Capture, conversations: tuple[Conversation, ...]) -> None:
        if any(item.direction not in HANDSHAKES for item in conversations):
            conversations = tuple(map(self._orientation.orient, conversations))
        if capture.pod_uid in self._with_sockets:
            self._told.update(self._told_by(capture.pod_uid, conversations))
        flows = build_flows(
            conversations,
            capture=capture.file,
            pod_uid=capture.pod_uid,
            tenant=self._timeline.tenant,
            handed_on=self._timeline.handed_on,
        )
        self._orientation.learn(flows)
        self._flows.add(flows)

    def _told_by(self, uid: str, conversations: Iterable[Conversation]) -> Iterator[SocketPair]:
        """The sockets whose connections the packets show from the handshake on, so that they add nothing."""
        for item in conversations:
            if (
                item.protocol is Protocol.TCP
                and item.direction in HANDSHAKES
                and item.outcome is not Outcome.UNKNOWN
            ):
                ends = (item.client, item.client_port), (item.server, item.server_port)
                if (uid, *sorted(ends)) in self._sockets:
                    yield uid, *ends

    def finish(self) -> tuple[FlowTable, set[SocketPair], Mapping[str, list[NameAnswer]]]:
        """The flows of all captures, the sockets that packets tell all about, and each pod's lookups."""
        while self._waiting:
            capture = self._waiting.pop()
            self._add(capture, capture.contents.conversations)
        return self._flows, self._told, self._answers


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
