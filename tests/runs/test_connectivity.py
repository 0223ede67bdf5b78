"""Answers with what a person should know about them: where network plugins differ, and what is not read."""

from __future__ import annotations

from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyType, Rule
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.model.tiers import Action, TierPeer, TierPolicy, TierRule
from kubectl_netpolgen.runs.connectivity import Found, find_connectivity
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.subjects import HostNetwork
from tests.factories import a_pod, a_policy

WEB, API = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6")
PODS = (WEB, API)


def into_api(*peers: Peer) -> NetworkPolicy:
    return a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=(Rule(peers),) if peers else ())


def pairs(found: Found) -> set[tuple[str, str]]:
    """Pairs of pods, addresses left out."""
    return {
        (item.source.name, item.destination.name)
        for item in found.connections
        if isinstance(item.source, ObjectKey) and isinstance(item.destination, ObjectKey)
    }


def codes(found: Found) -> list[str]:
    return [item.code for item in found.findings]


RANGE_OF_PODS = Manifests(pods=PODS, policies=(into_api(Peer(ip_block=IPBlock("10.244.0.0/16"))),))


def test_an_ip_block_means_pods_and_that_others_differ_is_said() -> None:
    found = find_connectivity(RANGE_OF_PODS)
    assert pairs(found) == {("web-1", "api-1"), ("api-1", "web-1")}
    assert [(item.code, item.subject) for item in found.findings] == [("ipblock-pods", "1 pairs")]


def test_who_decides_is_not_warned() -> None:
    ignoring = find_connectivity(RANGE_OF_PODS, blocks=BlocksAndPods.IGNORE)
    assert (pairs(ignoring), codes(ignoring)) == ({("api-1", "web-1")}, [])
    assert codes(find_connectivity(RANGE_OF_PODS, blocks=BlocksAndPods.MATCH)) == []


def test_an_ip_block_of_no_pods_makes_no_difference() -> None:
    manifests = Manifests(pods=PODS, policies=(into_api(Peer(ip_block=IPBlock("203.0.113.0/24"))),))
    assert codes(find_connectivity(manifests)) == []


ON_NODE = Manifests(pods=(WEB, a_pod("api-1", "172.18.0.2", host_network=True)), policies=(into_api(),))


def test_pods_of_the_nodes_network_are_pods_and_that_others_differ_is_said() -> None:
    found = find_connectivity(ON_NODE)
    assert pairs(found) == {("api-1", "web-1")}
    # its own pair, and both families of addresses outside
    told = {item.code: item.subject for item in found.findings}
    assert told == {"hostnetwork": "3 pairs", "never-matches": "shop/api: spec.podSelector"}
    on_node = find_connectivity(ON_NODE, host_network=HostNetwork.NODE)
    assert pairs(on_node) == {("api-1", "web-1"), ("web-1", "api-1")}
    assert "hostnetwork" not in codes(on_node)


def test_tiers_of_administrators_are_part_of_the_answer() -> None:
    deny = TierRule(Action.DENY, (TierPeer(LabelSelector()),))
    tier = TierPolicy("ClusterNetworkPolicy", "x", pods=labels_selector({"app": "api"}), ingress=(deny,))
    assert pairs(find_connectivity(Manifests(pods=PODS, tiers=(tier,)))) == {("api-1", "web-1")}


def test_parts_that_never_match_are_said() -> None:
    policy = a_policy("nobody")
    assert codes(find_connectivity(Manifests(pods=PODS, policies=(policy,)))) == ["never-matches"]


def test_focus_keeps_what_touches_it_and_every_finding() -> None:
    pods = (*PODS, a_pod("db-1", "10.244.1.7"))
    found = find_connectivity(
        Manifests(pods=pods, policies=RANGE_OF_PODS.policies), focus=frozenset({"db-1"})
    )
    assert pairs(found) == {("db-1", "api-1"), ("db-1", "web-1"), ("api-1", "db-1"), ("web-1", "db-1")}
    assert codes(found) == ["ipblock-pods"]


def test_pod_by_pod_each_is_a_pair_with_itself() -> None:
    assert ("web-1", "web-1") in pairs(find_connectivity(RANGE_OF_PODS, per_pod=True))
