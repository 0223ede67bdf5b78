"""Addresses to endpoints: pods, nodes, the outside, the cluster's own servers, and honest ignorance."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import EndpointSlice, Node, SliceEndpoint
from kubectl_netpolgen.model.sockets import PodNetwork
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    a_network,
    a_pod,
    a_service,
    a_service_port,
    a_timeline,
    a_workload,
    address,
    networks_of,
)

WEB = a_pod("web-1")
API_SERVICE = a_service(
    "kubernetes", "10.96.0.1", namespace="default", selector={}, ports=(a_service_port(443, 6443),)
)
API_SLICE = EndpointSlice(
    "default",
    "kubernetes",
    "kubernetes",
    (SliceEndpoint((address("172.18.0.2"),)), SliceEndpoint((address("172.18.0.3"),))),
    (("https", Protocol.TCP, 6443),),
)
DNS = a_service(
    "kube-dns",
    "10.96.0.53",
    namespace="kube-system",
    selector={"k8s-app": "kube-dns"},
    ports=(a_service_port(53, 53, protocol=Protocol.UDP),),
)
COREDNS = a_pod("coredns-1", "10.244.9.9", namespace="kube-system", labels={"k8s-app": "kube-dns"})


def identities(*objects: KubernetesObject, networks: tuple[PodNetwork, ...] = ()) -> Identities:
    """What a bundle of the pod web-1 and these objects resolves."""
    return Identities(a_timeline(WEB, a_workload("web"), *objects), networks_of(*networks))


def resolved(found: Identities, text: str) -> Endpoint:
    """Who the address was at noon, as web-1 saw it."""
    return found.resolve(address(text), time=NOON, observer="uid-web-1")[0]


def test_pods_address_is_its_workload() -> None:
    endpoint, pod = identities().resolve(address("10.244.1.5"), time=NOON, observer="uid-web-1")
    assert endpoint == Endpoint(EndpointKind.WORKLOAD, owner_kind="Deployment", namespace="shop", name="web")
    assert pod == WEB


@pytest.mark.parametrize("text", ["172.18.0.2", "172.18.0.3", "fc00::3"])
def test_nodes_address_is_the_node(text: str) -> None:
    node = Node("node-2", (address("172.18.0.3"), address("fc00::3")))
    assert resolved(identities(node), text).kind is EndpointKind.NODE


def test_next_hop_of_a_pod_is_its_own_node_and_nobody_elses() -> None:
    found = identities(
        a_pod("api-1", "10.244.1.6", node="node-2"),
        networks=(
            a_network("uid-web-1", gateways=frozenset({address("10.244.1.1")})),
            a_network("uid-api-1"),
        ),
    )
    assert resolved(found, "10.244.1.1") == Endpoint(EndpointKind.NODE, name="node-1")
    other = found.resolve(address("10.244.1.1"), time=NOON, observer="uid-api-1")[0]
    assert other.kind is EndpointKind.UNKNOWN


@pytest.mark.parametrize("text", ["203.0.113.10", "2001:db8::10", "8.8.8.8"])
def test_address_of_the_outside_is_external_with_its_names(text: str) -> None:
    endpoint, pod = identities().resolve(
        address(text), time=NOON, observer="uid-web-1", names=("api.example.test",)
    )
    assert endpoint == Endpoint(EndpointKind.EXTERNAL, address=text, names=("api.example.test",))
    assert pod is None


@pytest.mark.parametrize("text", ["10.9.8.7", "192.168.1.1", "169.254.169.254", "fd00::9"])
def test_private_address_that_nobody_has_stays_unknown(text: str) -> None:
    assert resolved(identities(), text) == Endpoint(EndpointKind.UNKNOWN, address=text)


def test_public_address_out_of_a_nodes_pod_range_is_a_pod_that_nobody_knows() -> None:
    node = Node("node-2", pod_ranges=("203.0.113.0/24", "2001:db8:1::/64"))
    assert resolved(identities(node), "203.0.113.10").kind is EndpointKind.UNKNOWN
    assert resolved(identities(node), "2001:db8:1::5").kind is EndpointKind.UNKNOWN
    assert resolved(identities(node), "2001:db8::10").kind is EndpointKind.EXTERNAL


def test_api_server_is_known_by_its_service_and_its_endpoints() -> None:
    found = identities(API_SERVICE, API_SLICE)
    assert found.is_api_server(address("10.96.0.1"), 443)
    assert found.is_api_server(address("172.18.0.3"), 6443)
    assert not found.is_api_server(address("10.96.0.1"), 80)
    assert not found.is_api_server(address("172.18.0.3"), 443)


def test_api_server_is_known_by_the_environment_where_nothing_is_readable() -> None:
    found = identities(networks=(a_network("uid-web-1", api_server=(address("10.96.0.1"), 443)),))
    assert found.is_api_server(address("10.96.0.1"), 443)
    assert not found.api_endpoints


def test_dns_is_what_pods_have_as_nameserver() -> None:
    found = identities(
        a_service("other", "10.96.0.99", namespace="dns", selector={"a": "b"}),
        DNS,
        networks=(a_network("uid-web-1", nameservers=frozenset({address("10.96.0.99")})),),
    )
    assert found.dns_service is not None
    assert found.dns_service.name == "other"
    assert found.is_dns(address("10.96.0.99"), 53, Protocol.UDP)
    assert found.is_dns(address("10.96.0.99"), 53, Protocol.TCP)
    assert not found.is_dns(address("10.96.0.99"), 80, Protocol.TCP)
    assert not found.is_dns(address("10.9.8.7"), 53, Protocol.UDP)


def test_dns_is_kube_dns_where_no_pod_tells() -> None:
    found = identities(DNS)
    assert found.dns_service == DNS
    assert found.is_dns(address("10.96.0.53"), 53, Protocol.UDP)


def test_dns_without_rights_is_the_nameserver_alone() -> None:
    found = identities(networks=(a_network("uid-web-1", nameservers=frozenset({address("10.96.0.53")})),))
    assert found.dns_service is None
    assert found.is_dns(address("10.96.0.53"), 53, Protocol.UDP)


@pytest.mark.parametrize("policy", ["None", "Default"])
def test_resolver_of_a_pod_that_does_not_use_the_clusters_dns_is_a_server_like_any_other(policy: str) -> None:
    own = a_pod("own-1", "10.244.1.7", dns_policy=policy)
    found = identities(
        own,
        networks=(
            a_network("uid-web-1", nameservers=frozenset({address("10.96.0.53")})),
            a_network(own, nameservers=frozenset({address("10.9.8.7"), address("8.8.8.8")})),
        ),
    )
    assert found.nameservers == {"10.96.0.53"}
    assert not found.is_dns(address("10.9.8.7"), 53, Protocol.UDP)
    assert found.is_dns(address("10.96.0.53"), 53, Protocol.UDP)


def test_pods_behind_the_dns_service_have_its_role() -> None:
    found = identities(DNS, COREDNS, a_pod("fake-1", "10.244.1.8", labels={"k8s-app": "kube-dns"}))
    assert resolved(found, "10.244.9.9").role is Role.DNS
    assert resolved(found, "10.244.1.8").role is None
    assert resolved(found, "10.244.1.5").role is None


def test_service_without_a_selector_gives_no_pod_its_role() -> None:
    bare = a_service("kube-dns", "10.96.0.53", namespace="kube-system", selector={})
    assert resolved(identities(bare, COREDNS), "10.244.9.9").role is None


def test_probes_of_an_ambient_mesh_come_from_the_pods_own_node() -> None:
    for text in ("169.254.7.127", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff"):
        end, pod = identities().resolve(address(text), time=NOON, observer="uid-web-1")
        assert (end.kind, end.name, pod) == (EndpointKind.NODE, "node-1", None)
    end, _ = identities().resolve(address("169.254.7.127"), time=NOON, observer="uid-nobody")
    assert end.kind is EndpointKind.UNKNOWN
