"""Small truths about the objects."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.objects import ObjectKey
from tests.factories import a_pod, a_service


def test_key_reads_as_a_person_would_say_it() -> None:
    assert str(ObjectKey("Deployment", "shop", "web")) == "Deployment shop/web"
    assert str(ObjectKey("Node", "", "node-1")) == "Node node-1"


def test_keys_sort_by_kind_namespace_and_name() -> None:
    keys = [ObjectKey("Job", "a", "a"), ObjectKey("Deployment", "b", "a"), ObjectKey("Deployment", "a", "z")]
    assert sorted(keys) == [keys[2], keys[1], keys[0]]


@pytest.mark.parametrize(
    ("phase", "finished"),
    [("Running", False), ("Pending", False), ("Unknown", False), ("Succeeded", True), ("Failed", True)],
)
def test_pod_is_finished_once_its_addresses_may_be_handed_on(phase: str, finished: bool) -> None:
    assert a_pod(phase=phase).finished is finished


@pytest.mark.parametrize(
    ("policy", "own", "on_node"),
    [
        ("ClusterFirst", True, False),
        ("ClusterFirstWithHostNet", True, True),
        ("Default", False, False),
        ("None", False, False),
    ],
)
def test_pod_uses_the_clusters_dns_by_its_policy(policy: str, own: bool, on_node: bool) -> None:
    assert a_pod(dns_policy=policy).cluster_dns is own
    assert a_pod(dns_policy=policy, host_network=True).cluster_dns is on_node


def test_pod_knows_its_key() -> None:
    assert a_pod("web-1").key == ObjectKey("Pod", "shop", "web-1")


@pytest.mark.parametrize(
    ("type", "exposed"),
    [("ClusterIP", False), ("ExternalName", False), ("NodePort", True), ("LoadBalancer", True)],
)
def test_service_is_exposed_when_it_invites_the_outside(type: str, exposed: bool) -> None:
    assert a_service(type=type).exposed is exposed
