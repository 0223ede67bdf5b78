"""What a bundle knows about the ends of its conversations beyond their packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubectl_netpolgen.analysis.orientation import Orientation
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.bundle.reader import Recorded
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import DIRECTION_ORDER, Conversation
from kubectl_netpolgen.runs.derive import read_sockets


class BundleEnds:
    """Turns conversations the right way round by Services, container ports and listening sockets."""

    def __init__(self, recorded: Recorded) -> None:
        found: list[Finding] = []
        # with rights on some namespaces only, an ended pod's address may be a pod's that we cannot see
        started = recorded.manifest.started if "pods:*" in recorded.manifest.readable else 0
        timeline = Timeline(recorded.objects, recorded.events, started=started)
        self._orientation = Orientation(timeline, dict(read_sockets(recorded.sockets, found)))
        self.findings = tuple(found)

    def orient(self, item: Conversation) -> Conversation:
        """The conversation with its better-founded client; what packets prove is not given up for less."""
        turned = self._orientation.orient(item)
        weaker = DIRECTION_ORDER.index(turned.direction) > DIRECTION_ORDER.index(item.direction)
        return item if weaker else turned

    def orient_all(self, items: Iterable[Conversation]) -> Iterator[Conversation]:
        """Each of them."""
        return map(self.orient, items)
