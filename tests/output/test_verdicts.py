"""The contract of a verdict's JSON, and its row for people."""

from __future__ import annotations

import json

from kubectl_netpolgen.output.verdicts import (
    VerdictText,
    denial_text,
    end_item,
    verdict_cells,
    verdict_item,
    verdict_rows,
)
from kubectl_netpolgen.semantics.verdicts import OPEN, Decision, EndAnswer, Miss, RuleName, Verdict, depending

YES = EndAnswer(Decision.ALLOWED, (RuleName("shop/a", 1), RuleName("shop/b", 2)))
NO = EndAnswer(Decision.DENIED, isolated_by=("shop/a",), nearest=(Miss("shop/a", 1, peer=True, port=False),))
ALLOWED = Verdict(Decision.ALLOWED, OPEN, YES)
DENIED = Verdict(Decision.DENIED, OPEN, NO)
UNRESOLVED = Verdict(Decision.UNRESOLVED, None, None, "the manifests have no pod shop/x")


def test_ends_are_as_the_contract_has_them() -> None:
    assert end_item(OPEN) == {"verdict": "allowed", "policies": [], "nearest": [], "default": True}
    assert end_item(YES) == {
        "verdict": "allowed",
        "policies": [{"policy": "shop/a", "rule": 1}, {"policy": "shop/b", "rule": 2}],
        "nearest": [],
        "default": False,
    }
    assert end_item(NO) == {
        "verdict": "denied",
        "policies": [{"policy": "shop/a"}],
        "nearest": [{"policy": "shop/a", "rule": 1, "peer": True, "port": False}],
        "default": False,
    }
    assert end_item(depending(YES, "why"))["reason"] == "why"


def test_who_denies_is_told_administrators_first() -> None:
    rule = EndAnswer(Decision.DENIED, denied_by=(RuleName("ClusterNetworkPolicy/x", 2),))
    assert end_item(rule)["policies"] == [{"policy": "ClusterNetworkPolicy/x", "rule": 2}]
    several = EndAnswer(Decision.DENIED, isolated_by=("shop/a", "shop/b"), denied_by=rule.denied_by)
    assert denial_text(several) == "denied by ClusterNetworkPolicy/x rule 2, isolated by shop/a, shop/b"
    assert denial_text(NO, str.upper) == "isolated by SHOP/A"
    both = Verdict(Decision.DENIED, rule, NO)
    assert verdict_cells("1", both, brief=False)[-1] == (
        "denied by ClusterNetworkPolicy/x rule 2; isolated by shop/a"
    )


def test_text_is_the_item() -> None:
    for verdict in (ALLOWED, DENIED, UNRESOLVED, ALLOWED):
        text = VerdictText(brief=False).after_id(verdict)
        assert json.loads("{" + text) == verdict_item(verdict)
        brief = json.loads("{" + VerdictText(brief=True).after_id(verdict))
        assert brief == {"verdict": verdict.decision.value}


def test_rows_say_who_it_was() -> None:
    rows = [verdict_cells(name, item, brief=False) for name, item in (("1", ALLOWED), ("2", DENIED))]
    rows.append(verdict_cells("3", UNRESOLVED, brief=False))
    rows.append(verdict_cells("4", Verdict(Decision.ALLOWED, OPEN, OPEN), brief=False))
    assert verdict_rows(rows, brief=False, headers=True) == (
        "ID   VERDICT      EGRESS    INGRESS   WHY\n"
        "1    allowed      allowed   allowed   shop/a rule 1, shop/b rule 2\n"
        "2    denied       allowed   denied    isolated by shop/a\n"
        "3    unresolved   <none>    <none>    the manifests have no pod shop/x\n"
        "4    allowed      allowed   allowed   no policy selects an end\n"
    )
    assert verdict_rows([verdict_cells("1", DENIED, brief=True)], brief=True, headers=False) == "1   denied\n"
