"""A bundle to edges, policies and their proof: everything after the capture, without a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kubectl_netpolgen.analysis.coverage import Coverage, measure_coverage
from kubectl_netpolgen.analysis.declared import accepted_edges, find_declared
from kubectl_netpolgen.analysis.derivation import Capture, Derivation, derive_edges
from kubectl_netpolgen.analysis.edges import edge_order
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.analysis.sockets import parse_sockets
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.analysis.unused import find_unused
from kubectl_netpolgen.analysis.watched import watched_pods
from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.reader import Recorded, RecordedFile, read_bundle
from kubectl_netpolgen.documents.decisions import parse_decisions
from kubectl_netpolgen.generation.excess import Excess, find_excess
from kubectl_netpolgen.generation.excess import told as tell_excess
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.generation.overruled import find_overruled
from kubectl_netpolgen.generation.policies import Generated, generate_policies
from kubectl_netpolgen.generation.proof import Proof, prove
from kubectl_netpolgen.generation.refusals import set_refused_aside
from kubectl_netpolgen.generation.sharing import told as tell_shared
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.declarations import DeclaredEdge
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.errors import BundleError, NothingCaptured
from kubectl_netpolgen.model.finding import Finding, Severity, sort_findings
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.sockets import PodNetwork
from kubectl_netpolgen.packets.collection import without_collection
from kubectl_netpolgen.packets.reading import NotACapture, UnreadableCapture, read_capture
from kubectl_netpolgen.runs.recorder_clock import on_cluster_clock, recordings

# Socket files are capped at 8 MiB in the pod; a larger one is not ours.
_MAX_SOCKETS = 64 * 1024 * 1024


@dataclass(frozen=True)
class Derived:
    """All that follows from a bundle."""

    recorded: Recorded
    flows: FlowTable
    edges: tuple[Edge, ...]
    """What was seen, and what of the declared a person accepted."""
    generated: Generated
    proof: Proof
    findings: tuple[Finding, ...]
    captured: tuple[ObjectKey, ...]
    timeline: Timeline
    coverage: Coverage
    options: GenerationOptions
    """How the policies were asked for."""
    excess: tuple[Excess, ...] = ()
    """What is allowed beyond the edges."""
    declared: tuple[DeclaredEdge, ...] = ()
    """What manifests imply and nobody was seen to use, accepted or not."""

    @property
    def partial(self) -> bool:
        """True when something is missing that a person must look at: pods, peers, or a deny-all cut back."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def derive(
    root: Path,
    options: GenerationOptions,
    *,
    decisions_file: Path | None = None,
) -> Derived:
    """Read a bundle, find its edges, write and prove policies for them.

    Raises BundleError for a directory that is no bundle, NothingCaptured for one without a readable capture.
    """
    recorded = on_cluster_clock(read_bundle(root))
    findings = [*recorded.findings, *recorded.manifest.findings]
    networks = dict(read_sockets(recorded.sockets, findings))
    # with rights on some namespaces only, an ended pod's address may be a pod's that we cannot see
    started = recorded.manifest.started if "pods:*" in recorded.manifest.readable else 0
    timeline = Timeline(recorded.objects, recorded.events, started=started)
    captures: set[str] = set()
    with without_collection():
        derivation = derive_edges(
            _Captures(recorded.captures, findings, captures),
            networks,
            timeline,
            recordings(recorded.manifest),
        )
    if not captures and not networks:
        raise NothingCaptured(
            f"{root}: holds no readable capture",
            way_out="capture again; `doctor` says what stands in the way",
        )
    decisions = _decisions(recorded, decisions_file)
    findings.extend(derivation.findings)
    captured, missing = _captured_workloads(captures, recorded, timeline)
    declared = find_declared(derivation.edges, captured, derivation.identities)
    findings.extend(_stale_decisions(decisions, [*derivation.edges, *(item.edge for item in declared)]))
    edges = _with_accepted(derivation.edges, declared, decisions, every=options.declared)
    findings.extend(missing)
    findings.extend(_unseen_starts(captures, recorded, timeline))
    generated = generate_policies(
        edges, captured, derivation.identities, decisions=decisions, options=options
    )
    findings.extend(generated.findings)
    proof = prove(generated.edges, generated.policies, timeline, decisions=decisions)
    proof, refused = set_refused_aside(proof, generated.edges, generated.policies)
    findings.extend(refused)
    # what waits for a decision was seen, and what was asked to have no rule is told apart
    waiting = tuple(item.edge for item in generated.unresolved)
    excess = find_excess(
        (*generated.edges, *waiting, *generated.refused),
        generated.policies,
        timeline,
        assumed=generated.dns_rules,
    )
    findings.extend(tell_excess(excess))
    findings.extend(tell_shared(generated.shared))
    findings.extend(find_overruled(generated.refused, generated.policies, timeline, decisions=decisions))
    return Derived(
        recorded=recorded,
        flows=derivation.flows,
        edges=edges,
        generated=generated,
        proof=proof,
        findings=sort_findings(findings),
        captured=tuple(sorted(captured)),
        timeline=timeline,
        coverage=_coverage(recorded, captures, derivation, captured),
        excess=excess,
        options=options,
        declared=declared,
    )


def _with_accepted(
    seen: tuple[Edge, ...],
    declared: Iterable[DeclaredEdge],
    decisions: Mapping[str, Decision],
    *,
    every: bool,
) -> tuple[Edge, ...]:
    decided = {edge for edge, decision in decisions.items() if decision.verdict is Verdict.ACCEPT}
    accepted = accepted_edges(declared, decided, every=every)
    return tuple(sorted((*seen, *accepted), key=edge_order)) if accepted else seen


