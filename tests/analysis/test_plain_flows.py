"""The quick way for flows from pod to pod adds up to what their sightings do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.edge_sums import EdgeSums
from kubectl_netpolgen.analysis.flow_table import table_of
from kubectl_netpolgen.analysis.flows import build_flows
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.plain_flows import PlainFlows, add_flows
from kubectl_netpolgen.analysis.services import Translator
from kubectl_netpolgen.analysis.sightings import Sightings
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import Direction, Flow, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.sockets import PodNetwork
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.analysis.boutique import synthesise
from tests.factories import (
    NOON,
    SECOND,
    a_flow,
    a_listener,
    a_network,
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    a_workload,
    address,
    an_event,
    networks_of,
)

WEB, TWIN, API, CANARY = (
    a_pod("web-1", "10.244.1.5"),
    a_pod("web-2", "10.244.1.8", labels={"app": "web"}),
    a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"),), probe_ports=frozenset({8080})),
    a_pod("api-2", "10.244.1.7", labels={"app": "api"}, ports=(a_port(8080, "http"),)),
)
OBJECTS: tuple[KubernetesObject, ...] = (
    *(WEB, TWIN, API, CANARY, a_workload("web"), a_workload("api")),
    a_service("api", "10.96.0.10", ports=(a_service_port(80, 8080, node_port=30080),)),
    a_slice("api", API, CANARY),
    a_service("mixed", "10.96.0.11"),
    a_slice("mixed", API, WEB),
    Node("node1", (address("10.89.0.11"),)),
)
GATEWAY = address("10.244.1.1")
NETWORKS = (a_network(API, a_listener(8080), gateways=frozenset({GATEWAY})),)


class Run:
    """Both ways over the same flows."""

    def __init__(self, flows: list[Flow], timeline: Timeline, networks: dict[str, PodNetwork]) -> None:
        self.table, self.identities = table_of(flows), Identities(timeline, networks)
        self.places = Places(self.identities, Names({}))
        self.translator = Translator(timeline, self.table, networks)
        self.sightings = Sightings(self.identities, self.translator, self.places)
        self.sums = EdgeSums(self.table)
        self.plain = PlainFlows(self.identities, self.places, self.translator, self.sums)

    def each(self) -> tuple[tuple[Edge, ...], set[Finding]]:
        """Every flow by its sightings."""
        self.sums.add(self.sightings.of_flows(self.table))
        return self._result()

    def quickly(self) -> tuple[tuple[Edge, ...], set[Finding]]:
        """As the product does it."""
        add_flows(self.table, self.plain, self.sightings, self.sums)
        return self._result()

    def _result(self) -> tuple[tuple[Edge, ...], set[Finding]]:
        findings = {*self.sightings.findings, *self.sightings.unvisited(self.sums)}
        return self.sums.edges(self.identities), findings


ENDS = ["10.244.1.5", "10.244.1.6", "10.244.1.7", "10.244.1.8"]
FLOWS = st.builds(
    a_flow,
    st.sampled_from([*ENDS, GATEWAY, "10.89.0.11", "203.0.113.9", "10.9.8.7"]),
    st.sampled_from([*ENDS, "10.96.0.10", "10.96.0.11", "10.89.0.11", "203.0.113.9"]),
    st.sampled_from([80, 8080, 30080]),
    pod_uid=st.sampled_from(["uid-web-1", "uid-api-1", "uid-api-2"]),
    protocol=st.sampled_from([Protocol.TCP, Protocol.TCP, Protocol.UDP]),
    outcome=st.sampled_from(Outcome),
    direction=st.sampled_from([Direction.SYN, Direction.DECLARED]),
    first=st.integers(NOON, NOON + 5).map(lambda time: NOON + (time - NOON) * 20 * SECOND),
    keys=st.lists(st.sampled_from(["t1", "t2", "t3"]), max_size=2, unique=True).map(tuple),
).map(lambda flow: flow._replace(capture=f"captures/{flow.pod_uid}", last=flow.first + SECOND))


@given(st.lists(FLOWS, max_size=10), st.booleans())
def test_quick_way_finds_the_same_edges_and_findings(flows: list[Flow], left: bool) -> None:
    heir = a_pod("web-9", "10.244.1.7", labels={"app": "web"}, created=NOON + 50 * SECOND)
    events: Any = [
        an_event(CANARY, at=NOON + 50 * SECOND, type="DELETED"),
        an_event(heir, at=NOON + 50 * SECOND, type="ADDED"),
    ]
    timeline = a_timeline(*OBJECTS, events=events if left else ())
    networks = dict(networks_of(*NETWORKS))
    assert Run(flows, timeline, networks).quickly() == Run(flows, timeline, networks).each()


@pytest.mark.parametrize("seed", range(8))
def test_quick_way_finds_the_same_edges_of_a_whole_application(seed: int) -> None:
    run = synthesise(seed)
    timeline, networks = a_timeline(*run.objects), dict(networks_of(*run.networks))
    flows = [
        flow
        for capture in run.captures
        for flow in build_flows(capture.contents.conversations, capture=capture.file, pod_uid=capture.pod_uid)
    ]
    assert Run(flows, timeline, networks).quickly() == Run(flows, timeline, networks).each()


def taken(*flows: Flow) -> list[bool]:
    """Which flows the quick way took."""
    run = Run(list(flows), a_timeline(*OBJECTS), dict(networks_of(*NETWORKS)))
    found = []
    for number, flow in enumerate(run.table):
        found.append(run.plain.take(flow, number))
        if not found[-1]:
            run.sums.add(run.sightings.of_flow(flow, number))
            run.plain.meet(flow)
    return found


def test_second_flow_to_a_pod_is_quick() -> None:
    assert taken(a_flow(), a_flow(TWIN.addresses[0])) == [False, True]


def test_second_flow_to_a_service_of_one_workload_is_quick_when_the_servers_capture_has_it() -> None:
    served = a_flow(server="10.244.1.6", pod_uid="uid-api-1", capture="captures/a", keys=("t1",))
    dialled = a_flow(server="10.96.0.10", server_port=80, keys=("t1",))
    other = dialled._replace(first=dialled.first + 1)
    alone = dialled._replace(first=dialled.first + 2, keys=("t9",))
    assert taken(served, dialled, other, alone) == [False, False, True, False]


def test_service_of_two_workloads_udp_and_clients_that_are_no_pods_are_looked_at() -> None:
    mixed = a_flow(server="10.96.0.11", server_port=80)
    assert taken(mixed, mixed._replace(first=mixed.first + 1)) == [False, False]
    udp = a_flow(protocol=Protocol.UDP)
    assert taken(udp, udp._replace(first=udp.first + 1)) == [False, False]
    probe = a_flow(GATEWAY, "10.244.1.6", pod_uid="uid-api-1", capture="captures/z")
    assert taken(a_flow(), probe) == [False, False]


def test_client_whose_flows_were_quick_is_known_to_the_service_as_any_other() -> None:
    late = a_pod("late-1", "10.244.1.9")
    calls = [
        a_flow(client, server, port, pod_uid=uid, capture=f"captures/{uid}", keys=(f"t{client}",))
        for client, own in (("10.244.1.5", "uid-web-1"), ("10.244.1.9", "uid-late-1"))
        for server, port, uid in (("10.96.0.10", 80, own), ("10.244.1.6", 8080, "uid-api-1"))
    ]
    run = Run(calls, a_timeline(*OBJECTS, late), dict(networks_of(*NETWORKS)))
    run.quickly()
    dialled = [flow for flow in run.table if flow.server == "10.96.0.10"]
    assert all(run.plain.take(flow, 0) for flow in dialled)
    known = [
        run.translator.knows(run.identities.of_pod(pod), run.translator.of_flow(dialled[0]))
        for pod in (WEB, late, API)
    ]
    assert known == [True, True, False]
