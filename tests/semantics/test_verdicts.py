"""Several answers to one: of all pods, and of all kinds of network plugins."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.semantics.verdicts import (
    OPEN,
    Decision,
    EndAnswer,
    Miss,
    RuleName,
    all_of,
    both,
    depending,
    either,
)

YES = EndAnswer(Decision.ALLOWED, (RuleName("shop/a", 1),))
ALSO = EndAnswer(Decision.ALLOWED, (RuleName("shop/a", 1), RuleName("shop/b", 2)))
NO = EndAnswer(Decision.DENIED, isolated_by=("shop/a",), nearest=(Miss("shop/a", 1, True, False),))
MAYBE = depending(YES, "plugins differ")


def test_one_answer_is_kept_as_it_is() -> None:
    assert all_of([YES, YES]) is YES
    assert either([NO, NO], "why") is NO


def test_all_pods_must_be_allowed_and_each_rule_is_named_once() -> None:
    assert all_of([YES, ALSO]).allowed_by == ALSO.allowed_by
    found = all_of([YES, NO, MAYBE])
    assert (found.decision, found.isolated_by, found.allowed_by) == (Decision.DENIED, ("shop/a",), ())
    assert found.nearest == NO.nearest
    assert all_of([YES, MAYBE]).decision is Decision.CNI_DEPENDENT
    assert all_of([OPEN, EndAnswer(Decision.ALLOWED, default=True)]).default
    assert not all_of([OPEN, YES]).default


def test_plugins_that_differ_leave_it_open_and_the_reason_is_said() -> None:
    found = either([YES, NO], "why")
    assert (found.decision, found.reason) == (Decision.CNI_DEPENDENT, "why")
    assert (found.allowed_by, found.isolated_by) == (YES.allowed_by, NO.isolated_by)
    assert either([MAYBE, NO], "why").reason == "plugins differ"
    same = either([YES, ALSO], "why")
    assert (same.decision, same.reason) == (Decision.ALLOWED, "")


@pytest.mark.parametrize(
    ("egress", "ingress", "found"),
    [
        (Decision.ALLOWED, Decision.ALLOWED, Decision.ALLOWED),
        (Decision.CNI_DEPENDENT, Decision.ALLOWED, Decision.CNI_DEPENDENT),
        (Decision.CNI_DEPENDENT, Decision.DENIED, Decision.DENIED),
    ],
)
def test_both_ends_must_let_it(egress: Decision, ingress: Decision, found: Decision) -> None:
    assert both(egress, ingress) is found
