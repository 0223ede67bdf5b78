from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.packets.selection import Ends
from kubectl_netpolgen.runs.capture_rows import (
    Format,
    Held,
    Known,
    Plan,
    open_file,
    places_of,
    places_of_ends,
    remarks_on,
    write_rows,
)
from kubectl_netpolgen.runs.inputs import Input
from tests.factories import a_conversation, an_answer
from tests.packets.factories import a_pcap, tcp_handshake, udp
from tests.packets.quic_datagrams import INITIAL

NOTHING = Known(frozenset())


@pytest.fixture
def capture(tmp_path: Path) -> Input:
    """Ten connections, and one more whose name only a dissector reads, in the middle of the rows."""
    path = tmp_path / "x.pcap"
    packets = [packet for port in range(1, 11) for packet in tcp_handshake(client_port=port)]
    path.write_bytes(
        a_pcap([*packets, udp(destination_port=443, payload=INITIAL), udp(destination_port=444)])
    )
    return Input(path, "label")


def pieces(capture: Input, plan: Plan) -> list[str | Held]:
    with open_file(capture, plan) as reading:
        return list(write_rows(reading, plan, NOTHING))


def test_rows_are_text_and_those_that_wait_are_held_at_their_place(capture: Input) -> None:
    plan = Plan(kind=RowKind.CONVERSATIONS, format=Format.JSONL)
    (text,) = pieces(capture, plan)
    assert isinstance(text, str)
    assert text.count('"file":"label"') == 12
    before, held, after = pieces(
        capture, Plan(kind=RowKind.CONVERSATIONS, format=Format.JSONL, dissects=True)
    )
    assert isinstance(held, Held)
    assert isinstance(before, str)
    assert isinstance(after, str)
    assert (before.count("\n"), len(held.rows), after.count("\n")) == (10, 1, 1)
    (names,) = pieces(capture, Plan(kind=RowKind.NAMES, dissects=True))
    assert names == Held("label", ())


def test_a_filter_keeps_what_it_holds_for(capture: Input) -> None:
    kind = RowKind.CONVERSATIONS
    plan = Plan(kind=kind, format=Format.JSONL, filter=parse_filter("clientport in 3-5", kind))
    (text,) = pieces(capture, plan)
    assert isinstance(text, str)
    assert text.count("\n") == 3


def test_frames_and_findings_are_what_a_file_says_beside_its_rows(capture: Input) -> None:
    for dissects, frames in ((True, 1), (False, 0)):
        plan = Plan(dissects=dissects)
        with open_file(capture, plan) as reading:
            remarks = remarks_on(capture, reading, plan)
        assert (len(remarks.frames), remarks.findings, remarks.differs, remarks.captures) == (
            frames,
            (),
            False,
            1,
        )


def test_places_meet_where_rows_and_frames_do() -> None:
    row = a_conversation("10.0.0.1", "10.0.0.2", 443, protocol=Protocol.UDP)
    ends = Ends(Protocol.UDP, Address("10.0.0.2"), 443, Address("10.0.0.1"), 40000)
    assert places_of(row) & set(places_of_ends(ends, RowKind.CONVERSATIONS))
    assert not places_of(row) & set(places_of_ends(ends, RowKind.FLOWS))
    assert places_of(an_answer()) == set()
