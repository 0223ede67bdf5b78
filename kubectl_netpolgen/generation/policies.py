"""Edges and decisions to policies: one for each captured workload, and the namespace's deny-all last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netpolgen.analysis.edges import accepted
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.generation.annotations import annotations_of
from kubectl_netpolgen.generation.dns import DnsMode, covered, dns_rule, find_dns
from kubectl_netpolgen.generation.names import DEFAULT_DENY, policy_name
from kubectl_netpolgen.generation.options import BOTH, GenerationOptions, left_out
from kubectl_netpolgen.generation.outsiders import open_to_all
from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.questions import question, said_by_a_person
from kubectl_netpolgen.generation.requests import request_policies
from kubectl_netpolgen.generation.rules import NumberedRule, Unresolved, build_rules
from kubectl_netpolgen.generation.selectors import collateral, workload_selector
from kubectl_netpolgen.generation.standing import standing_policies
from kubectl_netpolgen.generation.widening import told as tell_ranges
from kubectl_netpolgen.generation.widening import widen
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.model.selector import LabelSelector

MANAGED_BY = (("app.kubernetes.io/managed-by", "netpolgen"),)


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


def generate_policies(
    edges: Sequence[Edge],
    captured: Iterable[ObjectKey],
    identities: Identities,
    *,
    decisions: Mapping[str, Decision],
    options: GenerationOptions,
) -> Generated:
    """One policy for each captured workload, exactly as wide as its accepted edges and the DNS rule."""
    through = tuple(edge for edge in edges if _is_wanted(edge, decisions.get(edge.id)))
    wanted = tuple(edge for edge in through if edge.id in decisions or not options.leaves_out(edge))
    ranges = widen(wanted) if options.widen_external else {}
    peers = Peers(identities.timeline, decisions, ranges=ranges, service_ports=options.service_ports)
    policies: list[NetworkPolicy] = []
    unresolved: list[Unresolved] = []
    keys = sorted(set(captured))
    known = frozenset(keys)
    by_client, by_server = by_workload(wanted)
    findings: list[Finding] = list(left_out((edge for edge in through if edge.id not in decisions), options))
    open_directions: dict[str, set[PolicyType]] = {}
    for key in keys:
        policy, missing, said = _workload_policy(
            key, by_client.get(key, ()), by_server.get(key, ()), identities, peers, options
        )
        unresolved.extend(missing)
        findings.extend(said)
        if policy is not None:
            policies.append(policy)
        shut = policy.policy_types if policy is not None else ()
        open_directions.setdefault(key.namespace, set()).update(set(options.directions) - set(shut))
    if options.default_deny:
        for namespace in sorted({key.namespace for key in keys}):
            open_here = open_directions.get(namespace, set()) | _uncaptured(
                namespace, known, identities, wanted
            )
            if open_here:
                findings.append(_withheld_deny(namespace, open_here))
            types = tuple(kind for kind in options.directions if kind not in open_here)
            if types:
                policies.append(default_deny(namespace, types))
    for namespace in sorted({key.namespace for key in keys}):
        findings.extend(_idle_workloads(namespace, known, identities))
    missing_edges = {(item.edge.id, item.direction) for item in unresolved}
    allowed = tuple(
        edge for edge in wanted if not any((edge.id, direction) in missing_edges for direction in BOTH)
    )
    findings.extend(question(item) for item in unresolved)
    findings.extend(said_by_a_person(allowed, decisions, peers))
    findings.extend(tell_ranges(allowed, ranges))
    findings.extend(standing_policies(keys, policies, identities.timeline))
    requests = request_policies(allowed, keys, identities.timeline, peers)
    findings.extend(requests.findings)
    return Generated(tuple(policies), allowed, tuple(unresolved), tuple(findings), requests.policies)


def _is_wanted(edge: Edge, decision: Decision | None) -> bool:
    if decision is not None:
        return decision.verdict is Verdict.ACCEPT
    # what is only declared is among the edges where a person asked for it
    return accepted(edge) or edge.outcome is Outcome.DECLARED


ByWorkload = Mapping[ObjectKey, Sequence[Edge]]


def by_workload(edges: Iterable[Edge]) -> tuple[ByWorkload, ByWorkload]:
    """The edges of each workload as the client, and as the server."""
    clients: dict[ObjectKey, list[Edge]] = {}
    servers: dict[ObjectKey, list[Edge]] = {}
    for edge in edges:
        for end, found in ((edge.client, clients), (edge.server, servers)):
            if end.kind is EndpointKind.WORKLOAD:
                found.setdefault(ObjectKey(end.owner_kind, end.namespace, end.name), []).append(edge)
    return clients, servers


def _workload_policy(
    key: ObjectKey,
    mine: Sequence[Edge],
    ingress_edges: Sequence[Edge],
    identities: Identities,
    peers: Peers,
    options: GenerationOptions,
) -> tuple[NetworkPolicy | None, list[Unresolved], list[Finding]]:
    selector = workload_selector(key, identities.timeline)
    if selector is None:
        return None, [], [_no_selector(key)]
    target = find_dns(identities, key.namespace)
    dns = tuple(edge for edge in mine if covered(edge, target) and not peers.names(edge))
    spoken_for = {edge.id for edge in dns}
    egress_edges = [edge for edge in mine if edge.id not in spoken_for]
    ingress, no_ingress = build_rules(ingress_edges, PolicyType.INGRESS, namespace=key.namespace, peers=peers)
    egress, no_egress = build_rules(egress_edges, PolicyType.EGRESS, namespace=key.namespace, peers=peers)
    assumed: list[str] = []
    if dns or (mine and options.dns is DnsMode.ASSUMED):
        rule, is_assumed = dns_rule(target, dns)
        egress = (*egress, NumberedRule(rule, tuple(sorted(edge.id for edge in dns))))
        if is_assumed:
            assumed.append(f"egress/{len(egress)}")
    missing = [item for item in (*no_ingress, *no_egress) if item.direction in options.directions]
    withheld = {item.direction for item in missing} | (set(BOTH) - set(options.directions))
    types = tuple(kind for kind in BOTH if kind not in withheld)
    if not types:
        return None, missing, []
    kept_ingress = () if PolicyType.INGRESS in withheld else ingress
    kept_egress = () if PolicyType.EGRESS in withheld else egress
    policy = NetworkPolicy(
        namespace=key.namespace,
        name=policy_name(key),
        pod_selector=selector,
        policy_types=types,
        ingress=tuple(item.rule for item in kept_ingress),
        egress=tuple(item.rule for item in kept_egress),
        labels=MANAGED_BY,
        annotations=annotations_of(
            kept_ingress,
            kept_egress,
            () if PolicyType.EGRESS in withheld else assumed,
            [*ingress_edges, *mine],
        ),
    )
    return (
        policy,
        missing,
        [
            *_collateral(key, selector, identities),
            *(open_to_all(key, kept_ingress, ingress_edges, peers)),
        ],
    )


def default_deny(namespace: str, types: tuple[PolicyType, ...] = BOTH) -> NetworkPolicy:
    """The policy that selects every pod of the namespace and allows nothing."""
    return NetworkPolicy(
        namespace=namespace,
        name=DEFAULT_DENY,
        pod_selector=LabelSelector(),
        policy_types=types,
        labels=MANAGED_BY,
    )


def _uncaptured(
    namespace: str, captured: Collection[ObjectKey], identities: Identities, wanted: Iterable[Edge]
) -> set[PolicyType]:
    """Directions in which a workload without a policy of its own would be cut off by a deny-all.

    Both for one that runs; for one that does not at the moment, such as a CronJob, those of its known edges.
    """
    timeline = identities.timeline
    left = any(
        pod.namespace == namespace
        and not pod.finished
        and not pod.deleting
        and not pod.host_network
        and timeline.top_owner(pod).key not in captured
        and pod.uid in timeline.present
        for pod in timeline.pods.values()
    )
    if left:
        return set(BOTH)
    return {
        direction
        for edge in wanted
        for end, direction in ((edge.client, PolicyType.EGRESS), (edge.server, PolicyType.INGRESS))
        if end.kind is EndpointKind.WORKLOAD
        and end.namespace == namespace
        and not end.host_network
        and ObjectKey(end.owner_kind, end.namespace, end.name) not in captured
    }


def _idle_workloads(namespace: str, captured: Collection[ObjectKey], identities: Identities) -> list[Finding]:
    """Workloads without a pod to capture: CronJobs between two runs, Deployments scaled to nothing."""
    timeline = identities.timeline
    busy = {
        timeline.top_owner(pod).key
        for pod in timeline.pods.values()
        if pod.namespace == namespace and pod.uid in timeline.present and not pod.finished
    }
    return [
        Finding(
            "workload-idle",
            Severity.WARNING,
            str(workload.key),
            "had no running pod to capture, so it gets no policy; a deny-all would cut its next pods off",
            "capture while it runs",
        )
        for workload in timeline.workloads
        if workload.key.namespace == namespace
        and workload.owner is None
        and workload.template_labels
        and workload.key not in captured
        and workload.key not in busy
    ]


def _withheld_deny(namespace: str, directions: set[PolicyType]) -> Finding:
    which = " and ".join(kind.value for kind in BOTH if kind in directions)
    return Finding(
        "default-deny-withheld",
        Severity.ERROR,
        f"namespace {namespace}",
        f"the deny-all leaves out {which}: a workload there was not captured, or talks to a peer that nobody "
        "can name, and would be cut off",
        "capture every workload, or decide the edges listed as unresolved, and run analyse again",
    )


def _no_selector(key: ObjectKey) -> Finding:
    return Finding(
        "no-usable-labels",
        Severity.ERROR,
        str(key),
        "none of its labels tells its pods from others, and an empty selector would mean the whole namespace",
        "give its pods a label of their own and capture again",
    )


def _collateral(key: ObjectKey, selector: LabelSelector, identities: Identities) -> list[Finding]:
    pods = collateral(selector, key, identities.timeline)
    if not pods:
        return []
    return [
        Finding(
            "selector-collateral",
            Severity.WARNING,
            str(key),
            "its selector also selects pods of other workloads: " + ", ".join(pod.name for pod in pods),
            "their policies add up; give the workloads labels that tell them apart",
        )
    ]
