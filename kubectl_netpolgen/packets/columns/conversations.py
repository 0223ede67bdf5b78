"""Rows to conversations, without an object for each: the rules are asked once for each combination."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.columns.keys import Words, hash_columns, word_of
from kubectl_netpolgen.packets.columns.rows import ACCEPTED, OPENED, Rows
from kubectl_netpolgen.packets.columns.storage import Part
from kubectl_netpolgen.packets.halves import MOST_CONNECTIONS
from kubectl_netpolgen.packets.sums import DIRECTION_RANKS, OUTCOME_RANKS
from kubectl_netpolgen.packets.table import End
from kubectl_netpolgen.packets.verdicts import EPHEMERAL, JUDGED, judge_packed

_PORT = np.uint64(0xFFFF)
_END = np.uint64(word_of(0xFF, six=True))
"""The parts of a key's word that tell ends apart: family and protocol."""
_NOWHERE = -1
_NO_LOW, _NO_HIGH = 1 << 32, -1
"""The lowest and highest of no numbers of 32 bits."""


class Conversations(NamedTuple):
    """The conversations of a part, one a row, oriented from client to server."""

    rows: Rows
    client: Numbers
    """The row of the client's half, or -1."""
    server: Numbers
    client_high: Words
    client_low: Words
    server_high: Words
    server_low: Words
    word: Words
    """Family and protocol, as in a key, and the server's port."""
    direction: Numbers
    """The rank of how the client is known; the lowest is the strongest."""
    outcome: Numbers
    connections: Numbers

    def of(self, column: Numbers, ends: Numbers, default: int) -> Numbers:
        """A column of the rows for one of the ends."""
        return np.where(ends >= 0, column[ends], default)


def orient(part: Part, proven: frozenset[End]) -> Conversations:
    """Pair the halves of a part and judge them."""
    rows = part.rows
    there, here = _pair(rows)

    def of(column: Numbers, ends: Numbers, default: int) -> Numbers:
        return np.where(ends >= 0, column[ends], default)

    spoken = (of(rows.packets, there, 0) > 0) | (of(rows.packets, here, 0) > 0)
    there, here = there[spoken], here[spoken]
    either = np.where(there >= 0, there, here)
    keys = rows.keys
    low_port = (keys.word[either] >> np.uint64(16)) & _PORT
    high_port = keys.word[either] & _PORT
    upper = keys.word[either] >> np.uint64(32) << np.uint64(32)
    known = _known_ends(proven)
    packed = _pack(
        [
            ((upper >> np.uint64(32)) & np.uint64(0xFF)).astype(np.int64),
            of(rows.signals, there, 0) & JUDGED,
            of(rows.signals, here, 0) & JUDGED,
        ],
        [
            of(rows.packets, there, 0) > 0,
            of(rows.packets, here, 0) > 0,
            _there_first(rows, there, here),
            low_port < high_port,
            low_port > high_port,
            (low_port >= EPHEMERAL) & (high_port >= EPHEMERAL),
            np.isin(_hash_ends(keys.low_high[either], keys.low[either], upper, low_port), known),
            np.isin(_hash_ends(keys.high_high[either], keys.high[either], upper, high_port), known),
        ],
    )
    direction, turned, outcome = _judge(packed)
    client, server = np.where(turned, here, there), np.where(turned, there, here)
    return Conversations(
        rows,
        client,
        server,
        np.where(turned, keys.high_high[either], keys.low_high[either]),
        np.where(turned, keys.high[either], keys.low[either]),
        np.where(turned, keys.low_high[either], keys.high_high[either]),
        np.where(turned, keys.low[either], keys.high[either]),
        upper | np.where(turned, low_port, high_port),
        direction,
        outcome,
        _count_connections(part, client, server),
    )


def _pair(rows: Rows) -> tuple[Numbers, Numbers]:
    """For each conversation its row that goes to the higher end, and the one that comes back; -1 for none."""
    back = (rows.keys.group & np.uint64(1)).astype(bool)
    begins = np.ones(rows.size, bool)
    if rows.size:
        same = rows.keys.group[1:] >> np.uint64(1) == rows.keys.group[:-1] >> np.uint64(1)
        for column in rows.keys[:5]:
            same &= column[1:] == column[:-1]
        begins[1:] = ~same
    number = np.cumsum(begins) - 1
    count = int(number[-1]) + 1 if rows.size else 0
    there, here = np.full(count, _NOWHERE, np.int64), np.full(count, _NOWHERE, np.int64)
    there[number[~back]] = np.flatnonzero(~back)
    here[number[back]] = np.flatnonzero(back)
    return there, here


