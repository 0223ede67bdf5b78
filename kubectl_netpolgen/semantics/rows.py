"""Who may connect to whom, class by class: peers in as few pieces as there are sets of ports.

All pairs of a large cluster are too many to ask one by one. What an end allows is a few sets of peers, so
both ends of all of a class's connections are intersected at once, and each piece is told with its ports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.entries import Entry
from kubectl_netpolgen.semantics.members import ClassMask, numbers_of
from kubectl_netpolgen.semantics.port_atoms import PortMask

Piece = tuple[PortMask, int]
"""Ports, and those that may use exactly them: a mask of classes or of pieces of the address space."""


def partition(pairs: Iterable[Piece]) -> tuple[Piece, ...]:
    """Peers that overlap, each with some ports, as peers apart, each with all of its ports."""
    joined: dict[int, PortMask] = {}
    for ports, peers in pairs:
        if ports and peers:
            joined[peers] = joined.get(peers, 0) | ports
    found: list[Piece] = []
    for peers, ports in joined.items():
        pieces: list[Piece] = []
        for known, held in found:
            shared = held & peers
            if shared and ports | known != known:
                pieces.append((known | ports, shared))
                if held != shared:
                    pieces.append((known, held & ~peers))
            else:
                pieces.append((known, held))
            peers &= ~held
        if peers:
            pieces.append((ports, peers))
        found = pieces
    return by_ports(found)


def by_ports(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Pieces of equal ports united, by their ports."""
    united: dict[PortMask, int] = {}
    for ports, peers in pieces:
        united[ports] = united.get(ports, 0) | peers
    return tuple(sorted(united.items()))


def both(one: Iterable[Piece], other: Iterable[Piece]) -> tuple[Piece, ...]:
    """What two partitions allow in common."""
    theirs = tuple(other)
    shared = (
        (ports & more, peers & others) for ports, peers in one for more, others in theirs if ports & more
    )
    return by_ports((ports, peers) for ports, peers in shared if peers)


class Rows:
    """For each class of pods the classes that it may connect to."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._known: dict[int, tuple[Piece, ...]] = {}
        # what servers allow, by their clients: what they allow everybody is one row for all
        self._everybody: list[Piece] = []
        self._clients: dict[int, list[Piece]] = {}
        whole = compiled.classes.all
        for (ports, pods), servers in self._servers().items():
            if pods == whole:
                self._everybody.append((ports, servers))
            else:
                for number in numbers_of(pods):
                    self._clients.setdefault(number, []).append((ports, servers))
        self._everybody = list(partition(self._everybody))

    def _servers(self) -> dict[tuple[PortMask, ClassMask], ClassMask]:
        """Servers by what they allow whom."""
        alike: dict[tuple[Entry, ...], list[int]] = {}
        for number in range(len(self._compiled.classes.members)):
            alike.setdefault(self._compiled.entries(PolicyType.INGRESS, number), []).append(number)
        found: dict[tuple[PortMask, ClassMask], ClassMask] = {}
        for entries, numbers in alike.items():
            servers = self._compiled.classes.mask(numbers)
            for ports, pods, _ in entries:
                if pods:
                    found[(ports, pods)] = found.get((ports, pods), 0) | servers
        return found

    def of(self, number: int) -> tuple[Piece, ...]:
        """The classes that a class may connect to, by the ports that both ends allow."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = partition(self._shared(number))
        return known

    def _shared(self, number: int) -> Iterator[Piece]:
        entries = self._compiled.entries(PolicyType.EGRESS, number)
        for ports, servers in chain(self._everybody, self._clients.get(number, ())):
            for entry in entries:
                yield ports & entry.ports, servers & entry.pods
