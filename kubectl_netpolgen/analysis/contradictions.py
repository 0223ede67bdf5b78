"""Where captures contradict each other, or the objects: each is told, since one of two must be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kubectl_netpolgen.analysis.shared_connections import Glance, Shared
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Conversation
from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.model.objects import Pod


def contradictions(
    glances: Iterable[Glance], shared: Iterable[Shared], timeline: Timeline
) -> tuple[Finding, ...]:
    """Findings about captures and objects that cannot all be what they say they are."""
    known = tuple(glances)
    return (
        *_of_pairs({item.file: item.pod_uid for item in known}, shared, timeline),
        *_of_strangers(known, timeline),
        *_of_addresses(timeline),
        *_of_selectors(timeline),
    )


def _of_pairs(pods: Mapping[str, str], shared: Iterable[Shared], timeline: Timeline) -> Iterator[Finding]:
    """Two captures that say different things of one connection: how it ended, or who took part in it."""
    found: dict[tuple[str, str, str], list[Conversation]] = {}
    for first, second, a, b in shared:
        here, there = timeline.own_addresses(pods[first]), timeline.own_addresses(pods[second])
        if a.outcome is not b.outcome and (
            (a.outcome.failed and b.outcome.accepted) or (a.outcome.accepted and b.outcome.failed)
        ):
            said = f"was {a.outcome.value} by the first and {b.outcome.value} by the second"
            found.setdefault((first, second, said), []).append(a)
        if pods[first] == pods[second]:
            continue
        if a.server in here and b.server in there:
            found.setdefault((first, second, "has both pods as its server"), []).append(a)
        if a.client in here and b.client in there:
            found.setdefault((first, second, "has both pods as its client"), []).append(a)
    for (first, second, said), items in sorted(found.items()):
        shown = min(items, key=lambda item: (item.first, item.client_port))
        more = f" and {len(items) - 1} more" if len(items) > 1 else ""
        yield Finding(
            "captures-disagree",
            Severity.WARNING,
            f"{first} and {second}",
            f"the connection {shown.client} port {shown.client_port} -> {shown.server} port "
            f"{shown.server_port}{more} {said}; what got through by either is taken to have got through",
            "look at both files; one of them may be of another pod, or something between the pods answers "
            "for them",
        )


def _of_strangers(glances: Iterable[Glance], timeline: Timeline) -> Iterator[Finding]:
    """Captures of a pod in which none of its addresses takes part in anything."""
    for item in glances:
        pod, strange = timeline.pods.get(item.pod_uid), item.strange
        if pod is None or pod.host_network or not pod.addresses or strange is None:
            continue
        yield Finding(
            "capture-of-another",
            Severity.WARNING,
            f"pod {pod.namespace}/{pod.name}",
            f"none of its addresses ({', '.join(pod.addresses)}) takes part in what its capture "
            f"{item.file} shows, as in {strange.client} -> {strange.server} port {strange.server_port}: it "
            "may be another pod's",
            "capture again, unless the pod forwards for others",
        )


def _of_addresses(timeline: Timeline) -> Iterator[Finding]:
    """Addresses that several pods have at the end, none of them on its way out."""
    holders: dict[Address, list[Pod]] = {}
    for uid in timeline.present:
        pod = timeline.pods[uid]
        if not pod.host_network and not pod.finished and not pod.deleting:
            for address in pod.addresses:
                holders.setdefault(address, []).append(pod)
    for address, pods in sorted(holders.items()):
        if len(pods) > 1:
            names = ", ".join(sorted(f"{pod.namespace}/{pod.name}" for pod in pods))
            yield Finding(
                "address-contested",
                Severity.WARNING,
                f"address {address}",
                f"is that of several pods at once ({names}); its traffic is taken to be the youngest's",
                "see which of them is really there, and capture again",
            )


def _of_selectors(timeline: Timeline) -> Iterator[Finding]:
    """Owners whose own selector selects none of the pods that say they are theirs."""
    for workload in timeline.workloads:
        pods, selector = timeline.pods_of(workload.key), workload.selector
        if pods and selector is not None and not any(selector.matches(pod.labels) for pod in pods):
            yield Finding(
                "selector-misses-pods",
                Severity.WARNING,
                str(workload.key),
                "its selector selects none of its pods, so rules about it go by the labels that they share",
                "for a custom resource that is in order; else the objects were recorded wrongly",
            )
