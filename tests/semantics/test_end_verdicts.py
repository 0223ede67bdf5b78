"""One end: all rules that allow it, or its policies and what comes nearest; equal answers made once."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.end_verdicts import EndVerdicts
from kubectl_netpolgen.semantics.members import Member
from kubectl_netpolgen.semantics.verdicts import OPEN, Decision, Miss, RuleName
from tests.factories import a_policy, a_port, address

WEB, API, DB = (Member("shop", {"app": name}, (a_port(8080, "http"),)) for name in ("web", "api", "db"))
FROM_WEB = Peer(pod_selector=labels_selector({"app": "web"}))


def compiled(*rules: Rule) -> Compiled:
    policy: NetworkPolicy = a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=rules)
    return Compiled([policy], [WEB, API, DB], {})


def test_open_end_is_the_default() -> None:
    found = compiled()
    web, api, _ = found.classes.of
    assert EndVerdicts(found).of_pod(PolicyType.EGRESS, web, api, 0) is OPEN
    assert EndVerdicts(found).of_outside(PolicyType.INGRESS, web, 0, 0) is OPEN


def test_all_rules_that_allow_are_named_and_equal_answers_are_one() -> None:
    found = compiled(
        Rule((FROM_WEB,)), Rule(ports=(PolicyPort(port=9),)), Rule(ports=(PolicyPort(port="http"),))
    )
    web, api, db = found.classes.of
    judged = EndVerdicts(found)
    named = found.ports.atom(Protocol.TCP, 8080)
    answer = judged.of_pod(PolicyType.INGRESS, api, web, named)
    assert answer.allowed_by == (RuleName("shop/api", 1), RuleName("shop/api", 3))
    assert judged.of_pod(PolicyType.INGRESS, api, web, named) is answer
    assert judged.of_pod(PolicyType.INGRESS, api, db, named).allowed_by == (RuleName("shop/api", 3),)


def test_denied_end_names_its_policies_and_half_matches_in_their_order() -> None:
    rules = Rule((FROM_WEB,), (PolicyPort(port=9),)), Rule((FROM_WEB,), (PolicyPort(port=80),))
    found = compiled(*rules)
    web, api, db = found.classes.of
    judged, port = EndVerdicts(found), found.ports.atom(Protocol.TCP, 80)
    answer = judged.of_pod(PolicyType.INGRESS, api, db, port)
    assert (answer.decision, answer.isolated_by) == (Decision.DENIED, ("shop/api",))
    assert answer.nearest == (Miss("shop/api", 2, peer=False, port=True),)
    other = judged.of_pod(PolicyType.INGRESS, api, web, found.ports.atom(Protocol.TCP, 443))
    assert [(miss.rule, miss.peer, miss.port) for miss in other.nearest] == [
        (1, True, False),
        (2, True, False),
    ]


@pytest.mark.parametrize("brief", [False, True])
def test_outside_is_judged_by_its_address_and_only_who_names_no_peer_lets_anyone_in(brief: bool) -> None:
    block = Rule((Peer(ip_block=IPBlock("203.0.113.0/24")),))
    found = compiled(block, Rule(ports=(PolicyPort(port=9),)))
    _, api, _ = found.classes.of
    judged = EndVerdicts(found, brief=brief)
    inside, elsewhere = (found.addresses.atom(address(text)) for text in ("203.0.113.9", "8.8.8.8"))
    port = found.ports.atom(Protocol.TCP, 80)
    assert judged.of_outside(PolicyType.INGRESS, api, inside, port).decision is Decision.ALLOWED
    assert judged.of_outside(PolicyType.INGRESS, api, elsewhere, port).decision is Decision.DENIED
    assert not judged.to_anyone(PolicyType.INGRESS, api, port)
    assert judged.to_anyone(PolicyType.INGRESS, api, found.ports.atom(Protocol.TCP, 9))
    assert judged.to_anyone(PolicyType.EGRESS, api, port)
