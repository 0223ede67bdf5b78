"""Names by number, so that a column can hold them."""

from __future__ import annotations

from kubectl_netpolgen.model.flow import PeerName

MOST_LISTED = 100_000


class NameList:
    """Each distinct name once, in the order of their first use; a capture has few, and says them often.

    It is bounded: what has no place in it goes with the half that said it, and with that to disk.
    """

    def __init__(self, *, most: int = MOST_LISTED) -> None:
        self._most = most
        self._names: list[PeerName] = []
        self._numbers: dict[PeerName, int] = {}

    def number(self, name: PeerName) -> int | None:
        """The name's place, the same whenever it is asked for; None when there is no more room."""
        known = self._numbers.get(name)
        if known is None and len(self._names) < self._most:
            known = self._numbers[name] = len(self._names)
            self._names.append(name)
        return known

    def __getitem__(self, number: int) -> PeerName:
        return self._names[number]
