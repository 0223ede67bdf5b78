"""Flows as columns: what goes in comes out, in the order of files, by rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flow_table import FlowTable, Segment, table_of
from kubectl_netpolgen.analysis.flows import flow_order
from kubectl_netpolgen.model.flow import Direction, Flow, Outcome
from kubectl_netpolgen.model.network import Protocol
from tests.factories import a_flow

ADDRESSES = st.sampled_from(["10.244.1.5", "10.244.1.6", "fd00::5"])
COUNTS = st.integers(0, 2**63 - 1)
FLOWS = st.builds(
    a_flow,
    ADDRESSES,
    ADDRESSES,
    st.integers(1, 65535),
    capture=st.sampled_from(["captures/a", "captures/b"]),
    pod_uid=st.just("uid"),
    protocol=st.sampled_from(Protocol),
    client_ports=st.integers(1, 65535),
    packets_to_server=COUNTS,
    packets_to_client=COUNTS,
    bytes_to_server=COUNTS,
    bytes_to_client=COUNTS,
    first=COUNTS,
    last=COUNTS,
    direction=st.sampled_from(Direction),
    outcome=st.sampled_from(Outcome),
    connections=COUNTS,
    keys=st.lists(st.text("0123456789abcdefdut", min_size=1), max_size=2).map(tuple),
    dns=st.booleans(),
)


@given(st.lists(FLOWS), st.integers(0, 5))
def test_flows_come_out_as_they_went_in_and_in_the_order_of_files(flows: list[Flow], cut: int) -> None:
    flows.sort(key=flow_order)
    table = FlowTable()
    for capture in ("captures/b", "captures/a"):
        mine = [flow for flow in flows if flow.capture == capture]
        table.add(mine[cut:])
        table.add(mine[:cut])
    assert sorted(table, key=repr) == sorted(flows, key=repr)
    assert [flow_order(flow) for flow in table] == [flow_order(flow) for flow in flows]
    assert len(table) == len(flows)


@given(st.lists(FLOWS))
def test_rows_are_numbered_within_their_segments(flows: list[Flow]) -> None:
    table = table_of(flows)
    seen = []
    for segment in table.segments:
        for number, flow in enumerate(table.of(segment), segment.start):
            assert table.row(number) == flow
            assert (flow.capture, flow.pod_uid) == (segment.capture, segment.pod_uid)
            seen.append(number)
    assert sorted(seen) == list(range(len(flows)))


def test_segments_are_the_captures_by_name() -> None:
    table = table_of([a_flow(capture="b"), a_flow(capture="a"), a_flow(capture="b")])
    assert table.segments == (Segment("a", "uid-web-1", 2, 3), Segment("b", "uid-web-1", 0, 2))


def test_nothing_added_is_no_segment() -> None:
    table = FlowTable()
    table.add([])
    assert (len(table), list(table), table.segments) == (0, [], ())


@pytest.mark.parametrize("number", [-1, 1])
def test_row_that_is_not_there_is_an_error(number: int) -> None:
    with pytest.raises(IndexError, match="of 1"):
        table_of([a_flow()]).row(number)
