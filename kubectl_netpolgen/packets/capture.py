"""A capture that was read to its end, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import (
    CaptureContents,
    Conversation,
    Flow,
    NameAnswer,
    NameSource,
    PeerName,
    Reach,
)
from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.packets.addresses import halve
from kubectl_netpolgen.packets.collection import without_collection
from kubectl_netpolgen.packets.conversations import (
    Pair,
    decode_pair,
    encode_pair,
    make_conversation,
    order_of,
)
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.engines import Table
from kubectl_netpolgen.packets.halves import MOST_NAMES
from kubectl_netpolgen.packets.remarks import remarks_on
from kubectl_netpolgen.packets.selection import SelectedFrame
from kubectl_netpolgen.packets.spill import Sorter
from kubectl_netpolgen.packets.sums import FlowOrder, FlowSum, make_flow
from kubectl_netpolgen.packets.table import End


class Reading:
    """One capture, read to its end: what it holds is asked for as often as wanted, until it is closed."""

    def __init__(self, file: str, tally: Tally, table: Table) -> None:
        self.file = file
        self._tally = tally
        self._table = table
        self.packets = 0
        self.truncated: str | None = None
        """Why reading stopped before the end of the file, or None."""
        self.notes: tuple[str, ...] = ()
        """What is odd about the file, and what bounds left out."""
        self.unread_links: Mapping[int, int] = {}
        """Packets of link types that are not read."""
        self.proven: frozenset[End] = table.proven()
        """Server ends that handshakes in this file show."""
        self.names: tuple[NameAnswer, ...] = tally.payloads.names.collected()
        self.frames: tuple[SelectedFrame, ...] = tally.payloads.selection.collected()
        """What a full dissector could find names in."""
        self._known: Mapping[Address, tuple[PeerName, ...]] = {
            address: tuple(PeerName(name, NameSource.DNS) for name in names)
            for address, names in tally.payloads.names.by_address().items()
        }

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a person should know of the file."""
        return remarks_on(self)

    def conversations(self, proven: frozenset[End] | None = None) -> Iterator[Conversation]:
        """Every conversation, in order; `proven` when more files than this one make a capture."""
        sorter: Sorter[Pair] = Sorter(encode=encode_pair, decode=decode_pair, combine=_either)
        with without_collection(), closing(sorter):
            for pair in self._table.pairs(self.proven if proven is None else proven):
                sorter.add(order_of(pair), pair)
            for pair in sorter:
                found = make_conversation(pair, self._tally.addresses)
                known = self._known.get(found.server)
                yield found._replace(names=_united(found.names, known)) if known else found

    def flows(self, proven: frozenset[End] | None = None) -> Iterator[Flow]:
        """The same, added up by client, server, protocol and server port; in order."""
        sorter: Sorter[tuple[FlowOrder, FlowSum]] = Sorter(
            encode=lambda item: (item[0], item[1].as_row()),
            decode=lambda row: (row[0], FlowSum(row[1])),
            combine=lambda one, other: (one[0], one[1].add(other[1])),
        )
        addresses = self._tally.addresses
        with without_collection(), closing(sorter):
            for order, total in self._table.sums(self.proven if proven is None else proven):
                sorter.add(order, (order, total))
            for order, total in sorter:
                server = addresses.spell(halve(order[2][:-2])[1])
                yield make_flow(order, total, addresses, file=self.file, known=self._known.get(server, ()))

    @without_collection()
    def contents(self) -> CaptureContents:
        """The conversations between peers, and what else the capture holds, all in memory."""
        # only analysis asks
        from kubectl_netpolgen.packets.inexpressible import MOST_LINES, Inexpressible

        inexpressible = Inexpressible(self._tally.addresses)
        for rows in self._table.parts():
            inexpressible.add_rows(rows)
        kept, left_out = [], self._tally.repeats + self._tally.fragments.attributed
        for pair in sorted(self._table.pairs(self.proven), key=order_of):
            found = make_conversation(pair, self._tally.addresses)
            if found.reach is Reach.PEERS and found.client_port and found.server_port:
                kept.append(found)
            elif found.tunnel is None:
                left_out += found.packets_to_server + found.packets_to_client
        notes = self.notes
        if inexpressible.overflowed:
            notes += (
                f"traffic that NetworkPolicy cannot express: only the first {MOST_LINES} pairs are listed",
            )
        unattributed = self._tally.later_fragments - self._tally.fragments.attributed
        return CaptureContents(
            conversations=tuple(kept),
            names=self.names,
            packets=self.packets,
            unread_packets=self._tally.unread + unattributed + sum(self.unread_links.values()),
            left_out_packets=left_out,
            truncated=self.truncated,
            inexpressible=inexpressible.lines(),
            cut_short=notes,
        )

    def close(self) -> None:
        """Give temporary files back."""
        self._table.close()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _united(*names: tuple[PeerName, ...]) -> tuple[PeerName, ...]:
    return tuple(sorted({name for group in names for name in group})[:MOST_NAMES])


def _either(pair: Pair, other: Pair) -> Pair:
    """Conversations have different orders, so two are never the same."""
    raise AssertionError(f"two conversations in one place: {pair} and {other}")
