"""The packets that show an edge: exactly one flow's, each once, in one order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.evidence import ShownByFlows, flow_evidence, flow_filter, sorted_evidence
from kubectl_netpolgen.analysis.flow_table import table_of
from kubectl_netpolgen.model.edge import Evidence
from kubectl_netpolgen.model.network import Protocol
from tests.factories import a_flow


def test_filter_shows_both_directions_of_a_flow() -> None:
    assert flow_filter(a_flow("fd00::5", "fd00::6", 53, protocol=Protocol.UDP)) == (
        "(ipv6.src==fd00::5 && ipv6.dst==fd00::6 && udp.dstport==53) || "
        "(ipv6.src==fd00::6 && ipv6.dst==fd00::5 && udp.srcport==53)"
    )


def test_flow_is_shown_by_its_file_its_filter_and_the_number_of_its_packets() -> None:
    assert flow_evidence(a_flow()) == Evidence("captures/uid-web-1/run.pcap", flow_filter(a_flow()), 10)


FLOWS = [a_flow(capture="b"), a_flow(capture="a", server_port=2), a_flow(capture="a", server_port=1)]


def test_evidence_is_made_of_rows_when_it_is_looked_at() -> None:
    shown = ShownByFlows(table_of(FLOWS), [0, 2, 0])
    expected = [flow_evidence(table_of(FLOWS).row(number)) for number in (0, 2)]
    assert sorted(shown, key=repr) == sorted(expected, key=repr)
    assert [item.file for item in shown] == ["a", "b"]
    assert len(shown) == 2
    assert (shown[0], shown[:1]) == (next(iter(shown)), list(shown)[:1])
    with pytest.raises(IndexError):
        shown[2]


@given(st.integers(0, 6), st.slices(6))
def test_the_first_few_are_the_same_when_they_are_kept(length: int, wanted: slice) -> None:
    shown = ShownByFlows(table_of([a_flow(server_port=number) for number in range(1, 7)]), range(length))
    every = list(shown)
    assert shown[wanted] == every[wanted]
    assert shown[:3] == every[:3]


def test_evidence_is_equal_to_whatever_shows_the_same() -> None:
    first, second = ShownByFlows(table_of(FLOWS), [0, 1]), ShownByFlows(table_of(FLOWS), [1, 0])
    assert first == second == tuple(first)
    assert first != ShownByFlows(table_of(FLOWS), [0])
    assert first != "captures/b"


def test_evidence_is_sorted_by_file_and_filter_and_each_is_there_once() -> None:
    items = [Evidence("b"), Evidence("a", "y"), Evidence("a", "x"), Evidence("b")]
    assert sorted_evidence(items) == [Evidence("a", "x"), Evidence("a", "y"), Evidence("b")]
