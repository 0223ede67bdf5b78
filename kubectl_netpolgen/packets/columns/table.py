"""What the engine of numpy counted, as the other code asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest

import numpy as np

from kubectl_netpolgen.model.flow import PeerName
from kubectl_netpolgen.packets.columns.conversations import Conversations, numbers_by_half, orient
from kubectl_netpolgen.packets.columns.decode import Numbers, Packets
from kubectl_netpolgen.packets.columns.keys import Keys, context_of, hash_columns, raw_key
from kubectl_netpolgen.packets.columns.names import MOST_LISTED, NameList
from kubectl_netpolgen.packets.columns.rows import ACCEPTED, NAMED, OPENED, Notes, Order, Rows, order_rows
from kubectl_netpolgen.packets.columns.storage import MOST_ROWS, Part, Storage, is_plain
from kubectl_netpolgen.packets.conversations import PROTOCOLS, Pair, pair_halves
from kubectl_netpolgen.packets.halves import MOST_NAMES, Half
from kubectl_netpolgen.packets.network import TCP
from kubectl_netpolgen.packets.signals import ACCEPTS, ASKS, CARRIES, OPENS, REPLIES
from kubectl_netpolgen.packets.sums import FlowOrder, FlowSum, begin_sum, flow_order
from kubectl_netpolgen.packets.table import End, HalfTable, bound_proven, note_proven
from kubectl_netpolgen.packets.table import Rows as HalfRows

_SIX = 1 << 40
_LATEST, _EARLIEST = (1 << 63) - 1, -(1 << 63)


class ColumnTable:
    """The rows of plain packets, and the halves that the other code counted."""

    def __init__(self, halves: HalfTable, *, most: int = MOST_ROWS) -> None:
        self._halves = halves
        self._storage = Storage(halves, most=most)
        self._names = NameList(most=min(most, MOST_LISTED))
        self.used = False
        """Whether anything was counted in columns."""

    def add(self, rows: Rows, notes: Notes) -> None:
        """Take the rows of a chunk."""
        self.used = True
        self._storage.add(rows, notes)

    def names_of(self, packets: Packets, named: list[tuple[int, PeerName]]) -> Notes:
        """Notes on what rows of packets called their receivers."""
        rows, numbers = [], []
        for row, name in named:
            number = self._names.number(name)
            if number is None:
                *key, group = (int(column[row]) for column in packets.keys)
                self._halves.mark(context_of(key[4]), raw_key(key, turned=bool(group & 1))).call(name)
            else:
                rows.append(row)
                numbers.append(number)
        kinds = np.full(len(rows), NAMED, np.uint64)
        return Notes(packets.keys.group[np.array(rows, np.int64)], kinds, np.array(numbers, np.uint64))

    def relieve(self) -> None:
        """Keep the memory bounded."""
        self._storage.relieve()

    def proven(self) -> frozenset[End]:
        """Server ends that handshakes show."""
        found: set[End] = set()
        for part in self._storage.parts():
            _proven_ends(part.rows, found)
        for rows in self._others():
            note_proven(rows, found)
        return frozenset(found)

    def parts(self) -> Iterator[HalfRows]:
        """All halves as objects."""
        for part in self._storage.parts():
            yield _halves_of(part, self._names)
        yield from self._others()

    def pairs(self, proven: frozenset[End]) -> Iterator[Pair]:
        """All conversations, in no order."""
        for rows in self.parts():
            yield from pair_halves(rows, proven)

    def sums(self, proven: frozenset[End]) -> Iterator[tuple[FlowOrder, FlowSum]]:
        """The flows of each part."""
        for part in self._storage.parts():
            yield from _add_flows(orient(part, proven), part, self._names)
        for rows in self._others():
            for pair in pair_halves(rows, proven):
                yield flow_order(pair), begin_sum(pair)

    def close(self) -> None:
        """Give the disk back."""
        self._storage.close()
        self._halves.close()

    def _others(self) -> Iterator[HalfRows]:
        for rows in self._halves.parts():
            yield {context: halves for context, halves in rows.items() if not is_plain(context)}


def _proven_ends(rows: Rows, found: set[End]) -> None:
    """Add the server ends that rows show: senders that accepted, receivers of clients that went on."""
    spoken = (rows.packets > 0) & ((rows.keys.word >> np.uint64(32)) & np.uint64(0xFF) == TCP)
    turned = (rows.keys.group & np.uint64(1)).astype(bool)
    accepted = spoken & (rows.signals & ACCEPTS != 0)
    continued = spoken & (rows.signals & (OPENS | CARRIES) == OPENS | CARRIES)
    # the sender of what goes to the higher end is the lower one, and so on
    at_low = accepted & ~turned | continued & turned
    at_high = accepted & turned | continued & ~turned
    keys = rows.keys
    for mask, high, low, shift in (
        (at_low, keys.low_high, keys.low, np.uint64(16)),
        (at_high, keys.high_high, keys.high, np.uint64(0)),
    ):
        chosen = np.flatnonzero(mask)
        port = keys.word[chosen] >> shift & np.uint64(0xFFFF)
        family = keys.word[chosen] & np.uint64(_SIX)
        _, once = np.unique(hash_columns((high[chosen], low[chosen], family | port)), return_index=True)
        columns = (high[chosen][once], low[chosen][once], family[once], port[once])
        for upper, lower, six, number in zip(*(column.tolist() for column in columns), strict=True):
            address = upper << 64 | lower
            found.add((TCP, address.to_bytes(16 if six else 4, "big") + number.to_bytes(2, "big")))
    bound_proven(found)


def _halves_of(part: Part, names: NameList) -> HalfRows:
    """The halves of a part as objects; what else is known of them comes from aside."""
    rows = part.rows
    noted = numbers_by_half(part, np.arange(rows.size))
    found: HalfRows = {}
    keys = zip(*(column.tolist() for column in rows.keys), strict=True)
    values = zip(*(column.tolist() for column in rows[1:]), strict=True)
    for number, (key, value) in enumerate(zip(keys, values, strict=True)):
        half = Half()
        half.packets, half.bytes, half.first, half.last, half.signals, aside = value
        if not half.packets:
            half.first = half.last = 0
        if aside:
            known = part.asides[aside - 1]
            half.names = tuple(known.names)
            if known.extra is not None:
                half.more.add(known.extra)
        for name in noted.get((number, NAMED), ()):
            half.call(names[name])
        for connection in noted.get((number, OPENED), ()):
            half.open(connection)
        for connection in noted.get((number, ACCEPTED), ()):
            half.accept(connection)
        halves = found.setdefault(context_of(key[4]), {})
        halves[raw_key(key[:5], turned=bool(key[5] & 1))] = half
    return found


def _add_flows(found: Conversations, part: Part, names: NameList) -> Iterator[tuple[FlowOrder, FlowSum]]:
    """Conversations of the same client, server, protocol and server port, added up."""
    if not found.client.size:
        return
    rows = part.rows
    ends = (found.client_high, found.client_low, found.server_high, found.server_low, found.word)
    order = order_rows(Keys(*ends, hash_columns(ends)))
    index, begins = order

    def total(column: Numbers) -> Numbers:
        return np.add.reduceat(column[index], begins)

    def of(column: Numbers, default: int = 0) -> tuple[Numbers, Numbers]:
        return found.of(column, found.client, default), found.of(column, found.server, default)

    packets, sizes, signals = of(rows.packets), of(rows.bytes), of(rows.signals)
    first = np.minimum(*of(rows.first, _LATEST))
    last = np.maximum(*of(rows.last, _EARLIEST))
    named = (signals[0] | signals[1]) & (ASKS | REPLIES) != 0
    sums = [
        total(np.ones(index.size, np.int64)),
        *(total(column) for column in (*packets, *sizes)),
        np.minimum.reduceat(first[index], begins),
        np.maximum.reduceat(last[index], begins),
        np.minimum.reduceat(found.direction[index], begins),
        np.minimum.reduceat(found.outcome[index], begins),
        total(found.connections),
        np.logical_or.reduceat(named[index], begins),
    ]
    more = _more_of(found, part, order, names)
    head = index[begins]
    keys = zip(*(column[head].tolist() for column in ends), strict=True)
    values = zip(*(column.tolist() for column in sums), strict=True)
    for number, (key, value) in enumerate(zip(keys, values, strict=True)):
        yield _flow_key(key), FlowSum((*value, *more.get(number, (0, 0, 0, ()))))


_More = tuple[int, int, int, tuple[tuple[str, str], ...]]


def _more_of(found: Conversations, part: Part, order: Order, names: NameList) -> dict[int, _More]:
    """Duplicates, fragments and names of the flows that have any, by the flow's number in the order."""
    flow_of = np.empty(order.rows.size, np.int64)
    flow_of[order.rows] = np.searchsorted(order.begins, np.arange(order.rows.size), side="right") - 1
    flow_of_row = np.full(part.rows.size, -1, np.int64)
    for ends in (found.client, found.server):
        spoken = np.flatnonzero(ends >= 0)
        flow_of_row[ends[spoken]] = flow_of[spoken]
    called = _names_of_flows(part, flow_of_row, names)
    counts: dict[int, tuple[int, int, int]] = {}
    told = np.flatnonzero((part.rows.aside > 0) & (flow_of_row >= 0))
    for flow, number in zip(flow_of_row[told].tolist(), part.rows.aside[told].tolist(), strict=True):
        half = part.asides[number - 1]
        extra = half.extra
        if half.names:
            called.setdefault(flow, set()).update(half.names)
        if extra is not None:
            one, two, three = counts.get(flow, (0, 0, 0))
            counts[flow] = one + extra.duplicates, two + extra.fragments, three + extra.fragment_bytes
    return {
        flow: (*counts.get(flow, (0, 0, 0)), tuple(nsmallest(MOST_NAMES, called.get(flow, ()))))
        for flow in called.keys() | counts.keys()
    }


