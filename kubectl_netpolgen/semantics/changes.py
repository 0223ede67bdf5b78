"""The smallest change that would turn an answer, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.verdicts import Decision, EndAnswer, RuleName, Verdict, is_tier


def changes_of(verdict: Verdict, *, source: str, destination: str, port: str) -> tuple[str, ...]:
    """All of these together turn a denial, and each alone an allowance; nothing turns what is neither."""
    ends = (
        (PolicyType.EGRESS, verdict.egress, source, destination),
        (PolicyType.INGRESS, verdict.ingress, destination, source),
    )
    found: list[str] = []
    for direction, answer, subject, peer in ends:
        if answer is None:
            continue
        if verdict.decision is Decision.DENIED and answer.decision is Decision.DENIED:
            found.append(_allowing(direction, answer, peer, port))
        elif verdict.decision is Decision.ALLOWED:
            found.extend(_denying(direction, answer, subject))
    return tuple(found)


def _allowing(direction: PolicyType, answer: EndAnswer, peer: str, port: str) -> str:
    """A rule that lacks one thing is mended before a new one is written; a port widens less than a peer.

    What an administrator denies no NetworkPolicy turns.
    """
    if answer.denied_by:
        return "accept it before " + " and ".join(_rules(direction, answer.denied_by))
    nearest = sorted(answer.nearest, key=lambda miss: not miss.peer)
    if nearest:
        first = nearest[0]
        added = f"port {port}" if first.peer else f"peer {peer}"
        return f"add {added} to {first.policy} {direction.value.lower()} rule {first.rule}"
    word = "from" if direction is PolicyType.INGRESS else "to"
    policy = answer.isolated_by[0]
    return f"add to {policy} an {direction.value.lower()} rule {word} {peer} on port {port}"


def _denying(direction: PolicyType, answer: EndAnswer, subject: str) -> Iterator[str]:
    """To take away every rule that allows it, or where there is none a policy that selects the end."""
    tiers = tuple(item for item in answer.allowed_by if is_tier(item.policy))
    if tiers:
        yield "deny it before " + " and ".join(_rules(direction, tiers))
    elif answer.allowed_by:
        yield "take away " + " and ".join(_rules(direction, answer.allowed_by))
    elif answer.default and "/" in subject:
        yield f"a policy that selects {subject}, of type {direction.value}"


def _rules(direction: PolicyType, names: tuple[RuleName, ...]) -> Iterator[str]:
    for policy, rules in groupby(names, key=lambda item: item.policy):
        yield f"{policy} {direction.value.lower()} rule {', '.join(str(item.rule) for item in rules)}"
