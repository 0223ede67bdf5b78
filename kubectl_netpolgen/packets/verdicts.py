"""The rules of direction and outcome, on nothing but small numbers.

A conversation's two halves say everything in a few bits, and a capture holds few combinations of them. Both
engines ask here, once for each combination, so that there is one text of the rules.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.packets.network import UDP
from kubectl_netpolgen.packets.signals import (
    ACCEPTS,
    ASKS,
    CARRIES,
    HANDSHAKE,
    OPENS,
    PROHIBITED,
    REFUSED,
    REPLIES,
    RESETS,
)

JUDGED = 0xFF
"""The signals that the rules look at."""
EPHEMERAL = 32768
"""Linux gives clients ports from here on (ip_local_port_range)."""

_WEIGHT = {0: 0, OPENS: 1, ACCEPTS: 1, HANDSHAKE: 2}
"""Of a handshake seen in one direction: the question, the answer, or both."""


class Halves(NamedTuple):
    """What the rules look at; `there` is the half whose key is the smaller one, `here` the other."""

    protocol: int
    there: int
    """Signals of the packets that go there."""
    here: int
    there_speaks: bool
    """Whether there are packets at all in this direction."""
    here_speaks: bool
    there_first: bool
    """Whether the earliest packet goes there; also true when both directions begin at the same time."""
    from_lower: bool
    """Whether the packets that go there come from the lower port."""
    from_higher: bool
    both_ephemeral: bool
    source_proven: bool
    """Whether the sender of `there` serves at its port, by a handshake."""
    destination_proven: bool


class Verdict(NamedTuple):
    """Which end is the client and what became of its attempts."""

    direction: Direction
    turned: bool
    """Whether the client is the receiver of the packets that go there."""
    outcome: Outcome


def pack_halves(halves: Halves) -> int:
    """The same as one number, by which verdicts are kept: 24 bits of protocol and signals, 8 of the rest."""
    number = (halves.protocol << 8 | halves.there) << 8 | halves.here
    for flag in halves[3:]:
        number = number << 1 | flag
    return number


@lru_cache(maxsize=65536)
def judge_packed(number: int) -> Verdict:
    """The verdict on what `pack_halves` packed."""
    flags = (bool(number >> bit & 1) for bit in range(7, -1, -1))
    return judge(Halves(number >> 24, number >> 16 & 0xFF, number >> 8 & 0xFF, *flags))


def judge(halves: Halves) -> Verdict:
    """Apply the rules."""
    direction, turned = _orient(halves)
    there = halves.there, halves.there_speaks
    here = halves.here, halves.here_speaks
    client, server = (here, there) if turned else (there, here)
    outcome = _outcome(client[0], server[0], answered=server[1], protocol=halves.protocol)
    return Verdict(direction, turned, outcome)


def _orient(halves: Halves) -> tuple[Direction, bool]:
    """How the client is known, and whether it is the receiver of `there` rather than the sender.

    A SYN or its answer decides; where both ends opened (a source port used the other way round later), the
    attempt that was accepted, else the earlier. Without a handshake: the sender of a DNS query, then whoever
    does not serve at its port by another handshake, then the higher port, then the first sender.
    """
    there, here = halves.there, halves.here
    forward, backward = there & OPENS | here & ACCEPTS, here & OPENS | there & ACCEPTS
    if forward or backward:
        ours, theirs = _WEIGHT[forward], _WEIGHT[backward]
        turned = theirs > ours or (theirs == ours and not halves.there_first)
        opened = (backward if turned else forward) & OPENS
        return (Direction.SYN if opened else Direction.SYNACK), turned
    asked, replied = there & ASKS | here & REPLIES, there & REPLIES | here & ASKS
    if bool(asked) != bool(replied):
        return Direction.DECLARED, bool(replied)
    if halves.source_proven != halves.destination_proven:
        return Direction.PROVEN, halves.source_proven
    if (halves.protocol == UDP and halves.both_ephemeral) or not (halves.from_lower or halves.from_higher):
        return Direction.HEURISTIC, not halves.there_first
    return Direction.HEURISTIC, halves.from_lower


def _outcome(client: int, server: int, *, answered: bool, protocol: int) -> Outcome:
    """What became of the attempts; of several on one 5-tuple the best."""
    if protocol == UDP:
        if answered:
            return Outcome.ANSWERED
    elif server & ACCEPTS or client & server & CARRIES:
        return Outcome.ESTABLISHED
    elif not client & OPENS or (client | server) & CARRIES:
        return Outcome.UNKNOWN
    elif server & RESETS:
        return Outcome.REFUSED
    if client & REFUSED:
        return Outcome.REFUSED
    if client & PROHIBITED:
        return Outcome.PROHIBITED
    return Outcome.UNANSWERED


def proves_sender(signals: int) -> bool:
    """Whether a half shows that its sender serves at its port: it accepted."""
    return bool(signals & ACCEPTS)


def proves_receiver(signals: int) -> bool:
    """Whether a half shows that its receiver serves at its port: the client opened, and went on."""
    return signals & (OPENS | CARRIES) == OPENS | CARRIES


PROVING_SENDERS = bytes(map(proves_sender, range(JUDGED + 1)))
PROVING_RECEIVERS = bytes(map(proves_receiver, range(JUDGED + 1)))
"""Both rules for every combination of signals."""
