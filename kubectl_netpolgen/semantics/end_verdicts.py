"""One end of a connection under compiled policies: every rule that allows it, or what comes nearest."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.semantics.compiled import Compiled, CompiledRule, Standing
from kubectl_netpolgen.semantics.tier_verdicts import TierVerdicts
from kubectl_netpolgen.semantics.verdicts import OPEN, Decision, EndAnswer, Miss, RuleName

_REMEMBERED = 1 << 16
_BYTES_REMEMBERED = 1 << 27
_FEW = 64
"""Rules of a standing that are worth keeping split by port."""

Key = TypeVar("Key")
Value = TypeVar("Value")

_YES = EndAnswer(Decision.ALLOWED)
_NO = EndAnswer(Decision.DENIED)


class _Rules(NamedTuple):
    """The rules of a standing by whether they have the port that is asked about."""

    having: tuple[tuple[int, bytes], ...]
    """Their places, and a bit for each class that is their peer."""
    lacking: tuple[tuple[int, bytes], ...]


class EndVerdicts:
    """Judges ends; equal answers are the same object, so that whoever writes them writes each once.

    `brief` tells allowed from denied alone, at a cost that does not grow with the number of policies.
    """

    def __init__(self, compiled: Compiled, *, brief: bool = False) -> None:
        self._compiled = compiled
        self._tiers = TierVerdicts(compiled.tiers) if compiled.tiers else None
        self._brief = brief
        self._width = len(compiled.classes.members) // 8 + 1
        self._most_columns = max(256, _BYTES_REMEMBERED // self._width)
        self._bits: dict[CompiledRule, bytes] = {}
        self._rules: dict[tuple[Standing, int, int], _Rules] = {}
        self._columns: dict[tuple[Standing, int, int], bytes] = {}
        self._allowed: dict[tuple[Standing, tuple[int, ...]], EndAnswer] = {}
        self._denied: dict[tuple[Standing, tuple[tuple[int, bool], ...]], EndAnswer] = {}

    def of_pod(self, direction: PolicyType, subject: int, peer: int, port: int) -> EndAnswer:
        """What isolates a class says on a peer of a class and a piece of the server's ports."""
        standing = self._compiled.standing(direction, subject)
        if self._tiers is not None:
            decided = self._tiers.of_pod(direction, subject, peer, port, isolated=standing is not None)
            if decided is not None:
                return decided
        if standing is None:
            return OPEN
        server = -1
        if standing.named:
            server = subject if direction is PolicyType.INGRESS else peer
        place, bit = peer >> 3, peer & 7
        if self._brief:
            column = self._column(standing, port, server)
            return _YES if column[place] >> bit & 1 else _NO
        rules = self._split(standing, port, server)
        hits = tuple([number for number, bits in rules.having if bits[place] >> bit & 1])
        if hits:
            return self._allow(standing, hits)
        missed = [(number, False) for number, _ in rules.having]
        missed += [(number, True) for number, bits in rules.lacking if bits[place] >> bit & 1]
        return self._deny(standing, tuple(sorted(missed)))

    def of_outside(self, direction: PolicyType, subject: int, address: int, port: int) -> EndAnswer:
        """The same of a peer that is no pod, by the piece that its address lies in."""
        standing = self._compiled.standing(direction, subject)
        if self._tiers is not None:
            decided = self._tiers.of_outside(direction, subject, address, port, isolated=standing is not None)
            if decided is not None:
                return decided
        if standing is None:
            return OPEN
        server = subject if direction is PolicyType.INGRESS else None
        hits, missed = [], []
        for number, rule in enumerate(standing.rules):
            peer = bool(rule.outside >> address & 1)
            if self._compiled.ports_of(rule, server) >> port & 1:
                if peer:
                    hits.append(number)
                else:
                    missed.append((number, False))
            elif peer:
                missed.append((number, True))
        if self._brief:
            return _YES if hits else _NO
        return self._allow(standing, tuple(hits)) if hits else self._deny(standing, tuple(missed))

    def to_anyone(self, direction: PolicyType, subject: int, port: int) -> bool:
        """True when a rule without peers allows the port, so that it does not matter who the peer is."""
        standing = self._compiled.standing(direction, subject)
        if standing is None:
            return True
        server = subject if direction is PolicyType.INGRESS else None
        return any(
            rule.anyone and self._compiled.ports_of(rule, server) >> port & 1 for rule in standing.rules
        )

    def _allow(self, standing: Standing, hits: tuple[int, ...]) -> EndAnswer:
        known = self._allowed.get((standing, hits))
        if known is None:
            rules = (standing.rules[number] for number in hits)
            names = tuple(RuleName(_name(rule.policy), rule.number) for rule in rules)
            known = EndAnswer(Decision.ALLOWED, names)
            _remember(self._allowed, (standing, hits), known)
        return known

    def _deny(self, standing: Standing, missed: tuple[tuple[int, bool], ...]) -> EndAnswer:
        known = self._denied.get((standing, missed))
        if known is None:
            rules = ((standing.rules[number], peer) for number, peer in missed)
            nearest = tuple(Miss(_name(rule.policy), rule.number, peer, not peer) for rule, peer in rules)
            isolating = tuple(map(_name, standing.policies))
            known = EndAnswer(Decision.DENIED, isolated_by=isolating, nearest=nearest)
            _remember(self._denied, (standing, missed), known)
        return known

    def _split(self, standing: Standing, port: int, server: int) -> _Rules:
        asked = (standing, port, server)
        known = self._rules.get(asked)
        if known is None:
            having: list[tuple[int, bytes]] = []
            lacking: list[tuple[int, bytes]] = []
            for number, rule in enumerate(standing.rules):
                has = self._compiled.ports_of(rule, server if server >= 0 else None) >> port & 1
                (having if has else lacking).append((number, self._peers(rule)))
            known = _Rules(tuple(having), tuple(lacking))
            if len(standing.rules) <= _FEW:
                _remember(self._rules, asked, known)
        return known

    def _column(self, standing: Standing, port: int, server: int) -> bytes:
        """A bit for each class that some rule allows the port."""
        asked = (standing, port, server)
        known = self._columns.get(asked)
        if known is None:
            found = 0
            for rule in standing.rules:
                if self._compiled.ports_of(rule, server if server >= 0 else None) >> port & 1:
                    found |= rule.pods
            known = found.to_bytes(self._width, "little")
            _remember(self._columns, asked, known, most=self._most_columns)
        return known

    def _peers(self, rule: CompiledRule) -> bytes:
        known = self._bits.get(rule)
        if known is None:
            known = rule.pods.to_bytes(self._width, "little")
            _remember(self._bits, rule, known, most=self._most_columns)
        return known


def _name(policy: NetworkPolicy) -> str:
    return f"{policy.namespace}/{policy.name}"


def _remember(known: dict[Key, Value], key: Key, value: Value, *, most: int = _REMEMBERED) -> None:
    """Keep an answer; memory stays bounded, and what is asked often is soon known again."""
    if len(known) >= most:
        known.clear()
    known[key] = value
