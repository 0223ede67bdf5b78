"""The whole way from conversations, tables and objects to edges; the traps of other tools, one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.derivation import Capture, derive_edges
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.bundle.derived import flow_lines
from kubectl_netpolgen.model.edge import Confidence, Edge, EndpointKind
from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.sockets import SocketState
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.analysis.boutique import synthesise
from tests.e2e.boutique.edges import ExpectedEdge
from tests.factories import (
    NOON,
    SECOND,
    a_capture,
    a_conversation,
    a_derivation,
    a_listener,
    a_network,
    a_pod,
    a_row,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    a_workload,
    address,
    an_answer,
    an_event,
    edge_words,
    networks_of,
)

WEB, API, DB = (
    a_pod("web-1", "10.244.1.5", "fd00::5"),
    a_pod("api-1", "10.244.1.6", "fd00::6"),
    a_pod("db-1", "10.244.1.7"),
)
OBJECTS: tuple[KubernetesObject, ...] = (
    *(WEB, API, DB, a_workload("web"), a_workload("api"), a_workload("db")),
    a_service("api", "10.96.0.10", ports=(a_service_port(5000, "http", name="grpc"),)),
    a_slice("api", API, ports=(("grpc", Protocol.TCP, 8080),)),
)
GATEWAY = address("10.244.1.1")


def test_one_call_through_a_service_is_one_edge_with_the_target_port() -> None:
    found = a_derivation(
        *OBJECTS,
        captures=[
            a_capture(WEB, a_conversation("10.244.1.5", "10.96.0.10", 5000)),
            a_capture(API, a_conversation("10.244.1.5", "10.244.1.6", 8080)),
        ],
    )
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    (edge,) = found.edges
    assert (edge.connections, edge.port, edge.dialled_ports) == (1, 8080, (5000,))
    assert [item.file for item in edge.evidence] == [
        "captures/uid-api-1/run.pcap",
        "captures/uid-web-1/run.pcap",
    ]
    assert found.findings == ()


def test_client_side_translation_gives_the_same_edges_as_the_nodes() -> None:
    by_node = a_derivation(
        *OBJECTS, captures=[a_capture(WEB, a_conversation("10.244.1.5", "10.96.0.10", 5000))]
    )
    by_socket = a_derivation(
        *OBJECTS, captures=[a_capture(WEB, a_conversation("10.244.1.5", "10.244.1.6", 8080))]
    )
    assert [edge.id for edge in by_node.edges] == [edge.id for edge in by_socket.edges]
    assert edge_words(by_node.edges) == edge_words(by_socket.edges)


def test_ipv6_is_an_edge_like_any_other() -> None:
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, a_conversation("fd00::5", "fd00::6", 8080))])
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    assert "ipv6.src==fd00::5" in found.edges[0].evidence[0].filter


def test_tcp_and_udp_on_one_port_are_two_edges() -> None:
    calls = a_conversation(server_port=53), a_conversation(server_port=53, protocol=Protocol.UDP)
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, *calls)])
    assert [edge.protocol for edge in found.edges] == [Protocol.TCP, Protocol.UDP]


def test_three_ports_and_two_outsiders_are_five_edges() -> None:
    calls = [a_conversation(server_port=port) for port in (80, 81, 82)]
    calls += [a_conversation(server=f"203.0.113.{last}", server_port=443) for last in (10, 20)]
    assert len(a_derivation(*OBJECTS, captures=[a_capture(WEB, *calls)]).edges) == 5


def test_failed_attempts_stand_apart_and_one_success_redeems_them() -> None:
    calls = (
        a_conversation(server="10.244.1.7", server_port=5432, outcome=Outcome.REFUSED),
        a_conversation(client_port=40001, outcome=Outcome.UNANSWERED),
        a_conversation(client_port=40002),
    )
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, *calls)])
    assert edge_words(found.edges) == [
        "shop/Deployment/web -> shop/Deployment/api 8080/TCP established",
        "shop/Deployment/web -> shop/Deployment/db 5432/TCP refused",
    ]


def test_ephemeral_flood_of_replies_is_one_edge() -> None:
    calls = [
        a_conversation(
            "10.244.1.6", "10.244.1.5", 40000 + number, client_port=8080, direction=Direction.HEURISTIC
        )
        for number in range(200)
    ]
    found = a_derivation(
        *OBJECTS, captures=[a_capture(API, *calls)], networks=[a_network(API, a_listener(8080))]
    )
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]


def test_address_that_was_handed_on_is_two_clients() -> None:
    batch = a_pod("batch-1", "10.244.1.5", created=NOON + 20 * SECOND)
    calls = a_conversation(), a_conversation(client_port=40001, first=NOON + 30 * SECOND)
    found = a_derivation(
        *OBJECTS,
        a_workload("batch"),
        captures=[a_capture(API, *calls)],
        events=[
            an_event(WEB, at=NOON + 10 * SECOND, type="DELETED"),
            an_event(batch, at=NOON + 21 * SECOND, type="ADDED"),
        ],
    )
    assert edge_words(found.edges) == [
        "shop/Deployment/batch -> shop/Deployment/api 8080/TCP established",
        "shop/Deployment/web -> shop/Deployment/api 8080/TCP established",
    ]


def test_completed_pod_gives_its_address_to_the_next() -> None:
    done = a_pod("job-1", "10.244.1.5", phase="Succeeded", owner=None)
    found = a_derivation(done, *OBJECTS, captures=[a_capture(API, a_conversation())])
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]


def test_backend_that_is_replaced_during_the_run_is_still_the_same_workload() -> None:
    young = a_pod("api-2", "10.244.1.8", created=NOON + 30 * SECOND)
    late: dict[str, Any] = {"client_port": 40001, "first": NOON + 40 * SECOND, "last": NOON + 41 * SECOND}
    found = a_derivation(
        *OBJECTS,
        captures=[
            a_capture(
                WEB,
                a_conversation("10.244.1.5", "10.96.0.10", 5000),
                a_conversation("10.244.1.5", "10.96.0.10", 5000, **late),
            ),
            a_capture(API, a_conversation()),
            a_capture(young, a_conversation("10.244.1.5", "10.244.1.8", **late)),
        ],
        events=[an_event(young, at=NOON + 31 * SECOND, type="ADDED")],
    )
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    assert found.edges[0].connections == 2


def test_probes_are_rows_of_their_own() -> None:
    probed = a_pod("api-1", "10.244.1.6", probe_ports=frozenset({8080}))
    found = a_derivation(
        *OBJECTS,
        probed,
        captures=[
            a_capture(API, a_conversation("10.244.1.1"), a_conversation("10.244.1.1", server_port=9000))
        ],
        networks=[a_network(API, gateways=frozenset({GATEWAY}))],
    )
    assert edge_words(found.edges) == [
        "node node-1 -> shop/Deployment/api 8080/TCP established probe",
        "node node-1 -> shop/Deployment/api 9000/TCP established",
    ]
    assert [finding.code for finding in found.findings] == ["node-origin"]


def test_clients_of_a_node_port_among_the_probes_are_told_by_their_number() -> None:
    probed = a_pod("api-1", "10.244.1.6", probe_ports=frozenset({8080}), probe_periods=((8080, 10),))

    def words(connections: int, kind: str) -> list[str]:
        service = a_service("api", "10.96.0.10", type=kind, ports=(a_service_port(5000, 8080),))
        calls = [
            a_conversation("10.244.1.1", client_port=41000 + number, last=NOON + 30 * SECOND)
            for number in range(connections)
        ]
        network = a_network(API, gateways=frozenset({GATEWAY}))
        found = a_derivation(*OBJECTS, service, probed, captures=[a_capture(API, *calls)], networks=[network])
        return edge_words(found.edges)

    alone = "node node-1 -> shop/Deployment/api 8080/TCP established"
    assert words(9, "NodePort") == [alone]
    assert words(5, "NodePort") == [f"{alone} probe"]
    # Nobody comes through the node to a Service that has no node port.
    assert words(9, "ClusterIP") == [f"{alone} probe"]


def test_server_on_its_nodes_network_is_the_workload_behind_the_service() -> None:
    agent = a_pod("agent-1", "10.89.0.11", host_network=True, node="node-2")
    found = a_derivation(
        *(WEB, agent, a_workload("web"), a_workload("agent")),
        Node("node-2", addresses=(address("10.89.0.11"),)),
        a_service("agent", "10.96.0.11"),
        a_slice("agent", agent),
        captures=[a_capture(WEB, a_conversation(server="10.96.0.11", server_port=80))],
    )
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/agent 8080/TCP established"]
    assert found.edges[0].server.host_network


def test_closed_connections_with_pods_that_are_no_more_are_said_and_no_edge() -> None:
    closed = [
        a_row(f"10.244.1.5:{port}", remote, state=SocketState.CLOSING)
        for port, remote in (
            (40000, "10.244.1.99:8080"),
            (40001, "10.244.1.99:8080"),
            (40002, "10.244.1.6:8080"),
        )
    ]
    node = Node("node-1", pod_ranges=("10.244.1.0/24",))
    timeline = Timeline((*OBJECTS, node), started=NOON)
    found = derive_edges([], networks_of(a_network(WEB, *closed)), timeline)
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    assert [finding.code for finding in found.findings] == ["closed-with-gone-pod"]


def test_connection_older_than_the_capture_is_found_in_both_tables() -> None:
    found = a_derivation(
        *OBJECTS,
        captures=[a_capture(WEB), a_capture(API)],
        networks=[
            a_network(WEB, a_row("10.244.1.5:40000", "10.96.0.10:5000")),
            a_network(API, a_listener(8080), a_row("10.244.1.6:8080", "10.244.1.5:40000")),
        ],
    )
    (edge,) = found.edges
    assert str(edge.server) == "shop/Deployment/api"
    assert (edge.port, edge.connections, edge.bytes, edge.confidence) == (8080, None, None, Confidence.HIGH)


def test_closed_connection_in_a_table_does_not_blur_what_the_packets_proved() -> None:
    canary = a_pod("canary-1", "10.244.1.9", labels={"app": "api"})
    both = a_slice("api", API, canary, ports=(("grpc", Protocol.TCP, 8080),))
    found = a_derivation(
        *OBJECTS,
        canary,
        a_workload("canary"),
        both,
        captures=[
            a_capture(WEB, a_conversation("10.244.1.5", "10.96.0.10", 5000)),
            a_capture(API, a_conversation()),
            a_capture(canary),
        ],
        networks=[a_network(WEB, a_row("10.244.1.5:40000", "10.96.0.10:5000")), a_network(canary)],
    )
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    assert [finding.code for finding in found.findings] == ["selector-misses-pods", "service-backend-unseen"]


def test_backend_that_had_no_connection_is_said_and_gets_no_edge() -> None:
    canary = a_pod("canary-1", "10.244.1.9", labels={"app": "api"})
    both = a_slice("api", API, canary, ports=(("grpc", Protocol.TCP, 8080),))
    found = a_derivation(
        *OBJECTS,
        canary,
        a_workload("canary"),
        both,
        captures=[
            a_capture(WEB, a_conversation("10.244.1.5", "10.96.0.10", 5000)),
            a_capture(API, a_conversation()),
        ],
    )
    assert edge_words(found.edges) == ["shop/Deployment/web -> shop/Deployment/api 8080/TCP established"]
    (finding,) = [item for item in found.findings if item.code == "service-backend-unseen"]
    assert "shop/Deployment/canary 8080/TCP" in finding.message


def test_outside_has_its_names_from_the_answers_of_the_same_pod() -> None:
    call = a_conversation(server="203.0.113.10", server_port=443)
    answers = (an_answer("api.example.test"), an_answer("web.shop.svc.cluster.local"))
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, call, names=answers)])
    assert edge_words(found.edges) == [
        "shop/Deployment/web -> 203.0.113.10 (api.example.test) 443/TCP established"
    ]


def test_unknown_private_address_stays_unknown() -> None:
    found = a_derivation(*OBJECTS, captures=[a_capture(WEB, a_conversation(server="10.9.8.7"))])
    assert edge_words(found.edges) == ["shop/Deployment/web -> 10.9.8.7 8080/TCP established"]


def test_metadata_address_is_not_dropped() -> None:
    call = a_conversation(server="169.254.169.254", server_port=80)
    assert len(a_derivation(*OBJECTS, captures=[a_capture(WEB, call)]).edges) == 1


def test_capture_says_what_could_not_be_read_or_expressed() -> None:
    lines = tuple(f"ICMP 10.244.1.5 > 10.9.8.{number}" for number in range(7))
    capture = a_capture(WEB, truncated="record 5 ends early", inexpressible=lines, cut_short=("only 1000",))
    stranger = a_capture("uid-nobody", truncated="cut")
    findings = a_derivation(*OBJECTS, captures=[capture, stranger]).findings
    assert sorted((finding.code, finding.subject) for finding in findings) == [
        ("capture-cut-short", "pod shop/web-1"),
        ("capture-truncated", "captures/uid-nobody/run.pcap"),
        ("capture-truncated", "captures/uid-web-1/run.pcap"),
        ("inexpressible-traffic", "pod shop/web-1"),
    ]
    (inexpressible,) = [finding for finding in findings if finding.code == "inexpressible-traffic"]
    assert inexpressible.message.endswith("ICMP 10.244.1.5 > 10.9.8.4 and 2 more")


def test_nothing_captured_is_nothing_found() -> None:
    found = a_derivation()
    assert (list(found.flows), found.edges, found.findings) == ([], (), ())


CALLS = st.builds(
    a_conversation,
    st.sampled_from(["10.244.1.5", "10.244.1.6", "10.244.1.1", "172.18.0.2", "203.0.113.10", "10.9.8.7"]),
    st.sampled_from(["10.244.1.5", "10.244.1.6", "10.96.0.10", "203.0.113.10", "10.9.8.7", "172.18.0.2"]),
    st.sampled_from([53, 5000, 8080]),
    client_port=st.integers(40000, 40003),
    protocol=st.sampled_from([Protocol.TCP, Protocol.UDP]),
    direction=st.sampled_from(Direction),
    outcome=st.sampled_from(Outcome),
    first=st.integers(NOON, NOON + SECOND),
)


@given(st.lists(CALLS, max_size=6), st.lists(CALLS, max_size=6), st.integers())
def test_order_of_files_objects_and_tables_does_not_matter(web: Any, api: Any, seed: int) -> None:
    captures: list[Capture] = [a_capture(WEB, *web), a_capture(API, *api), a_capture(DB)]
    networks = [
        a_network(WEB, a_row("10.244.1.5:40000", "10.96.0.10:5000"), gateways=frozenset({GATEWAY})),
        a_network(API, a_listener(8080), a_row("10.244.1.6:8080", "10.244.1.5:40000")),
    ]
    shuffle = random.Random(seed)
    first = a_derivation(*OBJECTS, captures=captures, networks=networks)
    objects = list(OBJECTS)
    for items in (captures, networks, objects):
        shuffle.shuffle(items)
    second = a_derivation(*objects, captures=captures, networks=networks)
    assert second.edges == first.edges
    assert list(flow_lines(second.flows)) == list(flow_lines(first.flows))
    assert set(second.findings) == set(first.findings)


@pytest.mark.parametrize("seed", range(30))
def test_application_gives_the_edges_that_its_captures_can_tell_and_no_other(seed: int) -> None:
    run = synthesise(seed)
    found = derive_edges(run.captures, networks_of(*run.networks), a_timeline(*run.objects))
    told = {
        _expected(edge)
        for edge in found.edges
        if edge.role is None
        and edge.client.kind is not EndpointKind.NODE
        and edge.server.kind is not EndpointKind.UNKNOWN
    }
    sure = {edge for edge in told if edge.outcome != "unknown"}
    assert run.knowable <= sure <= run.played
    # of what an edge's own flows cannot tell, there is a finding and no rule
    codes = {finding.code for finding in found.findings}
    vague = {replace(edge, outcome="established") for edge in told - sure}
    assert vague <= run.played
    assert not vague or "outcome-unknown" in codes
    assert ("ambiguous-backend" in codes) >= run.ambiguous


def _expected(edge: Edge) -> ExpectedEdge:
    server = edge.server.name or edge.server.address
    return ExpectedEdge(edge.client.name, server, edge.protocol.value, edge.port, edge.outcome.value)
