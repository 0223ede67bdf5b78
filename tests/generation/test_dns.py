"""The rule that lets a workload resolve names, seen or assumed."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.generation.dns import DnsTarget, covered, dns_rule, find_dns, is_dns_edge, node_local
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock, Peer, PolicyPort
from kubectl_netpolgen.model.selector import labels_selector
from tests.factories import (
    a_network,
    a_pod,
    a_service,
    a_service_port,
    a_slice,
    address,
    an_edge,
    an_endpoint,
    an_external,
    an_unknown,
)
from tests.generation.factories import identities_of, kube_dns

KUBE_SYSTEM = labels_selector({"kubernetes.io/metadata.name": "kube-system"})
COREDNS = Peer(pod_selector=labels_selector({"k8s-app": "kube-dns"}), namespace_selector=KUBE_SYSTEM)
UDP, TCP = Protocol.UDP, Protocol.TCP


def query(server: Endpoint, **changes: Any) -> Edge:
    """A lookup by web."""
    return an_edge(server=server, **{"port": 53, "protocol": UDP, "role": Role.DNS, **changes})


def target(*nameservers: str, objects: tuple[Any, ...] = (), namespace: str = "shop") -> DnsTarget:
    """Where DNS is for a namespace whose pods have these nameservers."""
    network = a_network(nameservers=frozenset(address(item) for item in nameservers))
    return find_dns(identities_of(*objects, networks=(network,)), namespace)


def test_readable_service_is_taken_by_its_own_selector() -> None:
    found = target("10.96.0.53", objects=(kube_dns(),))
    assert (found.peer, found.ports, found.known) == (COREDNS, (53,), True)
    assert found.addresses == ("10.96.0.53",)


def test_unreadable_service_is_assumed_where_kubeadm_puts_it() -> None:
    found = target("10.96.0.53")
    assert (found.peer, found.ports, found.known) == (COREDNS, (53,), False)


def test_dns_of_the_policys_own_namespace_needs_no_namespace_selector() -> None:
    found = target(objects=(kube_dns(),), namespace="kube-system")
    assert found.peer == Peer(pod_selector=labels_selector({"k8s-app": "kube-dns"}))


def test_port_is_the_pods_own() -> None:
    openshift = a_service(
        "dns-default",
        "172.30.0.10",
        namespace="openshift-dns",
        selector={"dns.operator.openshift.io/daemonset-dns": "default"},
        ports=(
            a_service_port(53, "dns", name="dns", protocol=UDP),
            a_service_port(53, "dns-tcp", name="dns-tcp"),
            a_service_port(9154, "metrics", name="metrics"),
        ),
    )
    piece = a_slice(
        "dns-default",
        a_pod("dns-1"),
        namespace="openshift-dns",
        ports=(("dns", UDP, 5353), ("dns-tcp", TCP, 5353), ("metrics", TCP, 9154)),
    )
    assert target("172.30.0.10", objects=(openshift, piece)).ports == (5353,)
    assert target("172.30.0.10", objects=(openshift,)).ports == (53,)


def test_target_port_by_number_needs_no_slice() -> None:
    service = a_service("kube-dns", namespace="kube-system", ports=(a_service_port(53, 1053, protocol=UDP),))
    assert target(objects=(service,)).ports == (1053,)


def test_node_local_resolver_is_an_address_beside_the_pods() -> None:
    found = target("169.254.20.10", "10.96.0.53", objects=(kube_dns(),))
    assert found.extra == (Peer(ip_block=IPBlock("169.254.20.10/32")),)
    rule, _ = dns_rule(found, ())
    assert rule.peers == (COREDNS, *found.extra)


def test_service_without_a_selector_tells_nothing() -> None:
    bare = a_service("kube-dns", "10.96.0.53", namespace="kube-system", selector={})
    assert not target(objects=(bare,)).known


def test_rule_has_both_protocols_since_long_answers_come_by_tcp() -> None:
    rule, _ = dns_rule(target(objects=(kube_dns(),)), ())
    assert rule.ports == (PolicyPort(UDP, 53), PolicyPort(TCP, 53))


def test_ports_that_were_seen_join_those_that_are_known() -> None:
    rule, _ = dns_rule(target("10.96.0.53"), (query(an_unknown("10.96.0.53"), port=5353),))
    assert {port.port for port in rule.ports} == {53, 5353}


@pytest.mark.parametrize(
    ("known", "protocols", "assumed"),
    [(True, (UDP, TCP), False), (True, (UDP,), True), (True, (), True), (False, (UDP, TCP), True)],
)
def test_what_was_not_seen_is_assumed(known: bool, protocols: tuple[Protocol, ...], assumed: bool) -> None:
    found = target(objects=(kube_dns(),) if known else ())
    seen = tuple(query(an_unknown(), protocol=protocol) for protocol in protocols)
    assert dns_rule(found, seen)[1] is assumed


def test_dns_edge_is_told_by_its_role_or_its_servers() -> None:
    assert is_dns_edge(query(an_unknown()))
    assert is_dns_edge(an_edge(server=an_endpoint("coredns", role=Role.DNS)))
    assert not is_dns_edge(an_edge(port=53, protocol=UDP))


@pytest.mark.parametrize(
    ("server", "known", "speaks"),
    [
        (an_unknown("10.96.0.53"), False, True),
        (an_unknown("10.96.0.53"), True, True),
        (an_unknown("10.9.8.7"), False, False),
        (an_unknown("10.9.8.7"), True, False),
        (an_unknown("169.254.20.10"), True, True),
        (an_unknown("169.254.9.9"), True, False),
        (an_unknown("169.254.9.9"), False, False),
        (an_endpoint("coredns", namespace="kube-system"), True, True),
        (an_endpoint("coredns", namespace="kube-system"), False, False),
        (an_external("8.8.8.8"), True, False),
        (an_external("8.8.8.8"), False, False),
        (Endpoint(EndpointKind.NODE, name="node-1"), True, False),
    ],
)
def test_rule_speaks_for_the_clusters_own_dns_and_no_other(
    server: Endpoint, known: bool, speaks: bool
) -> None:
    found = target("10.96.0.53", "169.254.20.10", objects=(kube_dns(),) if known else ())
    assert covered(query(server), found) is speaks


def test_private_resolver_beside_the_clusters_own_is_not_spoken_for_though_pods_have_it() -> None:
    beside = query(an_unknown("10.9.8.7"))
    assert not covered(beside, target("10.96.0.53", "10.9.8.7", objects=(kube_dns(),)))
    assert covered(beside, target("10.9.8.7"))


def test_rule_speaks_for_nothing_but_lookups() -> None:
    assert not covered(an_edge(server=an_unknown("10.96.0.53")), target())


def test_node_local_resolvers_are_link_local() -> None:
    assert node_local(query(an_unknown("169.254.20.10"))) == "169.254.20.10"
    assert node_local(query(an_unknown("10.96.0.53"))) is None
