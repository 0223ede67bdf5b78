"""What a connection is judged to be at each end, and by which rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple


class Decision(str, Enum):
    """May it pass? Only the first is a yes."""

    ALLOWED = "allowed"
    DENIED = "denied"
    CNI_DEPENDENT = "cni-dependent"
    """Network plugins differ, or the documentation leaves it to them."""
    UNRESOLVED = "unresolved"
    """An end is nobody that the manifests know."""


class RuleName(NamedTuple):
    """A rule of a policy."""

    policy: str
    """namespace/name; of an administrator's, which has no namespace, Kind/name."""
    rule: int
    """Counts from 1 within the policy's ingress or egress."""


class Miss(NamedTuple):
    """A rule that half matches."""

    policy: str
    rule: int
    peer: bool
    port: bool


@dataclass(frozen=True, eq=False)
class EndAnswer:
    """What the policies of one end say. Compared by identity: equal answers are made once."""

    decision: Decision
    allowed_by: tuple[RuleName, ...] = ()
    """All rules that let it pass."""
    isolated_by: tuple[str, ...] = ()
    """Where NetworkPolicies deny it: all that isolate the end, as namespace/name."""
    nearest: tuple[Miss, ...] = ()
    """Where it is denied: the rules that match the peer or the port, and not both."""
    default: bool = False
    """No policy selects the end, or it is outside the cluster."""
    reason: str = ""
    """Why it depends on the network plugin."""
    denied_by: tuple[RuleName, ...] = ()
    """Where administrators deny it: their rules."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What both ends come to."""

    decision: Decision
    egress: EndAnswer | None
    """None where an end is unresolved."""
    ingress: EndAnswer | None
    reason: str = ""
    """Why there is no plain answer."""


def is_tier(policy: str) -> bool:
    """True for an administrator's policy: kinds begin with a capital, and no namespace does."""
    return policy[:1].isupper()


OPEN = EndAnswer(Decision.ALLOWED, default=True)
"""Nothing isolates this end."""


def depending(answer: EndAnswer, reason: str) -> EndAnswer:
    """The answer as one that some network plugins give."""
    return replace(answer, decision=Decision.CNI_DEPENDENT, default=False, reason=reason)


def all_of(answers: Sequence[EndAnswer]) -> EndAnswer:
    """One answer for several pods: allowed where each of them is, with every rule that has a part in it."""
    first = answers[0]
    if all(item is first for item in answers):
        return first
    for decision in (Decision.DENIED, Decision.CNI_DEPENDENT):
        found = [item for item in answers if item.decision is decision]
        if found:
            return _joined(decision, found)
    return _joined(Decision.ALLOWED, answers)


def either(answers: Sequence[EndAnswer], reason: str) -> EndAnswer:
    """One answer for several kinds of network plugins: theirs where they agree."""
    first = answers[0]
    if all(item is first for item in answers):
        return first
    decisions = {item.decision for item in answers}
    if len(decisions) == 1:
        return _joined(first.decision, answers)
    found = _joined(Decision.CNI_DEPENDENT, answers)
    return found if found.reason else depending(found, reason)


def both(egress: Decision, ingress: Decision) -> Decision:
    """A connection passes where both ends let it."""
    for decision in (Decision.DENIED, Decision.CNI_DEPENDENT):
        if decision in (egress, ingress):
            return decision
    return Decision.ALLOWED


def _joined(decision: Decision, answers: Iterable[EndAnswer]) -> EndAnswer:
    found = list(answers)
    return EndAnswer(
        decision,
        tuple(dict.fromkeys(name for item in found for name in item.allowed_by)),
        tuple(dict.fromkeys(name for item in found for name in item.isolated_by)),
        tuple(dict.fromkeys(miss for item in found for miss in item.nearest)),
        all(item.default for item in found),
        next((item.reason for item in found if item.reason), ""),
        tuple(dict.fromkeys(name for item in found for name in item.denied_by)),
    )
