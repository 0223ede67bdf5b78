"""What would turn an answer: one rule mended where one half matches, and every denied end."""

from __future__ import annotations

from kubectl_netpolgen.semantics.changes import changes_of
from kubectl_netpolgen.semantics.verdicts import OPEN, Decision, EndAnswer, Miss, RuleName, Verdict


def changes(decision: Decision, egress: EndAnswer | None, ingress: EndAnswer | None) -> tuple[str, ...]:
    verdict = Verdict(decision, egress, ingress)
    return changes_of(verdict, source="shop/web", destination="shop/api", port="80/TCP")


def denied(*nearest: Miss) -> EndAnswer:
    return EndAnswer(Decision.DENIED, isolated_by=("shop/a",), nearest=nearest)


def test_a_port_is_added_sooner_than_a_peer() -> None:
    peer, port = Miss("shop/a", 1, peer=False, port=True), Miss("shop/a", 2, peer=True, port=False)
    assert changes(Decision.DENIED, OPEN, denied(peer, port)) == ("add port 80/TCP to shop/a ingress rule 2",)
    assert changes(Decision.DENIED, OPEN, denied(peer)) == ("add peer shop/web to shop/a ingress rule 1",)


def test_without_a_near_rule_a_new_one_and_at_each_end_that_denies() -> None:
    assert changes(Decision.DENIED, denied(), denied()) == (
        "add to shop/a an egress rule to shop/api on port 80/TCP",
        "add to shop/a an ingress rule from shop/web on port 80/TCP",
    )


def test_an_allowance_ends_with_its_rules_or_a_new_policy() -> None:
    rules = (RuleName("shop/a", 1), RuleName("shop/a", 3), RuleName("shop/b", 1))
    assert changes(Decision.ALLOWED, OPEN, EndAnswer(Decision.ALLOWED, rules)) == (
        "a policy that selects shop/web, of type Egress",
        "take away shop/a ingress rule 1, 3 and shop/b ingress rule 1",
    )


def test_what_administrators_decide_is_turned_before_their_rule() -> None:
    name = RuleName("ClusterNetworkPolicy/x", 2)
    denial = EndAnswer(Decision.DENIED, denied_by=(name,))
    assert changes(Decision.DENIED, denial, OPEN) == (
        "accept it before ClusterNetworkPolicy/x egress rule 2",
    )
    assert changes(Decision.ALLOWED, EndAnswer(Decision.ALLOWED, (name,)), OPEN)[0] == (
        "deny it before ClusterNetworkPolicy/x egress rule 2"
    )


def test_nothing_turns_what_is_neither() -> None:
    assert changes(Decision.UNRESOLVED, None, None) == ()
    assert changes(Decision.CNI_DEPENDENT, OPEN, EndAnswer(Decision.CNI_DEPENDENT)) == ()