def _names_of_flows(part: Part, flow_of_row: Numbers, names: NameList) -> dict[int, set[tuple[str, str]]]:
    notes = part.notes.take(np.flatnonzero(part.notes.kind == NAMED))
    if not notes.group.size:
        return {}
    rows = np.searchsorted(part.rows.keys.group, notes.group)
    flows = flow_of_row[rows]
    # a flow and a name in one number, of which each is there once
    known = np.unique((flows << 32 | notes.number.astype(np.int64))[flows >= 0])
    called: dict[int, set[tuple[str, str]]] = {}
    for flow, number in zip((known >> 32).tolist(), (known & 0xFFFFFFFF).tolist(), strict=True):
        name = names[number]
        called.setdefault(flow, set()).add((name.name, name.source.value))
    return called


def _flow_key(key: tuple[int, ...]) -> FlowOrder:
    client_high, client_low, server_high, server_low, word = key
    context = context_of(word)
    protocol, vlan = PROTOCOLS[context.protocol].value, -1 if context.vlan is None else context.vlan
    port = (word & 0xFFFF).to_bytes(2, "big")
    if word & _SIX:
        client, server = client_high << 64 | client_low, server_high << 64 | server_low
        return protocol, 36, client.to_bytes(16, "big") + server.to_bytes(16, "big") + port, vlan, ""
    return protocol, 12, client_low.to_bytes(4, "big") + server_low.to_bytes(4, "big") + port, vlan, ""
