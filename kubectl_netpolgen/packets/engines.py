"""What an engine is, and the one of the standard library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from kubectl_netpolgen.packets.conversations import Pair, join_halves, pair_halves
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.frames import frames_of_records
from kubectl_netpolgen.packets.link import ETHERNET, Link
from kubectl_netpolgen.packets.pcap import FileHeader, Records, Stretch
from kubectl_netpolgen.packets.plain import PADDING, count_plain
from kubectl_netpolgen.packets.spill import MOST_ROWS
from kubectl_netpolgen.packets.sums import FlowOrder, FlowSum, order_of_flow, sum_halves
from kubectl_netpolgen.packets.table import Context, End, HalfTable, Rows


class Table(Protocol):
    """What an engine counted, whole and as often as wanted."""

    def proven(self) -> frozenset[End]:
        """Server ends that handshakes show."""

    def parts(self) -> Iterator[Rows]:
        """All halves, in parts that each hold both directions of what they hold."""

    def pairs(self, proven: frozenset[End]) -> Iterator[Pair]:
        """All conversations, in no order."""

    def sums(self, proven: frozenset[End]) -> Iterator[tuple[FlowOrder, FlowSum]]:
        """All flows, in no order; one may come in several sums."""

    def close(self) -> None:
        """Give temporary files back."""


class Counter(Protocol):
    """Counts the packets of one file."""

    tally: Tally

    def count_records(self, records: Records, header: FileHeader, link: Link) -> None:
        """Read a classic capture to its end."""

    def count_frames(self, frames: Iterable[Frame]) -> None:
        """Read the frames of any other container to their end."""

    def finish(self) -> Table:
        """What was counted."""


class ExactCounter:
    """The engine of the standard library."""

    def __init__(self, tally: Tally, *, inner: bool) -> None:
        self._plain = not inner
        self.tally = tally

    def count_records(self, records: Records, header: FileHeader, link: Link) -> None:
        """Read a classic capture to its end; Ethernet has a quick way."""
        tally = self.tally
        if link is not ETHERNET or not self._plain or header.lengths_may_be_swapped:
            tally.count(frames_of_records(records, link))
            return

        def count(stretch: Stretch, number: int) -> tuple[int, int]:
            tally.table.relieve()
            return count_plain(tally, stretch, header, number)

        records.walk(count, padding=PADDING)
        tally.repeated.settle()

    def count_frames(self, frames: Iterable[Frame]) -> None:
        """Read the frames of any other container to their end."""
        self.tally.count(frames)

    def finish(self) -> Table:
        """What was counted."""
        return PairTable(self.tally.table)


class PairTable:
    """A table of halves, joined one by one."""

    def __init__(self, table: HalfTable) -> None:
        self._table = table
        self.proven, self.parts, self.close = table.proven, table.parts, table.close

    def pairs(self, proven: frozenset[End]) -> Iterator[Pair]:
        """All conversations, in no order."""
        for rows in self.parts():
            yield from pair_halves(rows, proven)

    def sums(self, proven: frozenset[End]) -> Iterator[tuple[FlowOrder, FlowSum]]:
        """The flows, in as many sums as memory makes of them."""
        for rows in self.parts():
            for context, halves in rows.items():
                held: dict[bytes, FlowSum] = {}
                for _, ends, client, server, verdict in join_halves(context.protocol, halves, proven):
                    known = held.get(ends)
                    if known is not None:
                        known.add_halves(client, server, verdict)
                        continue
                    held[ends] = sum_halves(client, server, verdict)
                    if len(held) >= MOST_ROWS:
                        yield from _in_order(context, held)
                        held = {}
                yield from _in_order(context, held)


def _in_order(context: Context, held: dict[bytes, FlowSum]) -> Iterator[tuple[FlowOrder, FlowSum]]:
    for ends, total in held.items():
        yield order_of_flow(context, ends), total
