"""An administrator's policy has its rules by direction and no namespace."""

from __future__ import annotations

from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.model.tiers import Action, TierPeer, TierPolicy, TierRule


def test_rules_are_asked_for_by_direction() -> None:
    into, out = (TierRule(action, (TierPeer(LabelSelector()),)) for action in (Action.DENY, Action.PASS))
    policy = TierPolicy("ClusterNetworkPolicy", "x", ingress=(into,), egress=(out,))
    assert policy.rules(PolicyType.INGRESS) == (into,)
    assert policy.rules(PolicyType.EGRESS) == (out,)
    assert policy.key == ObjectKey("ClusterNetworkPolicy", "", "x")
