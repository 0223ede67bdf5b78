"""What the rules of administrators' tiers say on one end of a connection, where they say anything."""

from __future__ import annotations

from collections.abc import Callable

from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.tiers import Action, Tier
from kubectl_netpolgen.semantics.entries import Entry
from kubectl_netpolgen.semantics.tier_rules import RuleOfTier, TierRules
from kubectl_netpolgen.semantics.verdicts import Decision, EndAnswer, RuleName


class TierVerdicts:
    """Asks the tiers in their order; equal answers are the same object."""

    def __init__(self, rules: TierRules) -> None:
        self._rules = rules
        self._known: dict[tuple[Tier, PolicyType, int], tuple[RuleOfTier, ...]] = {}
        self._answers: dict[tuple[Action, RuleName], EndAnswer] = {}

    def of_pod(
        self, direction: PolicyType, subject: int, peer: int, port: int, *, isolated: bool
    ) -> EndAnswer | None:
        """The first rule that matches a peer of a class; None where NetworkPolicies, or none, decide.

        `isolated` says that NetworkPolicies select the subject: then they come after the Admin tier and
        the Baseline tier is not asked.
        """
        return self._first(
            direction, subject, lambda entry: bool(entry.pods >> peer & entry.ports >> port & 1), isolated
        )

    def of_outside(
        self, direction: PolicyType, subject: int, address: int, port: int, *, isolated: bool
    ) -> EndAnswer | None:
        """The same of a peer that is no pod, by the piece that its address lies in."""
        return self._first(
            direction,
            subject,
            lambda entry: bool(entry.outside >> address & entry.ports >> port & 1),
            isolated,
        )

    def _first(
        self, direction: PolicyType, subject: int, matches: Callable[[Entry], bool], isolated: bool
    ) -> EndAnswer | None:
        for tier in (Tier.ADMIN,) if isolated else (Tier.ADMIN, Tier.BASELINE):
            for rule in self._of(tier, direction, subject):
                if any(map(matches, rule.entries)):
                    if rule.action is Action.PASS:
                        break
                    return self._answer(rule)
        return None

    def _of(self, tier: Tier, direction: PolicyType, subject: int) -> tuple[RuleOfTier, ...]:
        asked = (tier, direction, subject)
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = tuple(self._rules.rules(tier, direction, subject))
        return known

    def _answer(self, rule: RuleOfTier) -> EndAnswer:
        name = RuleName(f"{rule.policy.kind}/{rule.policy.name}", rule.number)
        known = self._answers.get((rule.action, name))
        if known is None:
            if rule.action is Action.ACCEPT:
                known = EndAnswer(Decision.ALLOWED, (name,))
            else:
                known = EndAnswer(Decision.DENIED, denied_by=(name,))
            self._answers[(rule.action, name)] = known
        return known
