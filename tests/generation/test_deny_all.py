"""The deny-all is written where each workload has its rules, whatever the policies are for."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.generation.deny_all import MANAGED_BY, default_deny
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.policies import policy_document
from tests.factories import a_pod, a_workload, an_edge, an_unknown
from tests.generation.factories import deployed, generated, key, policy_of


def test_it_selects_every_pod_and_allows_nothing() -> None:
    policy = default_deny("shop", (PolicyType.EGRESS,))
    assert policy_document(policy)["spec"] == {"podSelector": {}, "policyTypes": ["Egress"]}
    assert policy.labels == MANAGED_BY


@pytest.mark.parametrize("per", [Per.WORKLOAD, Per.NAMESPACE])
def test_direction_that_one_workload_cannot_have_is_left_out(per: Per) -> None:
    found = generated(an_edge("web", an_unknown()), per=Granularity(per), default_deny=True)
    assert policy_of(found, "default-deny").policy_types == (PolicyType.INGRESS,)
    (finding,) = [item for item in found.findings if item.code == "default-deny-withheld"]
    assert "leaves out Egress:" in finding.message


def test_direction_that_nobody_asked_for_is_not_said_to_be_left_out() -> None:
    ended = (a_workload("job"), a_pod("job-1", "10.244.1.9", phase="Succeeded"))
    found = generated(
        an_edge("job", "web"),
        objects=(*deployed("web"), *ended),
        captured=[key("web")],
        directions=(PolicyType.INGRESS,),
        default_deny=True,
    )
    assert policy_of(found, "default-deny").policy_types == (PolicyType.INGRESS,)
    assert "default-deny-withheld" not in {item.code for item in found.findings}