def _coverage(
    recorded: Recorded, captures: set[str], derivation: Derivation, captured: Iterable[ObjectKey]
) -> Coverage:
    manifest, timeline = recorded.manifest, derivation.identities.timeline
    there = {pod.uid for pod in manifest.pods if pod.state is not PodState.SKIPPED}
    window = {"started": manifest.started, "ended": manifest.ended}
    return measure_coverage(
        derivation.edges,
        **window,
        pods_captured=len(captures),
        pods_there=len(there.union(captures)),
        pods=watched_pods(manifest.pods, timeline.pods, recorded.events, captures, **window),
        unused=find_unused(derivation.edges, captured, manifest.namespaces, derivation.identities, **window),
    )


class _Captures:
    """The captures of a bundle, read one after the other, as often as asked; no two are in memory at once.

    The UIDs of those that could be read go to `pods`.
    """

    def __init__(self, files: Iterable[RecordedFile], findings: list[Finding], pods: set[str]) -> None:
        self._files = tuple(files)
        self._findings = findings
        self._pods = pods

    def __iter__(self) -> Iterator[Capture]:
        for file in self._files:
            try:
                contents = read_capture(file.path)
            except (NotACapture, UnreadableCapture) as error:
                self._findings.append(
                    Finding(
                        "not-a-capture",
                        Severity.WARNING,
                        file.name,
                        error.message,
                        error.way_out or "capture again",
                    )
                )
                continue
            self._pods.add(file.pod_uid)
            yield Capture(file.pod_uid, file.name, contents)


def read_sockets(files: Iterable[RecordedFile], findings: list[Finding]) -> Iterable[tuple[str, PodNetwork]]:
    """Each pod's UID and network from its sockets file; what cannot be read becomes a finding."""
    for file in files:
        try:
            with file.path.open("rb") as stream:
                text = stream.read(_MAX_SOCKETS).decode("ascii", errors="replace")
        except OSError as error:
            findings.append(
                Finding(
                    "sockets-unreadable",
                    Severity.WARNING,
                    file.name,
                    str(error.strerror),
                    "check its permissions",
                )
            )
            continue
        yield file.pod_uid, parse_sockets(text, pod_uid=file.pod_uid, file=file.name)


def _decisions(recorded: Recorded, file: Path | None) -> Mapping[str, Decision]:
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise BundleError(
                f"{file}: cannot be read: {error.strerror}", way_out="check the path and its permissions"
            ) from error
        except UnicodeDecodeError as error:
            raise BundleError(
                f"{file}: is not UTF-8 at byte {error.start}", way_out="save it as UTF-8 text"
            ) from error
        return parse_decisions(text, where=str(file))
    if recorded.decisions is None:
        return {}
    return parse_decisions(recorded.decisions, where=str(recorded.root / layout.DECISIONS))


def _stale_decisions(decisions: Mapping[str, Decision], edges: Iterable[Edge]) -> Iterable[Finding]:
    known = {edge.id for edge in edges}
    for edge in sorted(set(decisions) - known):
        yield Finding(
            "decision-unused",
            Severity.NOTE,
            f"decision on edge {edge}",
            "no such edge was seen in this capture, so the decision changed nothing",
        )


def _captured_workloads(
    uids: set[str], recorded: Recorded, timeline: Timeline
) -> tuple[set[ObjectKey], list[Finding]]:
    """The workloads of which at least one pod was captured, and findings on those of which none was.

    A pod's sockets alone do not make it captured: they show a moment, and a policy would cut off the rest.
    """
    captured = {
        timeline.top_owner(timeline.pods[uid]).key
        for uid in uids
        if uid in timeline.pods and not timeline.pods[uid].host_network
    }
    findings = []
    for uid in sorted(uids - set(timeline.pods)):
        findings.append(
            Finding(
                "pod-unknown",
                Severity.WARNING,
                f"pod UID {uid}",
                "its capture is here, but no object of the cluster names it, so its traffic has no workload",
                "capture again",
            )
        )
    failed: dict[ObjectKey, list[str]] = {}
    for item in recorded.manifest.pods:
        pod = timeline.pods.get(item.uid)
        if item.uid in uids or pod is None or item.state is PodState.SKIPPED:
            continue
        failed.setdefault(timeline.top_owner(pod).key, []).append(
            f"{item.name} ({item.reason or _state_of(item)})"
        )
    for key in sorted(set(failed) - captured):
        findings.append(
            Finding(
                "workload-not-captured",
                Severity.ERROR,
                str(key),
                "gets no policy, since none of its pods was captured: " + ", ".join(sorted(failed[key])),
                "see why, and capture again",
            )
        )
    return captured, findings


def _unseen_starts(captures: Iterable[str], recorded: Recorded, timeline: Timeline) -> Iterable[Finding]:
    """Workloads whose init containers had ended before the capture: policies apply to them all the same."""
    names: dict[ObjectKey, set[str]] = {}
    seen: set[ObjectKey] = set()
    for uid in captures:
        pod = timeline.pods.get(uid)
        if pod is None or pod.host_network or not pod.init_containers:
            continue
        key = timeline.top_owner(pod).key
        names.setdefault(key, set()).update(pod.init_containers)
        if pod.created >= recorded.manifest.started:
            seen.add(key)
    for key in sorted(set(names) - seen):
        yield Finding(
            "init-container-unseen",
            Severity.WARNING,
            str(key),
            f"its init containers ran before the capture: {', '.join(sorted(names[key]))}; "
            "the policy applies to them too, so what they alone need is cut off at the next start",
            "capture while its pods restart, since new ones are followed from their first second, or add the "
            "rule yourself",
        )


def _state_of(pod: PodCapture) -> str:
    return "its capture file is missing or unreadable" if pod.pcap else pod.state.value
