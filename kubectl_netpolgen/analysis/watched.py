"""Pod by pod: from when to when it was there in a run, and how much of that its capture covers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubectl_netpolgen.analysis.timeline import ObjectEvent
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.model.objects import Pod


@dataclass(frozen=True)
class WatchedPod:
    """A pod of the namespaces that were captured; times in nanoseconds since the epoch."""

    uid: str
    namespace: str
    name: str
    there: tuple[int, int]
    """Its part of the run, from its creation to its end."""
    captured: tuple[int, int] | None
    """From when tcpdump listened to when it ended; None when there is no capture of it."""
    dropped: int | None
    """Packets that the kernel had no room for; None when nobody counted them."""
    skipped: bool = False
    """True for one that is not to be captured at all."""
    reason: str = ""

    @property
    def missed(self) -> int:
        """Nanoseconds of its time in the run that its capture does not cover."""
        begun, ended = self.there
        if self.captured is None:
            return ended - begun
        first, last = max(begun, self.captured[0]), min(ended, self.captured[1])
        return (ended - begun) - max(0, last - first)


def watched_pods(
    captures: Iterable[PodCapture],
    pods: Mapping[str, Pod],
    events: Iterable[ObjectEvent],
    readable: frozenset[str] | set[str],
    *,
    started: int,
    ended: int,
) -> tuple[WatchedPod, ...]:
    """Every pod that a run knew of, by namespace and name.

    `readable` are the UIDs of those whose capture could be read.
    A pod is over when it was deleted or had ended (PodStatus.phase), as the watch told.
    """
    gone: dict[str, int] = {}
    for event in events:
        item = event.object
        if isinstance(item, Pod) and (event.type == "DELETED" or item.finished):
            gone.setdefault(item.uid, event.time)
    found = []
    for capture in captures:
        pod = pods.get(capture.uid)
        begun = min(ended, max(started, pod.created if pod is not None else 0))
        over = max(begun, min(ended, gone.get(capture.uid, ended)))
        whole = capture.uid in readable and capture.started > 0
        until = capture.ended if capture.ended > 0 else over
        found.append(
            WatchedPod(
                uid=capture.uid,
                namespace=capture.namespace,
                name=capture.name,
                there=(begun, over),
                captured=(capture.started, until) if whole else None,
                dropped=capture.dropped if whole else None,
                skipped=capture.state is PodState.SKIPPED,
                reason=capture.reason,
            )
        )
    return tuple(sorted(found, key=lambda item: (item.namespace, item.name, item.uid)))
