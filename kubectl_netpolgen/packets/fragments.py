"""IP fragments behind the first: they hold no ports, and count on the row of the one that does.

They come in any order (RFC 791, 3.2; RFC 8200, 4.5), so those that come before the first wait for it.
"""

from __future__ import annotations

from kubectl_netpolgen.packets.table import Context, HalfTable

MOST_PACKETS = 4096
"""Fragmented packets that are remembered; the oldest goes first."""

Identity = tuple[int, bytes, bytes, "int | None", "str | None"]
"""Protocol, addresses, identification, VLAN and tunnel: what the fragments of one packet share."""


class Fragments:
    """Knows which row each fragmented packet belongs to."""

    def __init__(self, table: HalfTable) -> None:
        self._table = table
        self._rows: dict[Identity, tuple[Context, bytes]] = {}
        self._waiting: dict[Identity, tuple[int, int]] = {}
        self.attributed = 0
        """Later fragments that were counted on a row, inside tunnels not counted: those are packets twice."""

    def begin(self, identity: Identity, context: Context, key: bytes) -> None:
        """The first fragment of a packet was met; an identification may come again for another packet."""
        self._rows.pop(identity, None)
        self._rows[identity] = context, key
        if len(self._rows) > MOST_PACKETS:
            del self._rows[next(iter(self._rows))]
        count, size = self._waiting.pop(identity, (0, 0))
        if count:
            self._count(context, key, count, size)

    def add(self, identity: Identity, wire: int) -> None:
        """A later fragment was met."""
        known = self._rows.get(identity)
        if known is not None:
            self._count(*known, 1, wire)
            return
        count, size = self._waiting.pop(identity, (0, 0))
        self._waiting[identity] = count + 1, size + wire
        if len(self._waiting) > MOST_PACKETS:
            del self._waiting[next(iter(self._waiting))]

    def _count(self, context: Context, key: bytes, count: int, size: int) -> None:
        extra = self._table.mark(context, key).more
        extra.fragments += count
        extra.fragment_bytes += size
        if context.tunnel is None:
            self.attributed += count
