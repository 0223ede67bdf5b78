"""What one set of policies allows and another does not: pairs of workloads, and the world outside.

Both sets are compiled over the members of both, so that classes and pieces have one numbering. Rows of
classes are compared first, and only pairs that have a class in a row that changed are asked one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled
from kubectl_netpolgen.semantics.connectivity import Allowed, Connectivity, End
from kubectl_netpolgen.semantics.distinctions import distinctions_of
from kubectl_netpolgen.semantics.members import numbers_of
from kubectl_netpolgen.semantics.port_atoms import PortMask
from kubectl_netpolgen.semantics.rows import Piece
from kubectl_netpolgen.semantics.subjects import Cast, Subject, subject_order


class ChangeKind(str, Enum):
    """What became of a pair's connections."""

    ADDED = "added"
    """There were none before."""
    REMOVED = "removed"
    """There are none left."""
    CHANGED = "changed"


class Relation(str, Enum):
    """What the second set is to the first."""

    EQUIVALENT = "equivalent"
    TIGHTER = "tighter"
    """It allows nothing that the first does not."""
    LOOSER = "looser"
    """It denies nothing that the first allows."""
    INCOMPARABLE = "incomparable"


class Change(NamedTuple):
    """A pair of which the two sets allow different ports."""

    source: End
    destination: End
    before: Allowed
    after: Allowed
    gains: bool
    """Some port is allowed that was not."""
    loses: bool
    """Some port is not allowed that was."""

    @property
    def kind(self) -> ChangeKind:
        """By what is left of it."""
        if not self.before:
            return ChangeKind.ADDED
        return ChangeKind.CHANGED if self.after else ChangeKind.REMOVED


@dataclass(frozen=True)
class Side:
    """One of the two: policies, and who is there."""

    cast: Cast
    policies: tuple[NetworkPolicy, ...] = ()
    tiers: tuple[TierPolicy, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] | None = None
    """Labels by name."""


def relation_of(changes: Iterable[Change]) -> Relation:
    """All changes in one word."""
    found = tuple(changes)
    gains, loses = any(item.gains for item in found), any(item.loses for item in found)
    if gains and loses:
        return Relation.INCOMPARABLE
    return Relation.LOOSER if gains else Relation.TIGHTER if loses else Relation.EQUIVALENT


class Difference:
    """Compares two sides."""

    def __init__(
        self,
        before: Side,
        after: Side,
        *,
        blocks: BlocksAndPods = BlocksAndPods.MATCH,
        selves: bool = False,
    ) -> None:
        """With `selves` a subject that is on one side only is told with itself, too."""
        members = (*before.cast.members, *after.cast.members)
        shift = len(before.cast.members)
        moved = tuple(
            Subject(item.key, tuple(number + shift for number in item.members))
            for item in after.cast.subjects
        )
        sides = ((before, after, before.cast.subjects), (after, before, moved))
        self._before, self._after = (
            Connectivity(
                Compiled(
                    side.policies,
                    members,
                    side.namespaces or {},
                    blocks=blocks,
                    tiers=side.tiers,
                    beside=distinctions_of(other.policies, other.tiers),
                ),
                Cast(members, subjects),
            )
            for side, other, subjects in sides
        )
        self._here = {item.key: item for item in before.cast.subjects}
        self._there = {item.key: item for item in moved}
        self._keys = sorted({**self._here, **self._there}, key=subject_order)
        self._moved = {key for key in self._keys if self._is_moved(key)}
        self._changed: dict[int, frozenset[ObjectKey]] = {}
        self._selves = selves

    def __iter__(self) -> Iterator[Change]:
        """All changes, by source and destination; addresses come after workloads."""
        for source in self._keys:
            for destination in sorted(self._doubtful(source), key=subject_order):
                ports = (
                    _between(side, known.get(source), known.get(destination)) for side, known in self._sides()
                )
                yield from self._change(source, destination, *ports)
            yield from self._outside(source, PolicyType.EGRESS)
        for destination in self._keys:
            yield from self._outside(destination, PolicyType.INGRESS)

    def _sides(self) -> tuple[tuple[Connectivity, Mapping[ObjectKey, Subject]], ...]:
        return (self._before, self._here), (self._after, self._there)

    def _is_moved(self, key: ObjectKey) -> bool:
        """True for who is on one side only, or is of other classes there."""
        here, there = self._here.get(key), self._there.get(key)
        if here is None or there is None:
            return True
        return self._before.classes_of(here) != self._after.classes_of(there)

    def _doubtful(self, source: ObjectKey) -> set[ObjectKey]:
        """Those to whom its ports may differ; to all others they are the same."""
        if source in self._moved:
            found = {
                item.key
                for side, known in self._sides()
                if source in known
                for item, _ in side.row(known[source])
            }
        else:
            found = set(self._moved)
            for number in self._before.classes_of(self._here[source]):
                found |= self._servers(number)
        found.discard(source)
        if self._selves and (source not in self._here or source not in self._there):
            found.add(source)
        return found

    def _servers(self, client: int) -> frozenset[ObjectKey]:
        """Those of a class to which the ports of a class differ."""
        known = self._changed.get(client)
        if known is None:
            one, other = (side.rows.of(client) for side, _ in self._sides())
            mask = 0
            for _, _, servers in _differing(one, other, self._before.compiled.classes.all):
                mask |= servers
            known = self._changed[client] = frozenset(
                subject.key for number in numbers_of(mask) for subject in self._before.having(number)
            )
        return known

    def _outside(self, subject: ObjectKey, direction: PolicyType) -> Iterator[Change]:
        one, other = (
            side.pieces_outside(known[subject], direction) if subject in known else ()
            for side, known in self._sides()
        )
        if one == other:
            return
        atoms = self._before.compiled.addresses
        united: dict[tuple[PortMask, PortMask], int] = {}
        for before, after, peers in _differing(one, other, atoms.all):
            united[(before, after)] = united.get((before, after), 0) | peers
        places = ((place, *ports) for ports, peers in united.items() for place in atoms.ranges(peers))
        for place, before, after in sorted(places, key=lambda item: atoms.order(item[0])):
            if direction is PolicyType.EGRESS:
                yield from self._change(subject, place, before, after)
            else:
                yield from self._change(place, subject, before, after)

    def _change(self, source: End, destination: End, before: PortMask, after: PortMask) -> Iterator[Change]:
        if before != after:
            ranges = self._before.ranges
            gains, loses = bool(after & ~before), bool(before & ~after)
            yield Change(source, destination, ranges(before), ranges(after), gains, loses)


def _between(side: Connectivity, source: Subject | None, destination: Subject | None) -> PortMask:
    if source is None or destination is None:
        return 0
    if source is destination:
        return side.compiled.ports.all
    return side.between(source, destination)


def _differing(
    one: tuple[Piece, ...], other: tuple[Piece, ...], whole: int
) -> Iterator[tuple[PortMask, PortMask, int]]:
    """Peers with the ports that each side has for them, where these are not the same."""
    if one == other:
        return
    first, second = _with_rest(one, whole), _with_rest(other, whole)
    for before, peers in first:
        for after, others in second:
            if before != after and peers & others:
                yield before, after, peers & others


def _with_rest(pieces: tuple[Piece, ...], whole: int) -> tuple[Piece, ...]:
    rest = whole
    for _, peers in pieces:
        rest &= ~peers
    return (*pieces, (0, rest))
