"""How far the clock of each capture was off, measured by what captures share and by when they ran.

Who had an address is asked with a time, and two vantage points are joined only where their times meet. Clocks
of nodes that differ by minutes would give a pod's traffic to whoever had its address before, so captures are
brought onto one clock first, and it is said which was off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import NamedTuple

from kubectl_netpolgen.analysis.shared_connections import Glance, Shared
from kubectl_netpolgen.analysis.timeline import SLACK, Timeline

_SECOND = 1_000_000_000
_RETRIES = 64 * _SECOND
"""A first packet that only one side saw is sent again within this time (Linux, tcp_syn_retries 6)."""
_FEW = 2
_FOREVER = 2**62


class Recording(NamedTuple):
    """What a run knows of the time of one capture, by the cluster's clock."""

    start: int = -_FOREVER
    end: int = _FOREVER
    offset: int = 0
    """How far the node's clock was ahead, as asked during the run; 0 where it was not asked."""


@dataclass(frozen=True)
class Clock:
    """One capture's clock, in nanoseconds ahead of the cluster's."""

    offset: int = 0
    doubt: bool = False
    """True when the captures differ and nothing says which of them is right."""
    at_least: bool = False
    """True when only the time of the run says so, which bounds it from one side."""
    odd: bool = False
    """True when its times fit the run by no offset."""

    @property
    def off(self) -> bool:
        """True beyond what is tolerated anyway."""
        return abs(self.offset) > SLACK


def recorder_offset(offsets: Iterable[int]) -> int:
    """How far the cluster's clock was ahead of the recorder's own, which stamps events: what most nodes say.

    0 when they agree on nothing, or on a difference that is tolerated anyway.
    """
    known = sorted(offsets)
    if not known:
        return 0
    middle = median_low(known)
    agreeing = sum(abs(item - middle) <= SLACK for item in known)
    return middle if abs(middle) > SLACK and 2 * agreeing > len(known) else 0


def measure_clocks(
    glances: Iterable[Glance],
    shared: Iterable[Shared],
    timeline: Timeline,
    recordings: Mapping[str, Recording],
) -> dict[str, Clock]:
    """The clock of each capture, by its file."""
    bounds = {glance.file: _bounds(glance, timeline, recordings) for glance in glances}
    expected = {file: recordings.get(file, Recording()).offset for file in bounds}
    clocks: dict[str, Clock] = {}
    for group in _groups(sorted(bounds), _differences(shared)):
        clocks.update(_anchored(group, bounds, expected))
    return clocks


class _Bounds(NamedTuple):
    """The least and the largest offset by which a capture's times fit the time that it can have run in."""

    least: int = -_FOREVER
    most: int = _FOREVER

    def miss(self, offset: int) -> bool:
        """True for an offset by which they do not fit."""
        return not self.least <= offset <= self.most


def _bounds(glance: Glance, timeline: Timeline, recordings: Mapping[str, Recording]) -> _Bounds:
    """From the creation of the pod and the run of the capture; a few wild times in it are nobody's clock."""
    recording, pod = recordings.get(glance.file, Recording()), timeline.pods.get(glance.pod_uid)
    start = max(recording.start, pod.created if pod is not None and pod.created else -_FOREVER)
    end = recording.end
    if not glance.firsts:
        return _Bounds()
    # with one end open there is nothing that would show an offset to be too large
    spare = len(glance.firsts) // (10 if start > -_FOREVER and end < _FOREVER else 2)
    return _Bounds(
        glance.lasts[-1 - spare] - end - SLACK if end < _FOREVER else -_FOREVER,
        glance.firsts[spare] - start + SLACK if start > -_FOREVER else _FOREVER,
    )


class _Difference(NamedTuple):
    """How far one capture's clock is ahead of another's."""

    support: int
    """Measures that agree."""
    a: str
    b: str
    ahead: int


def _differences(shared: Iterable[Shared]) -> list[_Difference]:
    """Of each two captures that share connections, the best-founded first."""
    pairs: dict[tuple[str, str], list[Shared]] = {}
    for item in shared:
        pairs.setdefault((item.a, item.b), []).append(item)
    found = (_agreed(a, b, items) for (a, b), items in pairs.items())
    return sorted(
        (item for item in found if item is not None), key=lambda item: (-item.support, item.a, item.b)
    )


def _agreed(a: str, b: str, items: Sequence[Shared]) -> _Difference | None:
    """What most measures say; None where they could be something else than a difference of clocks.

    Beginnings differ where a first packet was lost and sent again, ends where a capture stopped before.
    """
    firsts = [item.at_b.first - item.at_a.first for item in items]
    lasts = [item.at_b.last - item.at_a.last for item in items]
    begun, over = median_low(firsts), median_low(lasts)
    support, _, _, middle = max(
        (
            sum(abs(item - middle) <= _SECOND for item in (*firsts, *lasts)),
            # long connections end as their captures do, all at once; few beginnings are lost, and not alike
            middle == begun and len(items) > _FEW,
            -abs(middle),
            middle,
        )
        for middle in (begun, over)
    )
    sure = support > 1 or abs(middle) <= SLACK or abs(middle) > _RETRIES
    return _Difference(support, a, b, middle) if sure and 2 * support > len(items) else None


def _groups(files: Iterable[str], differences: Iterable[_Difference]) -> list[dict[str, int]]:
    """Captures that can be compared, each with how far it is ahead of one of them."""
    group_of = {file: {file: 0} for file in files}
    for _, a, b, ahead in differences:
        here, there = group_of[a], group_of[b]
        if here is there:
            continue
        move = here[a] + ahead - there[b]
        if len(here) < len(there):
            here, there, move = there, here, -move
        for file, offset in there.items():
            here[file] = offset + move
            group_of[file] = here
    return [group for file, group in group_of.items() if min(group) == file]


def _anchored(
    group: Mapping[str, int], bounds: Mapping[str, _Bounds], expected: Mapping[str, int]
) -> dict[str, Clock]:
    """Clocks by their differences: by what fits the run best, then by what most agree with."""

    def misses(base: int) -> int:
        return sum(bounds[file].miss(ahead + base) for file, ahead in group.items())

    def agreeing(base: int) -> int:
        return sum(abs(ahead + base - expected[file]) <= SLACK for file, ahead in group.items())

    # one candidate for each second is enough, and two thousand captures are of a few nodes
    bases = sorted(expected[file] - ahead for file, ahead in group.items())
    candidates = {0, *{base // _SECOND: base for base in bases}.values()}
    ranked = sorted((misses(base), -agreeing(base), abs(base), base) for base in candidates)
    base = ranked[0][3]
    doubt = any(other[:2] == ranked[0][:2] and abs(other[3] - base) > SLACK for other in ranked[1:])
    offsets = {file: ahead + base for file, ahead in group.items()}
    least = max(bounds[file].least - offset for file, offset in offsets.items())
    most = min(bounds[file].most - offset for file, offset in offsets.items())
    move = min(max(0, least), most) if least <= most else 0
    return {
        file: Clock(
            offset + move,
            doubt=doubt and not move,
            at_least=bool(move),
            odd=bounds[file].miss(offset + move),
        )
        for file, offset in offsets.items()
    }
