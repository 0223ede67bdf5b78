"""What stands behind a Service's port, whatever kind of Service it is."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.backends import Backends, Target
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.declarations import Obstacle
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node, SliceEndpoint
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    a_workload,
    address,
    an_event,
)
from tests.factories_declarations import a_backend

POD = a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"),))


def backends(*objects: KubernetesObject) -> Backends:
    """Over these objects."""
    return Backends(Identities(a_timeline(*objects), {}))


def behind(*objects: KubernetesObject, port: int | str = 80, service: str = "api") -> tuple[Target, ...]:
    """What the Service api leads to."""
    return backends(*objects).of(a_backend(service, port))


def words(targets: tuple[Target, ...]) -> list[str]:
    """`shop/Deployment/api 8080/TCP`."""
    return [f"{item.endpoint} {item.port}/{item.protocol.value}" for item in targets]


@pytest.mark.parametrize(("target_port", "number"), [(8080, 8080), ("http", 8080), (9000, 9000)])
def test_service_leads_to_its_pods_own_port(target_port: int | str, number: int) -> None:
    service = a_service("api", ports=(a_service_port(80, target_port, name="web"),))
    for port in (80, "web"):
        (target,) = behind(POD, a_workload("api"), service, port=port)
        assert words((target,)) == [f"shop/Deployment/api {number}/TCP"]
        assert (target.pods, target.dialled, target.obstacle) == (("uid-api-1",), 80, Obstacle.NONE)
        assert target.port_name == ("http" if number == 8080 else "")


def test_pods_that_call_different_ports_by_one_name_are_two_targets() -> None:
    other = a_pod("api-2", "10.244.1.7", ports=(a_port(8081, "http"),))
    service = a_service("api", ports=(a_service_port(80, "http"),))
    assert words(behind(POD, other, service)) == [
        "shop/Deployment/api 8080/TCP",
        "shop/Deployment/api 8081/TCP",
    ]


def test_workloads_that_share_the_selector_are_all_behind_it() -> None:
    canary = a_pod("canary-1", "10.244.1.7", labels={"app": "api"})
    assert words(behind(POD, canary, a_service("api"))) == [
        "shop/Deployment/api 8080/TCP",
        "shop/Deployment/canary 8080/TCP",
    ]


def test_headless_service_is_dialled_on_the_pods_own_port() -> None:
    service = a_service("api", "", ports=(a_service_port(80, 8080),))
    assert words(behind(POD, service, port=8080)) == ["shop/Deployment/api 8080/TCP"]
    assert words(behind(POD, a_service("api"), port=8080)) == []


def test_port_that_the_service_has_not_leads_nowhere() -> None:
    assert behind(POD, a_service("api"), port=81) == ()
    assert behind(POD, a_service("api"), port="web") == ()


def test_tcp_comes_first_where_two_protocols_share_a_number() -> None:
    ports = (a_service_port(80, 8080, protocol=Protocol.UDP, name="u"), a_service_port(80, 8080, name="t"))
    assert words(behind(POD, a_service("api", ports=ports))) == ["shop/Deployment/api 8080/TCP"]
    assert words(behind(POD, a_service("api", ports=ports[:1]))) == ["shop/Deployment/api 8080/UDP"]


def test_pods_that_are_gone_are_not_behind_it() -> None:
    service = a_service("api")
    for gone in ({"phase": "Failed"}, {"deleting": True}):
        (target,) = behind(a_pod("api-1", **gone), service)
        assert (words((target,)), target.obstacle) == (["shop/Service/api 80/TCP"], Obstacle.SERVER_UNKNOWN)
    timeline = a_timeline(POD, service, events=[an_event(POD, type="DELETED")])
    (target,) = Backends(Identities(timeline, {})).of(a_backend())
    assert target.reason == "the Service leads nowhere at the moment"


def test_service_that_is_not_readable_stands_for_what_is_behind_it() -> None:
    (target,) = behind(port=5432)
    assert words((target,)) == ["shop/Service/api 5432/TCP"]
    assert (target.obstacle, target.reason) == (
        Obstacle.SERVER_UNKNOWN,
        "the Service is not there, or may not be read",
    )
    assert behind(port="db") == ()


def test_service_for_a_name_outside_says_so() -> None:
    service = a_service("api", "", type="ExternalName", selector={})
    (target,) = behind(service)
    assert (target.obstacle, target.reason) == (
        Obstacle.SERVER_UNKNOWN,
        "the Service leads outside the cluster",
    )


def test_slices_made_by_hand_name_pods_nodes_and_servers_outside() -> None:
    service = a_service("api", selector={})
    found = ("203.0.113.10", "10.244.1.6", "172.18.0.2", "10.1.1.1")
    slices = a_slice(
        "api",
        endpoints=tuple(SliceEndpoint((address(text),)) for text in found),
        ports=(("", Protocol.TCP, 5432), ("other", Protocol.TCP, 1)),
    )
    node = Node("node-1", (address("172.18.0.2"),))
    targets = behind(POD, service, slices, node)
    assert words(targets) == [
        "10.1.1.1 5432/TCP",
        "shop/Deployment/api 5432/TCP",
        "node node-1 5432/TCP",
        "203.0.113.10 5432/TCP",
    ]
    assert [item.obstacle is Obstacle.NONE for item in targets] == [False, True, True, True]
    assert targets[3].addresses == ("203.0.113.10",)
    assert targets[1].pods == ("uid-api-1",)


def test_api_server_without_readable_endpoints_asks_for_its_address() -> None:
    (target,) = backends().of(a_backend("kubernetes", 443, "default"))
    assert (target.obstacle, target.addresses) == (Obstacle.SERVER_UNKNOWN, ())


def test_pods_of_a_namespace_are_those_that_live() -> None:
    dead, elsewhere = a_pod("x-1", phase="Succeeded"), a_pod("y-1", namespace="other")
    found = backends(POD, dead, elsewhere)
    assert list(found.pods_in("shop")) == [POD]
    assert list(found.pods_in(None)) == [elsewhere, POD]
    assert list(found.pods_in("nobody's")) == []
