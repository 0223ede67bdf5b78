"""The flows of a whole bundle, column by column.

A million flows as objects would take most of the memory that an analysis may use. As columns they take 200
bytes each, and become objects again one by one, as they are asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, repeat
from operator import itemgetter
from typing import NamedTuple

from kubectl_netpolgen.analysis.flows import flow_order
from kubectl_netpolgen.model.flow import DIRECTION_ORDER, OUTCOME_ORDER, Flow
from kubectl_netpolgen.model.network import Address, Protocol

_PROTOCOLS = tuple(Protocol)
_PROTOCOL_NUMBERS = {item: number for number, item in enumerate(_PROTOCOLS)}
_OUTCOME_NUMBERS = {item: number for number, item in enumerate(OUTCOME_ORDER)}
_DIRECTION_NUMBERS = {item: number for number, item in enumerate(DIRECTION_ORDER)}


_SEPARATOR = " "


class Segment(NamedTuple):
    """The rows of one capture, from `start` up to `stop`."""

    capture: str
    pod_uid: str
    start: int
    stop: int


class FlowTable:
    """Flows by row number; iterated capture by capture in the order of their names.

    Holds what `build_flows` makes: names, VLANs and tunnels are rows' of files, not a bundle's.
    """

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._starts: list[int] = []
        self._addresses: list[Address] = []
        self._numbers: dict[Address, int] = {}
        self._protocol, self._direction, self._outcome, self._dns = (array("B") for _ in range(4))
        self._client, self._server, self._client_ports, self._port = (array("I") for _ in range(4))
        self._counts = tuple(array("q") for _ in range(4))
        """Packets to the server and to the client, bytes to the server and to the client."""
        self._first, self._last, self._connections = (array("q") for _ in range(3))
        self._keys: list[str] = []
        """One text for each row: a tuple of texts would take several times as much."""

    def add(self, flows: Sequence[Flow]) -> None:
        """Take flows of one capture, in any order; those of one may come in several parts."""
        if not flows:
            return
        start = len(self._keys)
        columns = list(zip(*flows, strict=True))
        self._protocol.extend(map(_PROTOCOL_NUMBERS.__getitem__, columns[2]))
        self._client.extend(map(self._number, columns[3]))
        self._server.extend(map(self._number, columns[4]))
        self._port.extend(columns[5])
        self._client_ports.extend(columns[6])
        for column, values in zip(self._counts, columns[7:11], strict=True):
            column.extend(values)
        self._first.extend(columns[11])
        self._last.extend(columns[12])
        self._direction.extend(map(_DIRECTION_NUMBERS.__getitem__, columns[13]))
        self._outcome.extend(map(_OUTCOME_NUMBERS.__getitem__, columns[14]))
        self._connections.extend(columns[15])
        self._keys.extend(map(_SEPARATOR.join, columns[16]))
        self._dns.extend(columns[17])
        self._starts.append(start)
        self._segments.append(Segment(flows[0].capture, flows[0].pod_uid, start, len(self._keys)))

    def _number(self, address: Address) -> int:
        known = self._numbers.get(address)
        if known is None:
            known = self._numbers[address] = len(self._addresses)
            self._addresses.append(address)
        return known

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Which rows are whose, by the captures' names; several of a capture that came in parts."""
        return tuple(sorted(self._segments))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Flow]:
        """All flows in the order that files have them in."""
        for _, parts in groupby(self.segments, key=itemgetter(0)):
            yield from sorted(chain.from_iterable(map(self.of, parts)), key=flow_order)

    def of(self, segment: Segment) -> Iterator[Flow]:
        """The flows of one segment, by row."""
        return self._between(segment, segment.start, segment.stop)

    def keys_of(self, segment: Segment) -> Iterator[tuple[Protocol, Address, Address, tuple[str, ...]]]:
        """Protocol, client, server and keys of the flows of one segment, in order."""
        rows = slice(segment.start, segment.stop)
        address = self._addresses.__getitem__
        return zip(
            map(_PROTOCOLS.__getitem__, self._protocol[rows]),
            map(address, self._client[rows]),
            map(address, self._server[rows]),
            map(_split, self._keys[rows]),
            strict=True,
        )

    def _between(self, segment: Segment, start: int, stop: int) -> Iterator[Flow]:
        rows = slice(start, stop)
        address = self._addresses.__getitem__
        return map(
            Flow._make,
            zip(
                repeat(segment.capture),
                repeat(segment.pod_uid),
                map(_PROTOCOLS.__getitem__, self._protocol[rows]),
                map(address, self._client[rows]),
                map(address, self._server[rows]),
                self._port[rows],
                self._client_ports[rows],
                *(column[rows] for column in self._counts),
                self._first[rows],
                self._last[rows],
                map(DIRECTION_ORDER.__getitem__, self._direction[rows]),
                map(OUTCOME_ORDER.__getitem__, self._outcome[rows]),
                self._connections[rows],
                map(_split, self._keys[rows]),
                map(bool, self._dns[rows]),
                repeat(()),
                repeat(0),
                repeat(0),
                repeat(0),
                repeat(None),
                repeat(None),
                strict=False,
            ),
        )

    def served(self, number: int) -> tuple[tuple[Address, int], int, int]:
        """Server and port of one row, its first and its last packet."""
        end = (self._addresses[self._server[number]], self._port[number])
        return end, self._first[number], self._last[number]

    def row(self, number: int) -> Flow:
        """The flow of one row; IndexError when there is none."""
        if not 0 <= number < len(self._keys):
            raise IndexError(f"row {number} of {len(self)}")
        segment = self._segments[bisect_right(self._starts, number) - 1]
        return next(self._between(segment, number, number + 1))


def _split(keys: str) -> tuple[str, ...]:
    return tuple(keys.split(_SEPARATOR)) if keys else ()


def table_of(flows: Iterable[Flow]) -> FlowTable:
    """The table of flows of several captures, in any order."""
    by_capture: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        by_capture.setdefault((flow.capture, flow.pod_uid), []).append(flow)
    table = FlowTable()
    for items in by_capture.values():
        table.add(items)
    return table
