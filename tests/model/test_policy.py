"""A policy gives the rules of one direction."""

from __future__ import annotations

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyPort, PolicyType, Rule
from tests.factories import a_policy


def test_rules_are_asked_for_by_direction() -> None:
    into, out = Rule(ports=(PolicyPort(port=1),)), Rule(ports=(PolicyPort(port=2),))
    policy = a_policy(ingress=(into,), egress=(out,))
    assert policy.rules(PolicyType.INGRESS) == (into,)
    assert policy.rules(PolicyType.EGRESS) == (out,)


def test_port_without_protocol_is_tcp() -> None:
    assert PolicyPort().protocol is Protocol.TCP
    assert PolicyPort().port is None


def test_equal_policies_are_equal_values() -> None:
    assert a_policy() == a_policy()
    assert hash(a_policy()) == hash(a_policy())
