"""Edges and decisions to policies: one for each captured workload or group, and the deny-all last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netpolgen.analysis.edges import accepted
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.generation.annotations import annotations_of
from kubectl_netpolgen.generation.deny_all import MANAGED_BY, deny_alls
from kubectl_netpolgen.generation.dns import DnsMode, covered, dns_rule, find_dns
from kubectl_netpolgen.generation.options import BOTH, GenerationOptions, left_out
from kubectl_netpolgen.generation.outsiders import open_to_all
from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.questions import question, said_by_a_person
from kubectl_netpolgen.generation.requests import request_policies
from kubectl_netpolgen.generation.rules import NumberedRule, Unresolved, build_rules
from kubectl_netpolgen.generation.selectors import collateral
from kubectl_netpolgen.generation.sharing import Shared, find_shared
from kubectl_netpolgen.generation.standing import standing_policies
from kubectl_netpolgen.generation.subjects import Grouping, Subject, find_grouping, find_subjects
from kubectl_netpolgen.generation.unobserved import idle_workloads
from kubectl_netpolgen.generation.widening import told as tell_ranges
from kubectl_netpolgen.generation.widening import widen
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType, Rule


@dataclass(frozen=True)
class Generated:
    """The policies in the order of their application, and what they could not say."""

    policies: tuple[NetworkPolicy, ...]
    edges: tuple[Edge, ...]
    """The edges that the policies are meant to allow."""
    unresolved: tuple[Unresolved, ...]
    findings: tuple[Finding, ...]
    requests: tuple[NetworkPolicy, ...] = ()
    """What workloads of other namespaces need at their own side."""
    dns_rules: frozenset[Rule] = frozenset()
    """Rules that let pods resolve names, which is assumed and not counted as excess."""
    shared: tuple[Shared, ...] = ()
    """What members of a group may reach because another one needed it, beyond pods."""
    refused: tuple[Edge, ...] = ()
    """Edges that got through and that a decision or an option leaves without a rule."""


def generate_policies(
    edges: Sequence[Edge],
    captured: Iterable[ObjectKey],
    identities: Identities,
    *,
    decisions: Mapping[str, Decision],
    options: GenerationOptions,
) -> Generated:
    """One policy for each captured workload or group of them: its accepted edges and the DNS rule."""
    through = tuple(edge for edge in edges if _is_wanted(edge, decisions.get(edge.id)))
    wanted = tuple(edge for edge in through if edge.id in decisions or not options.leaves_out(edge))
    ranges = widen(wanted) if options.widen_external else {}
    timeline = identities.timeline
    keys = sorted(set(captured))
    known = frozenset(keys)
    findings: list[Finding] = list(left_out((edge for edge in through if edge.id not in decisions), options))
    grouping, said = find_grouping(options.per, keys, timeline, wanted=wanted, directions=options.directions)
    findings.extend(said)
    subjects, refusals = find_subjects(keys, grouping, timeline)
    findings.extend(refusals)
    peers = Peers(timeline, decisions, grouping, ranges=ranges, service_ports=options.service_ports)
    ends = _Ends(wanted)
    written = [_write(subject, ends, identities, peers, options) for subject in subjects]
    policies = [item.policy for item in written if item.policy is not None]
    unresolved = [missing for item in written for missing in item.unresolved]
    findings.extend(finding for item in written for finding in item.findings)
    if options.default_deny:
        denying, withheld = deny_alls(subjects, policies, keys, timeline, wanted, options.directions)
        policies.extend(denying)
        findings.extend(withheld)
    for namespace in sorted({key.namespace for key in keys}):
        findings.extend(idle_workloads(namespace, known, timeline, held_by=_holders(subjects, grouping)))
    missing_edges = {(item.edge.id, item.direction) for item in unresolved}
    allowed = tuple(
        edge for edge in wanted if not any((edge.id, direction) in missing_edges for direction in BOTH)
    )
    findings.extend(question(item) for item in unresolved)
    findings.extend(said_by_a_person(allowed, decisions, peers))
    findings.extend(tell_ranges(allowed, ranges))
    findings.extend(standing_policies(keys, policies, timeline))
    requests = request_policies(allowed, keys, timeline, peers)
    findings.extend(requests.findings)
    kept = {edge.id for edge in wanted}
    return Generated(
        tuple(policies),
        allowed,
        tuple(unresolved),
        tuple(findings),
        requests.policies,
        dns_rules=frozenset(item.dns for item in written if item.dns is not None),
        shared=tuple(row for item in written for row in item.shared),
        refused=tuple(edge for edge in edges if accepted(edge) and edge.id not in kept),
    )


def _is_wanted(edge: Edge, decision: Decision | None) -> bool:
    if decision is not None:
        return decision.verdict is Verdict.ACCEPT
    # what is only declared is among the edges where a person asked for it
    return accepted(edge) or edge.outcome is Outcome.DECLARED


class _Ends:
    """Edges by the workload at either end, in their own order."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self._order = {edge.id: number for number, edge in enumerate(edges)}
        self._by: dict[tuple[PolicyType, ObjectKey], list[Edge]] = {}
        for edge in edges:
            for end, direction in ((edge.client, PolicyType.EGRESS), (edge.server, PolicyType.INGRESS)):
                if end.kind is EndpointKind.WORKLOAD:
                    key = ObjectKey(end.owner_kind, end.namespace, end.name)
                    self._by.setdefault((direction, key), []).append(edge)

    def of(self, keys: Iterable[ObjectKey], direction: PolicyType) -> list[Edge]:
        """The edges of which one of these is the client (egress) or the server (ingress)."""
        found = [edge for key in keys for edge in self._by.get((direction, key), ())]
        return sorted(found, key=lambda edge: self._order[edge.id])


