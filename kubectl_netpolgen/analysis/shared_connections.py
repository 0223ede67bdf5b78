"""Connections that two captures show, as far as their clocks and their words can be compared by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpolgen.model.flow import Conversation
from kubectl_netpolgen.model.network import Address

if TYPE_CHECKING:
    from kubectl_netpolgen.analysis.derivation import Capture

MOST = 16_000
"""Connections that are kept to be compared; of more, those from every second client port, or every fourth."""
_LOOKED_AT = 20
"""Conversations of each capture whose times are kept."""

_FILE = itemgetter(0)


class Shared(NamedTuple):
    """One connection in two captures, given by their files in order."""

    a: str
    b: str
    at_a: Conversation
    at_b: Conversation


class Glance(NamedTuple):
    """What is remembered of one capture: enough to tell its clock, and whose it is."""

    file: str
    pod_uid: str
    firsts: tuple[int, ...]
    """Sorted, of conversations from all over the capture."""
    lasts: tuple[int, ...]
    strange: Conversation | None = None
    """One of these conversations, where none has an address of the pod at either end."""


class Comparison:
    """Takes captures one after the other, in any order, and remembers what they may share.

    A million connections are too many to remember twice, so large bundles are compared by a sample, which is
    chosen alike at both ends: by the client's port. A capture of few connections may then have none in it.
    """

    def __init__(self, own: Callable[[str, Address, int], bool], most: int = MOST) -> None:
        self._own = own
        """Whether a pod had an address at a time."""
        self._most = most
        self._step = 1
        self._kept = 0
        self._seen: dict[tuple[str, int], list[tuple[str, Conversation]]] = {}
        self._glances: list[Glance] = []

    def learn(self, capture: Capture) -> None:
        """Remember what matters of a capture."""
        file, items = capture.file, capture.contents.conversations
        # from all over, since those side by side are often of one peer
        some = items[:: len(items) // _LOOKED_AT + 1]
        self._glances.append(
            Glance(
                file,
                capture.pod_uid,
                tuple(sorted(item.first for item in some)),
                tuple(sorted(item.last for item in some)),
                self._strange(capture.pod_uid, some),
            )
        )
        # most runs of this loop are for a conversation that is passed over, by its port alone
        for item in items if self._step == 1 else self._thinned(items):
            keys = item.keys
            # several connections of one port cannot be told apart by time, and a port of UDP serves for many
            if len(keys) == 1 and keys[0][0] != "u":
                self._seen.setdefault((keys[0], item.client_port), []).append((file, item))
                self._kept += 1
        while self._kept > self._most:
            self._thin()

    @property
    def glances(self) -> tuple[Glance, ...]:
        """What is remembered of each capture, by its file."""
        return tuple(sorted(self._glances, key=_FILE))

    def shared(self) -> tuple[Shared, ...]:
        """Connections that two captures have: the same initial number (of DNS, question and id) and port.

        One number alone comes twice by chance: in a million connections, a hundred times.
        """
        return tuple(
            Shared(first[0], second[0], first[1], second[1])
            for key in sorted(key for key, sights in self._seen.items() if len(sights) > 1)
            for sights in (sorted(self._seen[key], key=_FILE),)
            for number, first in enumerate(sights)
            for second in sights[number + 1 : number + 3]
            # a hairpin is seen twice in one capture
            if first[0] != second[0]
        )

    def _thinned(self, items: Iterable[Conversation]) -> list[Conversation]:
        mask = self._step - 1
        return [item for item in items if not item.client_port & mask]

    def _thin(self) -> None:
        self._step *= 2
        self._seen = {key: sights for key, sights in self._seen.items() if key[1] % self._step == 0}
        self._kept = sum(map(len, self._seen.values()))

    def _strange(self, uid: str, items: Sequence[Conversation]) -> Conversation | None:
        for item in items:
            if any(self._own(uid, end, item.first) for end in (item.client, item.server)):
                return None
        return items[0] if items else None