def _there_first(rows: Rows, there: Numbers, here: Numbers) -> NDArray[np.bool_]:
    there_speaks = (there >= 0) & (rows.packets[there] > 0)
    here_speaks = (here >= 0) & (rows.packets[here] > 0)
    return np.where(there_speaks & here_speaks, rows.first[there] <= rows.first[here], there_speaks)


def _pack(numbers: list[Numbers], flags: list[NDArray[np.bool_]]) -> Numbers:
    packed: Numbers = np.zeros(numbers[0].size, np.int64)
    for column in numbers:
        packed = packed << 8 | column
    for flag in flags:
        packed = packed << 1 | flag
    return packed


def _judge(packed: Numbers) -> tuple[Numbers, NDArray[np.bool_], Numbers]:
    combinations, which = np.unique(packed, return_inverse=True)
    verdicts = [judge_packed(number) for number in combinations.tolist()]
    directions = np.array([DIRECTION_RANKS[verdict.direction] for verdict in verdicts], np.int64)
    turned = np.array([verdict.turned for verdict in verdicts], bool)
    outcomes = np.array([OUTCOME_RANKS[verdict.outcome] for verdict in verdicts], np.int64)
    return directions[which], turned[which], outcomes[which]


def _hash_ends(high: Words, low: Words, upper: Words, port: Words) -> Words:
    # who serves at a port does so in every VLAN
    return hash_columns((high, low, upper & _END | port))


def _known_ends(proven: frozenset[End]) -> Words:
    """The hashes of ends as `_hash_ends` makes them."""
    high, low, word = [], [], []
    for protocol, end in proven:
        address, six = end[:-2], len(end) > 6
        number = int.from_bytes(address, "big")
        high.append(number >> 64)
        low.append(number & (1 << 64) - 1)
        word.append(word_of(protocol, six=six) | int.from_bytes(end[-2:], "big"))
    return hash_columns([np.array(column, np.uint64) for column in (high, low, word)])


def _count_connections(part: Part, client: Numbers, server: Numbers) -> Numbers:
    """Distinct initial numbers of each conversation; where more than one is possible, they are counted."""
    (opened_low, opened_high), (accepted_low, accepted_high) = (
        _bounds(part, kind) for kind in (OPENED, ACCEPTED)
    )
    lowest = np.minimum(
        np.where(client >= 0, opened_low[client], _NO_LOW),
        np.where(server >= 0, accepted_low[server], _NO_LOW),
    )
    highest = np.maximum(
        np.where(client >= 0, opened_high[client], _NO_HIGH),
        np.where(server >= 0, accepted_high[server], _NO_HIGH),
    )
    counts = np.ones(client.size, np.int64)
    several = np.flatnonzero(lowest < highest)
    if several.size:
        numbers = numbers_by_half(part, np.concatenate((client[several], server[several])))
        for at, one, other in zip(
            several.tolist(), client[several].tolist(), server[several].tolist(), strict=True
        ):
            found = numbers.get((one, OPENED), set()) | numbers.get((other, ACCEPTED), set())
            counts[at] = min(len(found), MOST_CONNECTIONS)
    return counts


def _bounds(part: Part, kind: int) -> tuple[Numbers, Numbers]:
    """The lowest and highest number of a kind for each row; the notes are sorted."""
    # one row more than there are, so that -1 has a place of its own
    low = np.full(part.rows.size + 1, _NO_LOW, np.int64)
    high = np.full(part.rows.size + 1, _NO_HIGH, np.int64)
    chosen = np.flatnonzero(part.notes.kind == kind)
    if chosen.size:
        group, number = part.notes.group[chosen], part.notes.number[chosen].astype(np.int64)
        begins = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
        rows = np.searchsorted(part.rows.keys.group, group[begins])
        low[rows] = np.minimum.reduceat(number, begins)
        high[rows] = np.maximum.reduceat(number, begins)
    return low, high


def numbers_by_half(part: Part, rows: Numbers) -> dict[tuple[int, int], set[int]]:
    """What is noted of some halves, by row and kind."""
    wanted = np.unique(rows[rows >= 0])
    groups = part.rows.keys.group[wanted]
    by_group = dict(zip(groups.tolist(), wanted.tolist(), strict=True))
    notes = part.notes.take(np.flatnonzero(np.isin(part.notes.group, groups)))
    found: dict[tuple[int, int], set[int]] = {}
    for group, kind, number in zip(*(column.tolist() for column in notes), strict=True):
        found.setdefault((by_group[group], kind), set()).add(number)
    return found
