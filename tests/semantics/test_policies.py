"""Policies read with Kubernetes' defaults and written so that they read back the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from kubectl_netpolgen.documents.yaml_text import dump_yaml, load_documents
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.semantics.policies import parse_peer, parse_policy, policy_document
from tests.factories import a_policy
from tests.semantics.factories import policies

IN, OUT = PolicyType.INGRESS, PolicyType.EGRESS


def parsed(**spec: Any) -> NetworkPolicy:
    """The policy of a spec."""
    return parse_policy({"kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec})


@given(policies())
def test_written_policy_reads_back_the_same(policy: NetworkPolicy) -> None:
    assert parse_policy(policy_document(policy)) == policy


@given(policies())
def test_written_policy_reads_back_the_same_through_yaml(policy: NetworkPolicy) -> None:
    assert [parse_policy(item) for item in load_documents(dump_yaml(policy_document(policy)))] == [policy]


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, (IN,)),
        ({"policyTypes": []}, (IN,)),
        ({"ingress": [{}]}, (IN,)),
        ({"egress": []}, (IN,)),
        ({"egress": None}, (IN,)),
        ({"egress": [{}]}, (IN, OUT)),
        ({"policyTypes": ["Egress"]}, (OUT,)),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, (OUT,)),
    ],
)
def test_policy_types_default_to_ingress_and_egress_only_with_rules(
    spec: dict[str, Any], types: tuple[PolicyType, ...]
) -> None:
    assert parsed(**spec).policy_types == types


@pytest.mark.parametrize("selector", [None, {}])
def test_missing_pod_selector_is_every_pod(selector: Any) -> None:
    assert parsed(podSelector=selector).pod_selector == LabelSelector()


def test_namespace_of_a_manifest_without_one_is_default() -> None:
    assert parsed().namespace == "default"


@pytest.mark.parametrize("absent", [None, []])
def test_missing_null_and_empty_lists_mean_the_same(absent: Any) -> None:
    assert parsed(ingress=absent).ingress == ()
    assert parsed(ingress=[{"from": absent, "ports": absent}]).ingress == (Rule(),)


def test_empty_rule_lists_are_not_written_since_the_api_server_drops_them() -> None:
    spec = policy_document(a_policy())["spec"]
    assert spec == {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress", "Egress"]}


def test_allow_all_rule_survives_writing() -> None:
    spec = policy_document(a_policy(ingress=(Rule(),)))["spec"]
    assert spec["ingress"] == [{}]


def test_empty_pod_selector_of_a_peer_is_kept_apart_from_a_missing_one() -> None:
    assert parse_peer({"podSelector": {}}) == Peer(pod_selector=LabelSelector())
    assert parse_peer({"podSelector": None, "namespaceSelector": {}}) == Peer(
        namespace_selector=LabelSelector()
    )


def test_port_without_protocol_is_tcp_and_without_number_all_of_it() -> None:
    rule = parsed(ingress=[{"ports": [{"port": 80}, {"protocol": "UDP"}, {}]}]).ingress[0]
    assert rule.ports == (PolicyPort(Protocol.TCP, 80), PolicyPort(Protocol.UDP), PolicyPort(Protocol.TCP))


def test_cidr_with_host_bits_is_read_as_it_is_written() -> None:
    assert parse_peer({"ipBlock": {"cidr": "192.168.242.213/24"}}).ip_block == IPBlock("192.168.242.213/24")


@pytest.mark.parametrize(
    ("peer", "named"),
    [
        ({}, "needs podSelector"),
        ({"podSelector": None}, "needs podSelector"),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}, "stands alone"),
        ({"ipBlock": {}}, "cidr"),
        ({"ipBlock": {"cidr": "10.0.0.0/33"}}, "10.0.0.0/33"),
        ({"ipBlock": {"cidr": 5}}, "no CIDR"),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}, "strict part"),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}, "strict part"),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["fd00::/64"]}}, "strict part"),
        ({"podSelector": ["app"]}, "must be a map"),
    ],
)
def test_peers_that_the_api_server_refuses_are_refused(peer: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        parsed(ingress=[{"from": [{"podSelector": {}}, peer]}])
    assert "spec.ingress[0]" in str(caught.value)


@pytest.mark.parametrize(
    "port",
    [
        {"port": 0},
        {"port": 65536},
        {"port": 80.5},
        {"port": True},
        {"endPort": 90},
        {"port": "http", "endPort": 90},
        {"port": 80, "endPort": 79},
        {"port": 80, "endPort": 65536},
        {"port": 80, "endPort": "90"},
        {"port": 80, "protocol": "ICMP"},
        "80",
    ],
)
def test_ports_that_the_api_server_refuses_are_refused(port: Any) -> None:
    with pytest.raises(ValueError, match=r"spec.egress\[1\]"):
        parsed(egress=[{}, {"ports": [port]}])


@pytest.mark.parametrize(
    "document",
    [
        {"spec": ["podSelector"]},
        {"spec": {"policyTypes": ["Both"]}},
        {"spec": {"podSelector": "app=web"}},
        {"spec": {"ingress": 5}},
        {"spec": {"ingress": [None]}},
        {"metadata": "p"},
        {"metadata": {"labels": ["app"]}},
    ],
)
def test_broken_documents_are_value_errors(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse_policy(document)


def test_what_kubectl_apply_notes_may_be_longer_than_any_name() -> None:
    noted = {"kubectl.kubernetes.io/last-applied-configuration": "{" + " " * 5000 + "}"}
    found = parse_policy({"metadata": {"name": "x", "annotations": noted}, "spec": {}})
    assert dict(found.annotations) == noted
