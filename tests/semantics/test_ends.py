"""Whom words and addresses name."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.objects import Node, ObjectKey
from kubectl_netpolgen.semantics.ends import End, EndKind, Ends, endpoint_end
from kubectl_netpolgen.semantics.subjects import cast_of
from tests.factories import a_pod, a_service, address

WEB = ObjectKey("Deployment", "shop", "web")
PODS = tuple(a_pod(f"web-{number}", f"10.244.1.{number}", f"fd00::{number}") for number in (1, 2))
ON_NODE = tuple(a_pod(f"agent-{n}", "172.18.0.2", host_network=True) for n in (1, 2))
MANIFESTS = Manifests(
    pods=(*PODS, a_pod("db-1", "10.244.1.9", owner=None), *ON_NODE),
    owners={pod.uid: WEB for pod in PODS},
    templates=(Template(ObjectKey("CronJob", "shop", "job"), {"app": "job"}),),
    services=(a_service("web", "10.96.0.10"), a_service("job", "10.96.0.11")),
    nodes=(Node("node-7", (address("172.18.0.7"),)),),
)
ENDS = Ends(MANIFESTS, cast_of(MANIFESTS, per_pod=True))


def named(end: End) -> list[str]:
    return [ENDS.pods.get(number, "") for number in end.members]


def test_pod_has_all_its_addresses_and_one_of_them_means_that_one() -> None:
    assert named(ENDS.pod("shop/web-1")) == ["shop/web-1"] * 2
    found = ENDS.address("FD00::1")
    assert (found.kind, found.pod, named(found)) == (EndKind.PODS, "shop/web-1", ["shop/web-1"])
    assert ENDS.families[found.members[0]] == 6


def test_workload_is_its_pods_or_its_template() -> None:
    assert set(named(ENDS.workload("shop/Deployment/web"))) == {"shop/web-1", "shop/web-2"}
    assert named(ENDS.workload("shop/CronJob/job")) == [""]
    assert ENDS.workload("shop/Pod/db-1").pod == "shop/db-1"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("10.96.0.10", EndKind.SERVICE),
        ("172.18.0.7", EndKind.NODE),
        ("172.18.0.2", EndKind.NODE),
        ("203.0.113.9", EndKind.OUTSIDE),
        ("10.244.7.7", EndKind.OUTSIDE),
        ("127.0.0.1", EndKind.UNKNOWN),
    ],
)
def test_address_is_a_pods_a_services_a_nodes_or_outside(text: str, kind: EndKind) -> None:
    assert ENDS.address(text).kind is kind


def test_address_of_several_pods_is_nobodys() -> None:
    manifests = Manifests(pods=(a_pod("a-1", "10.244.1.5"), a_pod("b-1", "10.244.1.5")))
    found = Ends(manifests, cast_of(manifests, per_pod=True)).address("10.244.1.5")
    assert found.kind is EndKind.UNKNOWN
    assert "shop/a-1, shop/b-1" in found.reason


def test_people_write_less() -> None:
    assert named(ENDS.spelled("db-1", namespace="shop")) == ["shop/db-1"]
    assert len(ENDS.spelled("shop/web").members) == 4
    assert ENDS.spelled("shop/Deployment/web").kind is EndKind.PODS
    assert ENDS.spelled("203.0.113.9").kind is EndKind.OUTSIDE
    assert ENDS.spelled("nobody").reason == "the manifests have no pod or workload default/nobody"


def test_name_of_several_is_nobodys() -> None:
    manifests = Manifests(pods=(a_pod("job", "10.244.1.5"),), templates=MANIFESTS.templates)
    found = Ends(manifests, cast_of(manifests, per_pod=True)).spelled("shop/job")
    assert found.kind is EndKind.UNKNOWN
    assert "shop/CronJob/job, shop/Pod/job" in found.reason


def test_node_by_name() -> None:
    assert ENDS.node("node-7").address == "172.18.0.7"
    assert ENDS.node("node-8").kind is EndKind.UNKNOWN


def test_service_leads_to_pods_and_only_without_any_to_templates() -> None:
    web, job = (ENDS.behind(service) for service in MANIFESTS.services)
    assert {ENDS.pods[number] for number in web} == {"shop/web-1", "shop/web-2"}
    assert [ENDS.pods.get(number) for number in job] == [None]
    assert ENDS.behind(a_service("web", selector={})) == ()


def test_endpoint_of_json_has_one_of_three_shapes() -> None:
    assert endpoint_end(ENDS, {"pod": "shop/web-1"}).pod == "shop/web-1"
    assert endpoint_end(ENDS, {"workload": "shop/x/y"}).kind is EndKind.UNKNOWN
    assert endpoint_end(ENDS, {"address": "8.8.8.8"}).kind is EndKind.OUTSIDE
    with pytest.raises(ValueError, match="an endpoint is"):
        endpoint_end(ENDS, {"service": "shop/web"})
