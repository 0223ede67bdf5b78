"""A word against one edge that the rules of others overrule is said."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.generation.overruled import find_overruled
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from tests.factories import a_timeline, an_edge, an_external, an_unknown
from tests.generation.factories import deployed, generated

THREE = deployed("web", "api", "db")
DROPPED = an_edge("web", "db", 5432)


def overruled(dropped: Edge, *others: Edge, per: Per, decided: bool = True) -> list[Finding]:
    """Findings on an edge that was dropped, or seen too seldom, beside others that were not."""
    decisions = [Decision(dropped.id, Verdict.DROP)] if decided else []
    found = generated(
        dropped,
        *others,
        per=Granularity(per),
        decisions=decisions,
        min_connections=0 if decided else 2,
    )
    return list(
        find_overruled(
            found.refused,
            found.policies,
            a_timeline(*THREE),
            decisions={decision.edge: decision for decision in decisions},
        )
    )


@pytest.mark.parametrize(("decided", "severity"), [(True, Severity.ERROR), (False, Severity.WARNING)])
def test_group_that_allows_what_was_to_be_closed_says_so(decided: bool, severity: Severity) -> None:
    other = an_edge("api", "db", 5432, connections=5)
    (finding,) = overruled(DROPPED, other, per=Per.NAMESPACE, decided=decided)
    assert (finding.code, finding.severity) == ("edge-still-allowed", severity)
    assert finding.subject == "shop/Deployment/web -> shop/Deployment/db 5432/TCP"
    assert overruled(DROPPED, other, per=Per.WORKLOAD, decided=decided) == []


def test_address_that_another_member_needs_stays_open() -> None:
    dropped, other = an_edge("web", an_external(), 443), an_edge("api", an_external(), 443)
    assert len(overruled(dropped, other, per=Per.NAMESPACE)) == 1
    assert overruled(dropped, other, per=Per.WORKLOAD) == []


def test_where_nothing_is_isolated_nothing_is_overruled() -> None:
    other = an_edge("web", an_unknown())
    assert (
        overruled(an_edge("web", an_external(), 443), other, an_edge(an_unknown(), "web"), per=Per.WORKLOAD)
        == []
    )
