"""Each flow and each socket becomes what it was: both ends named, the port translated, nothing guessed."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.analysis.flow_table import table_of
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.services import Translator
from kubectl_netpolgen.analysis.sightings import Sighting, Sightings, SocketPair, Vantage
from kubectl_netpolgen.model.edge import EndpointKind, Evidence, Role
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import Direction, Flow, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.sockets import PodNetwork, SocketState
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    a_bound,
    a_flow,
    a_listener,
    a_network,
    a_pod,
    a_port,
    a_row,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    a_workload,
    address,
    an_answer,
    networks_of,
)

WEB = a_pod("web-1", "10.244.1.5")
API = a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"),), probe_ports=frozenset({8080}))
CANARY = a_pod("canary-1", "10.244.1.7")
OBJECTS: tuple[KubernetesObject, ...] = (
    *(WEB, API, CANARY, a_workload("web"), a_workload("api"), a_workload("canary")),
    a_service("api", "10.96.0.10"),
    a_slice("api", API),
)
AMBIGUOUS = (*OBJECTS[:-1], a_slice("api", API, CANARY))
GATEWAY = address("10.244.1.1")
API_NETWORK = a_network(API, gateways=frozenset({GATEWAY}))


def found(
    *flows: Flow,
    objects: tuple[KubernetesObject, ...] = OBJECTS,
    networks: tuple[PodNetwork, ...] = (),
    told: frozenset[SocketPair] = frozenset(),
) -> tuple[list[Sighting], list[Finding]]:
    """The sightings of flows and tables, and the findings on the way."""
    timeline, tables = a_timeline(*objects), networks_of(*networks)
    names = Names({"uid-web-1": [an_answer("api.example.test", "203.0.113.10")]})
    table, identities = table_of(flows), Identities(timeline, tables)
    sightings = Sightings(identities, Translator(timeline, table, tables), Places(identities, names))
    of_flows = [item for number, flow in enumerate(flows) for item in sightings.of_flow(flow, number)]
    return [*of_flows, *sightings.of_sockets(tables, told)], sightings.findings


def words(*flows: Flow, **given: Any) -> list[str]:
    """`web > api 8080 established client`, one for each sighting."""
    return [
        f"{item.client.name or item.client.address} > {item.server.name or item.server.address} "
        f"{item.port} {item.outcome.value} {item.vantage.value}"
        + (f" {item.role.value}" if item.role else "")
        for item in found(*flows, **given)[0]
    ]


def at_api(client: str = "10.244.1.5", **changes: Any) -> Flow:
    """A flow to api-1 in its own capture."""
    return a_flow(client, "10.244.1.6", **{"pod_uid": "uid-api-1", "capture": "captures/api", **changes})


def test_flow_is_seen_from_the_client_or_from_the_server() -> None:
    assert words(a_flow(), at_api()) == [
        "web > api 8080 established client",
        "web > api 8080 established server",
    ]


def test_sighting_knows_pods_port_name_and_evidence() -> None:
    (item,) = found(a_flow())[0]
    assert (item.client_pod, item.server_pod, item.port_name) == ("uid-web-1", "uid-api-1", "http")
    assert (item.connections, item.bytes, item.first) == (1, 4600, NOON)
    assert item.evidence == 0


def test_service_port_becomes_the_pods_port() -> None:
    assert words(a_flow("10.244.1.5", "10.96.0.10", 80)) == ["web > api 8080 established client"]


def test_service_with_one_workload_behind_it_needs_no_servers_capture() -> None:
    second = a_pod("api-2", "10.244.1.8", labels={"app": "api"})
    objects = (*OBJECTS[:-1], second, a_slice("api", API, second))
    assert words(a_flow("10.244.1.5", "10.96.0.10", 80), objects=objects) == [
        "web > api 8080 established client"
    ]


def test_service_with_two_workloads_behind_it_is_not_guessed() -> None:
    items, findings = found(a_flow("10.244.1.5", "10.96.0.10", 80), objects=AMBIGUOUS)
    assert [(item.server.kind, item.server.address, item.port) for item in items] == [
        (EndpointKind.UNKNOWN, "10.96.0.10", 8080)
    ]
    (finding,) = findings
    assert (finding.code, finding.subject) == ("ambiguous-backend", "Service shop/api")
    assert "shop/Deployment/api 8080/TCP, shop/Deployment/canary 8080/TCP" in finding.message


def test_backends_that_differ_in_port_alone_are_not_guessed_either() -> None:
    newer = a_slice("api", a_pod("api-2", "10.244.1.8"), name="n", ports=(("", Protocol.TCP, 9090),))
    objects = (*OBJECTS, a_pod("api-2", "10.244.1.8"), newer)
    items, findings = found(a_flow("10.244.1.5", "10.96.0.10", 80), objects=objects)
    assert [(item.server.kind, item.port) for item in items] == [(EndpointKind.UNKNOWN, 80)]
    assert [finding.code for finding in findings] == ["ambiguous-backend"]


def test_servers_capture_settles_which_workload_it_was() -> None:
    dialled = a_flow("10.244.1.5", "10.96.0.10", 80)
    items, findings = found(dialled, at_api(), objects=AMBIGUOUS, networks=(a_network(CANARY),))
    assert {item.server.name for item in items} == {"api"}
    assert findings == []


def test_connections_that_only_an_uncaptured_workload_can_have_had_are_reported() -> None:
    dialled = a_flow("10.244.1.5", "10.96.0.10", 80, keys=("t00000001", "t00009c40"), connections=2)
    items, findings = found(dialled, at_api(), objects=AMBIGUOUS)
    assert {item.server.name for item in items} == {"api"}
    (finding,) = findings
    assert finding.code == "ambiguous-backend"
    assert finding.message.endswith(": shop/Deployment/canary 8080/TCP")


def test_flow_over_two_workloads_counts_and_ends_at_each_as_that_one_saw_it() -> None:
    dialled = a_flow("10.244.1.5", "10.96.0.10", 80, keys=("t00000001", "t00009c40"), connections=2)
    refused = a_flow(
        "10.244.1.5",
        "10.244.1.7",
        pod_uid="uid-canary-1",
        capture="captures/canary",
        keys=("t00000001",),
        outcome=Outcome.REFUSED,
    )
    items, _ = found(dialled, at_api(), refused, objects=AMBIGUOUS)
    by_server = {
        name: [(item.outcome, item.connections) for item in items if item.server.name == name]
        for name in ("api", "canary")
    }
    assert by_server == {
        "api": [(Outcome.UNKNOWN, 0), (Outcome.ESTABLISHED, 1)],
        "canary": [(Outcome.UNKNOWN, 0), (Outcome.REFUSED, 1)],
    }


def test_failed_attempt_on_a_service_without_endpoints_is_the_services() -> None:
    flow = a_flow("10.244.1.5", "10.96.0.10", 80, outcome=Outcome.REFUSED)
    (item,) = found(flow, objects=OBJECTS[:-1])[0]
    assert (item.server.kind, item.server.namespace, item.server.name) == (
        EndpointKind.SERVICE,
        "shop",
        "api",
    )
    assert item.port == 80


def test_service_that_answered_has_somebody_behind_it_who_stays_unknown() -> None:
    (item,) = found(a_flow("10.244.1.5", "10.96.0.10", 80), objects=OBJECTS[:-1])[0]
    assert (item.server.kind, str(item.server)) == (EndpointKind.UNKNOWN, "10.96.0.10 (api.shop.svc)")


def test_outside_has_the_names_that_this_pod_asked_for() -> None:
    (item,) = found(a_flow("10.244.1.5", "203.0.113.10", 443))[0]
    assert str(item.server) == "203.0.113.10 (api.example.test)"
    (other,) = found(a_flow("10.244.1.6", "203.0.113.10", 443, pod_uid="uid-api-1"))[0]
    assert other.server.names == ()


def test_api_server_is_one_server_by_whatever_way() -> None:
    service = a_service(
        "kubernetes", "10.96.0.1", namespace="default", selector={}, ports=(a_service_port(443, 6443),)
    )
    piece = a_slice(
        "kubernetes", a_pod("x", "172.18.0.2"), namespace="default", ports=(("", Protocol.TCP, 6443),)
    )
    flows = a_flow("10.244.1.5", "10.96.0.1", 443), a_flow("10.244.1.5", "172.18.0.2", 6443)
    items, _ = found(*flows, objects=(*OBJECTS, service, piece))
    assert {(item.server.kind, item.port) for item in items} == {(EndpointKind.API_SERVER, 6443)}
    unread = a_network(WEB, api_server=(address("10.96.0.1"), 443))
    assert [(item.server.kind, item.port) for item in found(flows[0], networks=(unread,))[0]] == [
        (EndpointKind.API_SERVER, 443)
    ]


@pytest.mark.parametrize(
    ("flow", "role"),
    [
        (at_api("10.244.1.1"), Role.PROBE),
        (at_api("172.18.0.2"), Role.PROBE),
        (at_api("10.244.1.1", server_port=9000), None),
        (at_api("172.18.0.3"), None),
        (at_api("10.244.1.5"), None),
        (at_api("10.244.1.1", protocol=Protocol.UDP), None),
    ],
)
def test_probe_comes_from_the_pods_own_node_to_a_probed_port(flow: Flow, role: Role | None) -> None:
    other = a_pod("other-1", "10.244.2.5", node="node-2", host_addresses=(address("172.18.0.3"),))
    (item,) = found(flow, objects=(*OBJECTS, other), networks=(API_NETWORK,))[0]
    assert item.role is role


def test_dns_keeps_its_role_with_and_without_rights_to_see_it() -> None:
    query = a_flow("10.244.1.5", "10.96.0.53", 53, protocol=Protocol.UDP, outcome=Outcome.ANSWERED)
    network = a_network(WEB, nameservers=frozenset({address("10.96.0.53")}))
    assert words(query, networks=(network,)) == [" > ".join(("web", "10.96.0.53 53 answered client dns"))]
    coredns = a_pod("coredns-1", "10.244.9.9", namespace="kube-system", labels={"k8s-app": "kube-dns"})
    dns: dict[str, Any] = {"namespace": "kube-system"}
    service = a_service(
        "kube-dns",
        "10.96.0.53",
        selector={"k8s-app": "kube-dns"},
        ports=(a_service_port(53, 5353, protocol=Protocol.UDP),),
        **dns,
    )
    piece = a_slice("kube-dns", coredns, ports=(("", Protocol.UDP, 5353),), **dns)
    seen = words(query, objects=(*OBJECTS, service, coredns, piece), networks=(network,))
    assert seen == ["web > coredns 5353 answered client dns"]
    assert words(query, objects=(*OBJECTS, service), networks=(network,))[0].endswith("dns")


def test_udp_one_way_to_a_bound_socket_got_through() -> None:
    flow = a_flow("10.244.1.5", "10.244.1.6", 8125, protocol=Protocol.UDP, outcome=Outcome.UNANSWERED)
    assert words(flow, networks=(a_network(API, a_bound(8125)),)) == ["web > api 8125 one-way client"]
    assert words(flow, networks=(a_network(API, a_bound(9999)),)) == ["web > api 8125 unanswered client"]
    assert words(flow) == ["web > api 8125 unanswered client"]


def test_rewritten_source_becomes_the_pod_behind_it() -> None:
    dialled, masked = a_flow("10.244.1.5", "10.96.0.10", 80), at_api("172.18.0.2")
    assert words(dialled, masked) == [
        "web > api 8080 established client",
        "web > api 8080 established server",
    ]


def test_node_stays_the_client_of_what_no_pod_explains() -> None:
    masked = at_api("172.18.0.3", keys=("t00000001", "t00009c40"), connections=2)
    other = a_pod("other-1", "10.244.2.5", node="node-2", host_addresses=(address("172.18.0.3"),))
    items, _ = found(a_flow("10.244.1.5", "10.96.0.10", 80), masked, objects=(*OBJECTS, other))
    assert [(item.client.name, item.connections) for item in items] == [("web", 1), ("web", 0), ("node-2", 2)]


def test_hairpin_through_the_own_service_is_an_edge_to_itself() -> None:
    dialled = a_flow("10.244.1.6", "10.96.0.10", 80, pod_uid="uid-api-1", capture="captures/api")
    hairpin = at_api("10.244.1.1")
    seen = words(dialled, hairpin, networks=(API_NETWORK,))
    assert seen == ["api > api 8080 established client", "api > api 8080 established server"]


NODE_PORT = (
    a_pod("web-1", "10.244.1.5", node="node1"),
    a_pod("api-1", "10.244.1.6", node="node2"),
    *(a_workload("web"), a_workload("api")),
    Node("node1", addresses=(address("10.89.0.11"),)),
    Node("node2", addresses=(address("10.89.0.12"),)),
    a_service("api", "10.96.0.10", type="NodePort", ports=(a_service_port(node_port=30080),)),
    a_slice("api", API),
)


def test_node_port_of_another_node_is_reached_by_that_nodes_address_and_ends_at_the_pod() -> None:
    assert words(a_flow(server="10.89.0.12", server_port=30080), objects=NODE_PORT) == [
        "web > node2 30080 established client",
        "web > api 8080 established client",
    ]


def test_node_port_of_the_own_node_is_translated_before_anybody_judges_it() -> None:
    assert words(a_flow(server="10.89.0.11", server_port=30080), objects=NODE_PORT) == [
        "web > api 8080 established client"
    ]


def test_source_rewritten_to_another_nodes_address_is_both_the_pod_and_that_node() -> None:
    dialled = a_flow(server="10.89.0.11", server_port=30080)
    assert words(dialled, at_api("10.89.0.11"), objects=NODE_PORT) == [
        "web > api 8080 established client",
        "web > api 8080 established server",
        "node1 > api 8080 established server",
    ]


def test_closed_connection_from_the_own_node_that_is_no_probe_needs_no_rule() -> None:
    network = a_network(
        API, a_listener(9000), a_row("10.244.1.6:9000", "10.244.1.1:40000"), gateways=frozenset({GATEWAY})
    )
    assert words(networks=(network,)) == []


@pytest.mark.parametrize("objects", [AMBIGUOUS, OBJECTS[:-1]], ids=["two-workloads", "no-endpoints"])
def test_older_connection_to_a_service_is_where_the_packets_of_later_ones_lead(objects: Any) -> None:
    table = a_network(WEB, a_row("10.244.1.5:39999", "10.96.0.10:80"))
    flows = (a_flow(server="10.96.0.10", server_port=80), at_api())
    assert words(*flows, networks=(table,), objects=objects) == [
        "web > api 8080 established client",
        "web > api 8080 established server",
    ]


def test_address_nobody_knows_keeps_the_names_it_was_asked_for() -> None:
    timeline = a_timeline(*OBJECTS)
    flow = a_flow(server="10.244.9.9")
    names = Names({"uid-web-1": [an_answer("db.other.svc.cluster.local", "10.244.9.9")]})
    table = table_of([flow])
    identities = Identities(timeline, {})
    sightings = Sightings(identities, Translator(timeline, table, {}), Places(identities, names))
    (item,) = sightings.of_flows(table)
    assert item.server.kind is EndpointKind.UNKNOWN
    assert item.server.names == ("db.other.svc.cluster.local",)


def test_socket_at_the_servers_end_names_the_client() -> None:
    network = a_network(API, a_listener(8080), a_row("10.244.1.6:8080", "10.244.1.5:40000"))
    (item,) = found(networks=(network,))[0]
    assert (item.client.name, item.server.name, item.port) == ("web", "api", 8080)
    assert (item.vantage, item.direction, item.outcome) == (
        Vantage.SOCKETS,
        Direction.LISTEN,
        Outcome.ESTABLISHED,
    )
    assert (item.evidence, item.port_name) == (Evidence("captures/uid-api-1/run.sockets"), "http")


def test_socket_at_the_clients_end_is_translated_by_both_tables() -> None:
    client = a_network(WEB, a_row("10.244.1.5:40000", "10.96.0.10:80"))
    server = a_network(CANARY, a_listener(8080), a_row("10.244.1.7:8080", "10.244.1.5:40000"))
    assert words(networks=(client, server), objects=AMBIGUOUS) == [
        "web > canary 8080 established sockets",
        "web > canary 8080 established sockets",
    ]


def test_socket_that_packets_tell_all_about_adds_nothing() -> None:
    network = a_network(WEB, a_row("10.244.1.5:40000", "10.96.0.10:80"))
    pair = ("uid-web-1", (address("10.244.1.5"), 40000), (address("10.96.0.10"), 80))
    turned = (pair[0], pair[2], pair[1])
    assert words(networks=(network,), objects=AMBIGUOUS, told=frozenset({pair})) == []
    assert words(networks=(network,), objects=AMBIGUOUS, told=frozenset({turned})) == []
    assert len(words(networks=(network,), objects=AMBIGUOUS, told=frozenset())) == 1


@pytest.mark.parametrize(
    "row",
    [
        a_row("127.0.0.1:40000", "127.0.0.1:8080"),
        a_row(state=SocketState.SYN_SENT),
        a_row(state=SocketState.SYN_RECV),
        a_row("10.244.1.5:40000", "0.0.0.0:0", state=SocketState.CLOSING),
        a_row(protocol=Protocol.UDP),
        a_listener(8080),
    ],
)
def test_sockets_without_a_connection_to_anyone_are_no_sightings(row: Any) -> None:
    assert words(networks=(a_network(WEB, row),)) == []


def test_tables_of_unknown_and_host_network_pods_are_left_alone() -> None:
    host = a_pod("agent-1", "172.18.0.2", host_network=True)
    networks = (
        a_network("uid-nobody", a_row()),
        a_network(host, a_row("172.18.0.2:40000", "10.244.1.6:8080")),
    )
    assert words(objects=(*OBJECTS, host), networks=networks) == []


def test_kubelets_closed_probe_in_a_table_is_a_probe() -> None:
    rows = a_listener(8080), a_row("10.244.1.6:8080", "10.244.1.1:50000", state=SocketState.CLOSING)
    (item,) = found(networks=(a_network(API, *rows, gateways=frozenset({GATEWAY})),))[0]
    assert item.role is Role.PROBE


def test_sockets_behind_a_sidecar_do_not_pass_for_the_ports_that_were_dialled() -> None:
    rows = (
        *(a_listener(port) for port in (15001, 15006, 8080)),
        a_row("10.244.1.6:15006", "10.244.1.5:40000"),
        a_row("10.244.1.6:8080", "10.244.1.5:40001"),
    )
    items, findings = found(networks=(a_network(API, *rows),))
    assert [item.port for item in items] == [8080]
    assert [item.code for item in findings] == ["mesh-sidecar"]
