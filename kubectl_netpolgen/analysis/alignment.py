"""Captures and socket tables brought onto the cluster's clock, with a word on each that had another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kubectl_netpolgen.analysis.clocks import Clock
from kubectl_netpolgen.analysis.shared_connections import Glance
from kubectl_netpolgen.analysis.timeline import SLACK, Timeline
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.sockets import PodNetwork

if TYPE_CHECKING:
    from kubectl_netpolgen.analysis.derivation import Capture

_SECOND = 1_000_000_000
_WAY_OUT = "set the clocks of the nodes right (NTP), and capture again if an edge is missing or strange"


def moved(capture: Capture, clock: Clock) -> Capture:
    """The capture by the cluster's clock; as it is, where its own was no other."""
    if not clock.off:
        return capture
    contents = capture.contents
    return replace(
        capture,
        contents=contents._replace(
            conversations=tuple(
                item._replace(first=item.first - clock.offset, last=item.last - clock.offset)
                for item in contents.conversations
            )
        ),
    )


def moved_networks(
    networks: Mapping[str, PodNetwork], glances: Iterable[Glance], clocks: Mapping[str, Clock]
) -> Mapping[str, PodNetwork]:
    """Socket tables by the cluster's clock: a pod's agent stamped them by the clock of its packets."""
    offsets = {item.pod_uid: clocks[item.file].offset for item in glances if clocks[item.file].off}
    return {
        uid: replace(network, rows=tuple(replace(row, time=row.time - offsets[uid]) for row in network.rows))
        if uid in offsets
        else network
        for uid, network in networks.items()
    }


def tell_clocks(
    glances: Iterable[Glance], clocks: Mapping[str, Clock], timeline: Timeline
) -> tuple[Finding, ...]:
    """One for each node whose captures agree, since a clock is a node's; else one for each capture."""
    nodes: dict[str, list[tuple[str, Clock]]] = {}
    for item in glances:
        pod = timeline.pods.get(item.pod_uid)
        name = f"pod {pod.namespace}/{pod.name}" if pod is not None else item.file
        nodes.setdefault(pod.node if pod is not None else "", []).append((name, clocks[item.file]))
    found = []
    for node, items in sorted(nodes.items()):
        told = items
        if node and len(items) > 1 and _agree([clock for _, clock in items]):
            told = [(f"node {node}", items[0][1])]
        found += [_skew(name, clock) for name, clock in told if clock.off]
        found += [_odd(name) for name, clock in told if clock.odd]
    return tuple(found)


def _agree(clocks: Sequence[Clock]) -> bool:
    offsets = [clock.offset for clock in clocks]
    kinds = {(clock.doubt, clock.at_least, clock.odd) for clock in clocks}
    return max(offsets) - min(offsets) <= SLACK and len(kinds) == 1


def _skew(subject: str, clock: Clock) -> Finding:
    seconds = round(abs(clock.offset) / _SECOND)
    amount = f"at least {seconds} s" if clock.at_least else f"{seconds} s"
    side, moved = ("ahead of", "back") if clock.offset > 0 else ("behind", "forward")
    if clock.doubt:
        message = (
            f"its clock is {amount} {side} that of captures which show the same connections, and nothing "
            f"says which of them is right; its times were taken {moved} to theirs"
        )
    else:
        message = f"its clock is {amount} {side} the cluster's; its times were taken {moved} by as much"
    return Finding("clock-skew", Severity.WARNING, subject, message, _WAY_OUT)


def _odd(subject: str) -> Finding:
    return Finding(
        "capture-times-odd",
        Severity.WARNING,
        subject,
        "the times in its capture fit the run, and the life of its pod, by no offset: addresses may be taken "
        "for those of whoever had them at another time",
        _WAY_OUT,
    )
