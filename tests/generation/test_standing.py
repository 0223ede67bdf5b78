"""Policies that stay beside the new ones."""

from __future__ import annotations

from kubectl_netpolgen.generation.standing import standing_policies
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.model.tiers import TierPolicy
from tests.factories import a_policy, a_timeline
from tests.generation.factories import deployed, key


def said(*standing: NetworkPolicy, written: tuple[NetworkPolicy, ...] = ()) -> list[Finding]:
    timeline = a_timeline(*deployed("web", "api"), *standing)
    return list(standing_policies([key("web"), key("api")], written, timeline))


def test_workload_that_a_standing_policy_isolates_is_said() -> None:
    web = a_policy("old-web", pod_selector=labels_selector({"app": "web"}), policy_types=(PolicyType.EGRESS,))
    (finding,) = said(web)
    assert (finding.code, finding.subject) == ("already-isolated", "Deployment shop/web")
    assert "Egress by old-web" in finding.message


def test_deny_all_isolates_everybody_both_ways() -> None:
    both = (PolicyType.INGRESS, PolicyType.EGRESS)
    findings = said(a_policy("deny", policy_types=both, pod_selector=labels_selector({})))
    assert [finding.subject for finding in findings] == ["Deployment shop/api", "Deployment shop/web"]
    assert all("Ingress by deny and Egress by deny" in finding.message for finding in findings)


def test_policy_that_is_replaced_or_of_another_namespace_does_not_stay() -> None:
    old = a_policy("netpolgen-allow-deployment-web", pod_selector=labels_selector({"app": "web"}))
    assert said(old, written=(old,)) == []
    assert said(a_policy("deny", namespace="other", pod_selector=labels_selector({}))) == []


def test_tier_above_is_said_once() -> None:
    timeline = a_timeline(*deployed("web", "api"), TierPolicy("AdminNetworkPolicy", "cluster-wide"))
    (finding,) = standing_policies([key("web"), key("api")], (), timeline)
    assert finding.code == "admin-tier"
    assert "AdminNetworkPolicy cluster-wide" in finding.message
