"""What each policy is for: a workload, or a group of them that was asked for and can be had.

A policy for a group selects whoever has its label, or the whole namespace. So it is written only when every
pod that it would select belongs to a workload that was captured; else each workload has a policy of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.generation.names import NAMESPACE_POLICY, label_policy_name, policy_name
from kubectl_netpolgen.generation.selectors import workload_selector
from kubectl_netpolgen.generation.unobserved import ended_unobserved, running_unobserved
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import Peer, PolicyType
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.semantics.evaluation import METADATA_NAME

_LISTED = 5


@dataclass(frozen=True, order=True)
class Group:
    """Workloads of one namespace that share a policy: all of them, or those with a label's value."""

    namespace: str
    key: str = ""
    value: str = ""

    @property
    def selector(self) -> LabelSelector:
        """The selector that was asked for; of a whole namespace the empty one."""
        return LabelSelector(((self.key, self.value),)) if self.key else LabelSelector()

    def peer(self, seen_from: str) -> Peer:
        """The group as a peer in a policy of a namespace."""
        if self.namespace == seen_from:
            return Peer(pod_selector=self.selector)
        there = LabelSelector(((METADATA_NAME, self.namespace),))
        return Peer(namespace_selector=there, pod_selector=self.selector if self.key else None)

    def __str__(self) -> str:
        return f"namespace {self.namespace}" + (f", pods with {self.key}={self.value}" if self.key else "")


@dataclass(frozen=True)
class Subject:
    """What one policy is for."""

    title: str
    """As findings call it."""
    namespace: str
    policy: str
    """The policy's name."""
    selector: LabelSelector
    members: tuple[ObjectKey, ...]
    group: Group | None = None


class Grouping:
    """Which group a workload belongs to, wherever it runs: subjects and peers are asked of the same one."""

    def __init__(
        self, granularity: Granularity, timeline: Timeline, *, refused: Collection[Group] = frozenset()
    ) -> None:
        """Workloads of `refused` groups stand for themselves."""
        self._granularity = granularity
        self._timeline = timeline
        self._refused = frozenset(refused)
        self._known: dict[ObjectKey, Group | None] = {}

    def of(self, key: ObjectKey) -> Group | None:
        """The group that stands for a workload, None when it stands for itself."""
        if key not in self._known:
            found = self._find(key)
            self._known[key] = None if found in self._refused else found
        return self._known[key]

    def _find(self, key: ObjectKey) -> Group | None:
        if self._granularity.per is Per.NAMESPACE:
            return Group(key.namespace)
        if self._granularity.per is Per.LABEL:
            value = self._value(key)
            return None if value is None else Group(key.namespace, self._granularity.key, value)
        return None

    def _value(self, key: ObjectKey) -> str | None:
        """The label's value where the workload's template has it and every pod that was seen carries it.

        A pod without it would be named by no rule for the group. Where no template is known, its pods decide.
        """
        name = self._granularity.key
        workload = self._timeline.workload(key)
        said = dict(workload.template_labels) if workload is not None else {}
        if not said and workload is not None and workload.selector is not None:
            said = dict(workload.selector.match_labels)
        seen = {pod.labels.get(name) for pod in self._timeline.pods_of(key)}
        values = seen | {said.get(name)} if said else seen
        return values.pop() if len(values) == 1 else None


def find_grouping(
    granularity: Granularity,
    captured: Sequence[ObjectKey],
    timeline: Timeline,
    *,
    wanted: Iterable[Edge],
    directions: Collection[PolicyType],
) -> tuple[Grouping, tuple[Finding, ...]]:
    """The grouping that can be had, and a finding for each workload and group that is left out of it."""
    asked = Grouping(granularity, timeline)
    edges, known = tuple(wanted), frozenset(captured)
    ended: dict[Group | None, set[ObjectKey]] = {}
    for namespace in {key.namespace for key in captured}:
        for key, direction in ended_unobserved(namespace, known, edges):
            if direction in directions:
                ended.setdefault(asked.of(key), set()).add(key)
    findings: list[Finding] = []
    refused: set[Group] = set()
    for group, members in sorted(_groups(asked, captured).items()):
        running = running_unobserved(group.namespace, group.selector, members, timeline)
        others = running | ended.get(group, set())
        if others:
            refused.add(group)
            findings.append(_refusal(group, sorted(others), captured))
    if granularity.per is Per.LABEL:
        findings.extend(_unlabelled(granularity.key, captured, asked))
    return Grouping(granularity, timeline, refused=refused), tuple(findings)


def find_subjects(
    captured: Sequence[ObjectKey], grouping: Grouping, timeline: Timeline
) -> tuple[tuple[Subject, ...], tuple[Finding, ...]]:
    """Groups, then workloads for themselves; and a finding for each workload that nothing can select."""
    subjects = [
        Subject(str(group), group.namespace, _policy_name(group), group.selector, tuple(members), group)
        for group, members in sorted(_groups(grouping, captured).items())
    ]
    findings: list[Finding] = []
    for key in captured:
        if grouping.of(key) is not None:
            continue
        selector = workload_selector(key, timeline)
        if selector is None:
            findings.append(_no_selector(key))
        else:
            subjects.append(Subject(str(key), key.namespace, policy_name(key), selector, (key,)))
    return tuple(subjects), tuple(findings)


def _groups(grouping: Grouping, captured: Iterable[ObjectKey]) -> Mapping[Group, list[ObjectKey]]:
    found: dict[Group, list[ObjectKey]] = {}
    for key in captured:
        group = grouping.of(key)
        if group is not None:
            found.setdefault(group, []).append(key)
    return found


def _policy_name(group: Group) -> str:
    return label_policy_name(group.key, group.value) if group.key else NAMESPACE_POLICY


def _refusal(group: Group, others: Sequence[ObjectKey], captured: Collection[ObjectKey]) -> Finding:
    """Why there is no policy for the group; `others` would be selected and are no members of it."""
    shown = ", ".join(str(key) for key in others[:_LISTED])
    more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    mixed = all(key in captured for key in others)
    why = "of whose pods not all have the label" if mixed else "whose needs were not captured"
    return Finding(
        "group-withheld",
        Severity.ERROR,
        str(group),
        f"its workloads have a policy each: one for all of them would also isolate {shown}{more}, {why}",
        "wait until its roll-out is done, and capture again"
        if mixed
        else "capture every workload there while it runs, or leave --per out to accept a policy for each",
    )


def _unlabelled(label: str, captured: Sequence[ObjectKey], asked: Grouping) -> Iterator[Finding]:
    without = [key for key in captured if asked.of(key) is None]
    if without and len(without) == len(captured):
        yield Finding(
            "label-unused",
            Severity.WARNING,
            f"label {label}",
            "no captured workload has it in its template and on each pod seen, so each has its own policy",
            "check the key: `kubectl get pods --show-labels` lists what there is",
        )
        return
    for key in without:
        yield Finding(
            "label-missing",
            Severity.NOTE,
            str(key),
            f"keeps a policy of its own: its template and every pod seen do not share a label {label}",
            "label its template where it belongs to a group",
        )


def _no_selector(key: ObjectKey) -> Finding:
    return Finding(
        "no-usable-labels",
        Severity.ERROR,
        str(key),
        "none of its labels tells its pods from others, and an empty selector would mean the whole namespace",
        "give its pods a label of their own and capture again",
    )
