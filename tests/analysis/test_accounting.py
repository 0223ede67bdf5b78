"""Conversations in, flows, edges and findings out: whatever is recorded, it adds up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.accounting import tell_unplaced, unplaced
from kubectl_netpolgen.analysis.derivation import Capture, Derivation, derive_edges
from kubectl_netpolgen.analysis.edge_sums import EdgeSums
from kubectl_netpolgen.analysis.evidence import flow_filter
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.analysis.boutique import synthesise
from tests.factories import (
    NOON,
    SECOND,
    a_capture,
    a_conversation,
    a_derivation,
    a_flow,
    a_listener,
    a_network,
    a_pod,
    a_row,
    a_service,
    a_slice,
    a_timeline,
    a_workload,
    an_endpoint,
    an_event,
    networks_of,
)

WEB, API, HOST = (
    a_pod("web-1", "10.244.1.5", "fd00::5"),
    a_pod("api-1", "10.244.1.6"),
    a_pod("agent-1", "172.18.0.2", host_network=True),
)
HEIR = a_pod("heir-1", "10.244.1.6", created=NOON + 20 * SECOND)
OBJECTS: tuple[KubernetesObject, ...] = (
    *(WEB, API, HOST, a_workload("web"), a_workload("api")),
    a_service("api", "10.96.0.10"),
    a_slice("api", API),
    a_service("nobody", "10.96.0.11"),
)
ENDS = st.sampled_from(
    [
        *("10.244.1.5", "10.244.1.6", "10.244.1.1", "10.244.9.9", "172.18.0.2", "10.96.0.10", "10.96.0.11"),
        *("203.0.113.10", "10.9.8.7", "169.254.169.254", "fd00::5", "2001:db8::1"),
    ]
)
CALLS = st.builds(
    a_conversation,
    ENDS,
    ENDS,
    st.sampled_from([53, 80, 8080, 40001]),
    client_port=st.integers(40000, 40003),
    protocol=st.sampled_from(Protocol),
    direction=st.sampled_from(Direction),
    outcome=st.sampled_from(Outcome),
    keys=st.sampled_from([(), ("t00000001",), ("t00000001", "t00000002"), ("u40000",), ("d1",)]),
    first=st.integers(NOON - 400 * SECOND, NOON + 400 * SECOND),
)
UIDS = st.sampled_from([WEB.uid, API.uid, HOST.uid, HEIR.uid, "uid-nobody"])


def amounts(conversations: Sequence[Conversation]) -> tuple[int, int, int]:
    """Packets, bytes and connections."""
    return (
        sum(item.packets_to_server + item.packets_to_client for item in conversations),
        sum(item.bytes_to_server + item.bytes_to_client for item in conversations),
        sum(item.connections for item in conversations),
    )


def adds_up(captures: Sequence[Capture], found: Derivation) -> None:
    """What was heard is what flows hold, and each flow is evidence of an edge or told to be of none."""
    heard = [item for capture in captures for item in capture.contents.conversations]
    flows = list(found.flows)
    assert amounts(heard) == (
        sum(flow.packets for flow in flows),
        sum(flow.bytes for flow in flows),
        sum(flow.connections for flow in flows),
    )
    by_file = Counter(capture.file for capture in captures if capture.contents.conversations)
    assert {flow.capture for flow in flows} == set(by_file)
    assert [item for item in found.findings if item.code == "flow-without-edge"] == []
    shown = {(item.file, item.filter) for edge in found.edges for item in edge.evidence if item.filter}
    assert shown == {(flow.capture, flow_filter(flow)) for flow in flows}
    # nobody's counts are at two edges at once, so edges never say more than captures heard
    assert sum(edge.connections or 0 for edge in found.edges) <= amounts(heard)[2]


@given(st.dictionaries(UIDS, st.lists(CALLS, max_size=6), max_size=5), st.booleans())
def test_any_traffic_adds_up(heard: dict[str, list[Conversation]], handed_on: bool) -> None:
    captures = [a_capture(uid, *items) for uid, items in heard.items()]
    networks = [
        a_network(WEB, a_row("10.244.1.5:40000", "10.96.0.10:80")),
        a_network(API, a_listener(8080), a_row("10.244.1.6:8080", "10.244.1.5:40000")),
    ]
    events = [an_event(API, at=NOON + 10 * SECOND, type="DELETED"), an_event(HEIR, at=NOON + 21 * SECOND)]
    found = a_derivation(*OBJECTS, captures=captures, networks=networks, events=events if handed_on else ())
    adds_up(captures, found)


@pytest.mark.parametrize("seed", range(30))
def test_the_application_adds_up_whatever_is_lost_or_wrong(seed: int) -> None:
    run, chance = synthesise(seed), random.Random(seed)
    objects = [item for item in run.objects if chance.random() > 0.1]
    captures = []
    for capture in run.captures:
        items: list[Any] = list(capture.contents.conversations)
        for _ in range(chance.choice((0, 0, 3))):
            if items:
                at = chance.randrange(len(items))
                changes = (
                    {"outcome": chance.choice(tuple(Outcome))},
                    {"direction": chance.choice(tuple(Direction))},
                    {"first": 0},
                    {"server": items[0].client},
                    {"keys": items[0].keys},
                )
                items[at] = items[at]._replace(**chance.choice(changes))
        captures.append(a_capture(chance.choice((capture.pod_uid,) * 9 + ("nobody",)), *items))
    # a UID that two captures were given is one file of one pod only
    captures = list({capture.file: capture for capture in captures}.values())
    adds_up(captures, derive_edges(captures, networks_of(*run.networks), a_timeline(*objects)))


def test_flow_at_no_edge_would_be_an_error_of_ours_and_told() -> None:
    table = FlowTable()
    table.add([a_flow(), a_flow(server_port=9000)])
    sums = EdgeSums(table)
    rows = {flow.server_port: number for number, flow in enumerate(table.of(table.segments[0]))}
    sums.sum_of(
        (an_endpoint("web").identity, an_endpoint("api").identity, Protocol.TCP, 8080), NOON
    ).rows.append(rows[8080])
    (lost,) = unplaced(table, sums)
    assert lost.server_port == 9000
    (finding,) = tell_unplaced([lost])
    assert (finding.code, finding.subject) == ("flow-without-edge", lost.capture)
    assert "10.244.1.5 -> 10.244.1.6 9000/TCP" in finding.message
    sums.sum_of(
        (an_endpoint("web").identity, an_endpoint("api").identity, Protocol.TCP, 9000), NOON
    ).rows.append(rows[9000])
    assert tell_unplaced(unplaced(table, sums)) == ()