@dataclass(frozen=True)
class _Written:
    """What came of one subject."""

    policy: NetworkPolicy | None
    unresolved: tuple[Unresolved, ...]
    findings: tuple[Finding, ...] = ()
    dns: Rule | None = None
    shared: tuple[Shared, ...] = ()


def _write(
    subject: Subject, ends: _Ends, identities: Identities, peers: Peers, options: GenerationOptions
) -> _Written:
    namespace = subject.namespace
    target = find_dns(identities, namespace)
    mine = ends.of(subject.members, PolicyType.EGRESS)
    dns = tuple(edge for edge in mine if covered(edge, target) and not peers.names(edge))
    spoken_for = {edge.id for edge in dns}
    egress_edges = [edge for edge in mine if edge.id not in spoken_for]
    ingress_edges = ends.of(subject.members, PolicyType.INGRESS)
    ingress, no_ingress = build_rules(ingress_edges, PolicyType.INGRESS, namespace=namespace, peers=peers)
    egress, no_egress = build_rules(egress_edges, PolicyType.EGRESS, namespace=namespace, peers=peers)
    missing = tuple(item for item in (*no_ingress, *no_egress) if item.direction in options.directions)
    types = tuple(
        kind
        for kind in BOTH
        if kind in options.directions and not any(item.direction is kind for item in missing)
    )
    findings = [*_withheld_directions(subject, missing)]
    if not types:
        return _Written(None, missing, tuple(findings))
    kept = {
        PolicyType.INGRESS: ingress if PolicyType.INGRESS in types else (),
        PolicyType.EGRESS: egress if PolicyType.EGRESS in types else (),
    }
    shared = tuple(
        row
        for kind, edges in ((PolicyType.INGRESS, ingress_edges), (PolicyType.EGRESS, egress_edges))
        for row in find_shared(subject, kept[kind], edges, kind, peers)
    )
    assumed: list[str] = []
    lookups = None
    if PolicyType.EGRESS in types and (dns or (mine and options.dns is DnsMode.ASSUMED)):
        lookups, is_assumed = dns_rule(target, dns)
        kept[PolicyType.EGRESS] = (*egress, NumberedRule(lookups, tuple(sorted(edge.id for edge in dns))))
        if is_assumed:
            assumed.append(f"egress/{len(egress) + 1}")
    policy = NetworkPolicy(
        namespace=namespace,
        name=subject.policy,
        pod_selector=subject.selector,
        policy_types=types,
        ingress=tuple(item.rule for item in kept[PolicyType.INGRESS]),
        egress=tuple(item.rule for item in kept[PolicyType.EGRESS]),
        labels=MANAGED_BY,
        annotations=annotations_of(
            kept[PolicyType.INGRESS], kept[PolicyType.EGRESS], assumed, [*ingress_edges, *mine]
        ),
    )
    findings.extend(_collateral(subject, identities))
    findings.extend(open_to_all(subject.title, kept[PolicyType.INGRESS], ingress_edges, peers))
    return _Written(policy, missing, tuple(findings), lookups, shared)


def _withheld_directions(subject: Subject, missing: Iterable[Unresolved]) -> Iterator[Finding]:
    """What one member's unknown peer means for a whole group."""
    if subject.group is None:
        return
    for direction in sorted({item.direction for item in missing}, reverse=True):
        yield Finding(
            "group-direction-withheld",
            Severity.ERROR,
            f"{subject.title} {direction.value}",
            "none of its workloads is isolated in this direction: one of them talks to a peer that nobody "
            "can name, and would be cut off",
            "decide the edges listed as unresolved, and run analyse again",
        )


def _holders(subjects: Iterable[Subject], grouping: Grouping) -> Callable[[ObjectKey], str]:
    names = {subject.group: subject.policy for subject in subjects if subject.group is not None}

    def name(key: ObjectKey) -> str:
        group = grouping.of(key)
        return names.get(group, "") if group is not None else ""

    return name


def _collateral(subject: Subject, identities: Identities) -> list[Finding]:
    pods = collateral(subject.selector, subject.namespace, subject.members, identities.timeline)
    if not pods:
        return []
    return [
        Finding(
            "selector-collateral",
            Severity.WARNING,
            subject.title,
            "its selector also selects pods of other workloads: " + ", ".join(pod.name for pod in pods),
            "their policies add up; give the workloads labels that tell them apart",
        )
    ]
