"""How much of the traffic a capture has probably seen: whether one may stop.

Edges are taken for species and connections for sightings of them. The estimate of how many were missed is
Chao's lower bound, bias-corrected (Chao 1984; Chiu et al. 2014): it rests on how many were seen just once and
just twice, and says nothing of what happens only at night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubectl_netpolgen.analysis.edges import accepted
from kubectl_netpolgen.analysis.unused import Unused, UnusedKind
from kubectl_netpolgen.analysis.watched import WatchedPod
from kubectl_netpolgen.model.edge import Edge

_SECOND = 1_000_000_000
_NAMES = {
    UnusedKind.PORT: "declared port",
    UnusedKind.SERVICE: "Service",
    UnusedKind.CRON_JOB: "CronJob",
    UnusedKind.INIT_CONTAINER: "init container",
}


@dataclass(frozen=True)
class Coverage:
    """What a capture covered; times in nanoseconds."""

    pods_captured: int
    pods_there: int
    edges: int
    seen_once: int
    seen_twice: int
    last_new: int
    """From the start of the run to the first packet of the newest edge; 0 without any."""
    duration: int
    pods: tuple[WatchedPod, ...] = ()
    """All that the run knew of, skipped ones too."""
    unused: tuple[Unused, ...] = ()

    @property
    def missed(self) -> int:
        """Nanoseconds of pods' time in the run that no capture covers, added up over pods."""
        return sum(pod.missed for pod in self.pods if not pod.skipped)

    @property
    def dropped(self) -> int | None:
        """Packets that kernels had no room for; None when nobody counted any."""
        counted = [pod.dropped for pod in self.pods if pod.dropped is not None]
        return sum(counted) if counted else None

    @property
    def unseen(self) -> float:
        """About how many edges were missed, at least."""
        return self.seen_once * (self.seen_once - 1) / (2 * (self.seen_twice + 1))

    def __str__(self) -> str:
        pods = "; ".join((f"{self.pods_captured} of {self.pods_there} pods captured", *self._losses()))
        if not self.edges:
            return f"{pods}; no edge was seen"
        newest = f"the newest edge came {self.last_new / _SECOND:.0f} s into {self.duration / _SECOND:.0f} s"
        return f"{pods}; {newest}; about {self.unseen:.0f} more edges are to be expected ({self._advice()})"

    def _losses(self) -> Iterator[str]:
        """What was missed, each only where there is some."""
        if self.missed >= _SECOND:
            yield f"{self.missed / _SECOND:.0f} s of their time missed"
        if self.dropped:
            yield f"{self.dropped} packets lost"
        kinds = Counter(item.kind for item in self.unused)
        if kinds:
            words = (
                f"{kinds[kind]} {name}{'s' if kinds[kind] > 1 else ''}"
                for kind, name in _NAMES.items()
                if kinds[kind]
            )
            yield f"without traffic: {', '.join(words)}"

    def _advice(self) -> str:
        quiet = self.duration - self.last_new
        if self.unseen >= 1 or quiet * 2 < self.duration:
            return "go on"
        return "you may stop, as far as such hours tell"


def measure_coverage(
    edges: Iterable[Edge],
    *,
    started: int,
    ended: int,
    pods_captured: int,
    pods_there: int,
    pods: tuple[WatchedPod, ...] = (),
    unused: tuple[Unused, ...] = (),
) -> Coverage:
    """The coverage of a run; an edge that sockets alone tell has no number, and counts as seen often."""
    known = [edge for edge in edges if accepted(edge)]
    newest = max((edge.first for edge in known), default=started)
    return Coverage(
        pods_captured=pods_captured,
        pods_there=pods_there,
        edges=len(known),
        seen_once=sum(edge.connections == 1 for edge in known),
        seen_twice=sum(edge.connections == 2 for edge in known),
        last_new=max(0, newest - started),
        duration=max(0, ended - started),
        pods=pods,
        unused=unused,
    )
