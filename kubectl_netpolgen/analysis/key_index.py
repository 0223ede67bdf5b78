"""Flows by what both vantage points have of a connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubectl_netpolgen.model.network import Address, Protocol


class KeyIndex:
    """Row numbers by key.

    A sequence number or a DNS id is enough; a UDP client's port would be the same of many clients, so its
    address belongs to it. Nearly every key is of one row, so a list is made only for the second.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._more: dict[str, list[int]] = {}

    def add(self, row: int, protocol: Protocol, client: Address, keys: Iterable[str]) -> None:
        """Take the keys of one flow."""
        rows = self._rows
        for key in keys:
            shared = _shared(protocol, client, key)
            if rows.setdefault(shared, row) != row:
                self._more.setdefault(shared, []).append(row)

    def rows(self, protocol: Protocol, client: str, key: str) -> Sequence[int]:
        """The flows that have this key."""
        shared = _shared(protocol, client, key)
        row = self._rows.get(shared)
        if row is None:
            return ()
        return (row, *self._more[shared]) if shared in self._more else (row,)


def _shared(protocol: Protocol, client: str, key: str) -> str:
    """The key for itself: those of TCP, SCTP, DNS and other UDP begin with a letter each (`packets`)."""
    return f"{client} {key}" if protocol is Protocol.UDP and key[:1] == "u" else key
