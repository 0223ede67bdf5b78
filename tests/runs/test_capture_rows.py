from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.packets.reading import NotACapture
from kubectl_netpolgen.packets.selection import Ends
from kubectl_netpolgen.packets.tshark import find_tshark
from kubectl_netpolgen.runs.bundle_ends import BundleEnds
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
from kubectl_netpolgen.runs.inputs import Input, find_inputs
from tests.bundles import SERVICE_ADDRESS, a_bundle
from tests.commands.captures import OUTSIDE, PPP, a_quic_initial, write_capture
from tests.components import needs
from tests.factories import a_conversation, a_flow, an_answer
from tests.packets.factories import CLIENT, SERVER, Packet, a_pcap, tcp_close, tcp_handshake, udp
from tests.packets.quic_datagrams import INITIAL

NOTHING = Known(frozenset())
FLOWS = Plan(format=Format.JSONL)


@pytest.fixture
def capture(tmp_path: Path) -> Input:
    """Ten connections, and one more whose name only a dissector reads, in the middle of the rows."""
    path = tmp_path / "x.pcap"
    packets = [packet for port in range(1, 11) for packet in tcp_handshake(client_port=port)]
    path.write_bytes(
        a_pcap([*packets, udp(destination_port=443, payload=INITIAL), udp(destination_port=444)])
    )
    return Input(path, "label")


def an_input(directory: Path, packets: list[Packet], **parts: Any) -> Input:
    return Input(write_capture(directory / "a.pcap", packets, **parts), "a.pcap")


def pieces(capture: Input, plan: Plan, known: Known = NOTHING) -> list[str | Held]:
    with open_file(capture, plan) as reading:
        return list(write_rows(reading, plan, known))


def told(text: str | Held, field: str = "server") -> list[Any]:
    """A field of every row."""
    assert isinstance(text, str)
    return [json.loads(line)[field] for line in text.splitlines()]


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


def test_rows_are_whole_lines_in_pieces_of_a_bounded_size(tmp_path: Path) -> None:
    packets = [udp(CLIENT, 40000, f"10.1.{number >> 8}.{number & 255}", 53) for number in range(1100)]
    found = pieces(an_input(tmp_path, packets), FLOWS)
    assert [len(told(piece)) for piece in found] == [512, 512, 76]
    assert all(isinstance(piece, str) and piece.endswith("\n") for piece in found)


def test_a_filter_that_keeps_nothing_leaves_no_piece(capture: Input) -> None:
    assert pieces(capture, FLOWS._replace(filter=parse_filter("port 1", RowKind.FLOWS))) == []


def test_flows_that_a_dissector_may_name_wait_in_their_place(tmp_path: Path) -> None:
    packets = [udp(CLIENT, 50000, "10.0.0.1", 53), a_quic_initial(), udp(CLIENT, 50000, "223.0.0.1", 53)]
    item = an_input(tmp_path, packets)
    before, held, after = pieces(item, FLOWS._replace(dissects=True))
    assert (told(before), told(after)) == (["10.0.0.1"], ["223.0.0.1"])
    assert isinstance(held, Held)
    assert [places_of(row) for row in held.rows] == [
        {(Protocol.UDP, Address(CLIENT), -1, Address(OUTSIDE), 443)},
    ]
    (text,) = pieces(item, FLOWS)
    assert told(text) == ["10.0.0.1", OUTSIDE, "223.0.0.1"]


def test_a_waiting_row_is_not_filtered_before_it_has_its_names(tmp_path: Path) -> None:
    plan = FLOWS._replace(dissects=True, filter=parse_filter("name ~ *quic*", RowKind.FLOWS))
    (held,) = pieces(an_input(tmp_path, [a_quic_initial(), udp()]), plan)
    assert isinstance(held, Held)
    assert len(held.rows) == 1
    assert plan.text_of("a.pcap", held.rows) == ""


def test_names_wait_only_where_there_are_frames(tmp_path: Path) -> None:
    plan = FLOWS._replace(kind=RowKind.NAMES, dissects=True)
    assert pieces(an_input(tmp_path, [udp()]), plan) == []


@pytest.mark.parametrize("form", list(Format))
def test_each_format_has_its_writer(form: Format) -> None:
    text = Plan(format=form).text_of("a.pcap", [a_flow()])
    assert text.count("\n") == 1
    assert "10.244.1.6" in text


def test_it_is_the_same_place_whichever_end_is_the_client() -> None:
    ends = Ends(Protocol.TCP, Address("10.244.1.5"), 40000, Address("10.244.1.6"), 8080)
    turned = Ends(Protocol.TCP, Address("10.244.1.6"), 8080, Address("10.244.1.5"), 40000)
    for kind, row in ((RowKind.FLOWS, a_flow()), (RowKind.CONVERSATIONS, a_conversation())):
        assert set(places_of_ends(ends, kind)) == set(places_of_ends(turned, kind))
        assert places_of(row) <= set(places_of_ends(ends, kind))


def test_a_capture_without_packets_has_that_to_say(tmp_path: Path) -> None:
    item = an_input(tmp_path, [])
    with open_file(item, FLOWS) as reading:
        remarks = remarks_on(item, reading, FLOWS)
    assert [finding.code for finding in remarks.findings] == ["capture-empty"]
    assert (remarks.captures, remarks.differs) == (1, False)


def test_what_another_counts_otherwise_is_said_beside_a_files_own_findings(tmp_path: Path) -> None:
    program = tmp_path / "tshark"
    row = "\\t".join(["9", "eth:ip:udp", CLIENT, SERVER, "", "", "", "", "1", "2", "", ""])
    program.write_text(f"#!/bin/sh\nprintf '{row}\\n'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    plan = FLOWS._replace(verifier=program)
    item = an_input(tmp_path, [])
    with open_file(item, plan) as reading:
        remarks = remarks_on(item, reading, plan)
    assert [finding.code for finding in remarks.findings] == ["capture-empty", "counts-differ"]
    assert remarks.differs


@pytest.mark.parametrize("kind", [RowKind.FLOWS, RowKind.CONVERSATIONS])
def test_rows_that_a_bundle_turns_round_are_in_the_order_of_all_rows(tmp_path: Path, kind: RowKind) -> None:
    others = [tcp_handshake(CLIENT, 40000, f"10.96.0.{last}", 5000) for last in (9, 11)]
    # the guess would be that the higher port is the client's, and the row would be the first
    packets = [*others[0], *others[1], *tcp_close(CLIENT, 70, SERVICE_ADDRESS, 80)]
    a_bundle(tmp_path / "b", captures={"web-1": packets})
    (group,) = find_inputs(["b"], tmp_path).groups
    (item,) = group.inputs
    assert group.recorded is not None
    plan = Plan(kind=kind, format=Format.JSONL)
    (text,) = pieces(item, plan, Known(frozenset(), BundleEnds(group.recorded)))
    rows = list(zip(told(text, "server"), told(text, "serverPort"), told(text, "direction"), strict=True))
    assert rows == [
        ("10.96.0.9", 5000, "syn"),
        (SERVICE_ADDRESS, 80, "declared"),
        ("10.96.0.11", 5000, "syn"),
    ]
    (plain,) = pieces(item, plan)
    assert told(plain, "server") == [CLIENT, "10.96.0.9", "10.96.0.11"]


def test_what_is_no_capture_is_called_by_its_label(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    with pytest.raises(NotACapture, match=r"^a is no capture"):
        open_file(Input(tmp_path / "a", "a"), FLOWS)


@needs("tshark")
def test_only_link_types_that_are_not_read_go_through_tshark(tmp_path: Path) -> None:
    plan = FLOWS._replace(rare_links=find_tshark(os.environ))
    frames: Any = [b"\0\x21" + udp().ip]
    with open_file(an_input(tmp_path, frames, link=PPP), plan) as reading:
        assert (reading.packets, dict(reading.unread_links)) == (1, {})
        assert [str(flow.server) for flow in reading.flows()] == [SERVER]
    with open_file(an_input(tmp_path, frames, link=PPP), FLOWS) as reading:
        assert dict(reading.unread_links) == {PPP: 1}


@needs("tshark")
def test_a_pipe_whose_link_type_is_not_read_is_not_read_twice(tmp_path: Path) -> None:
    plan = FLOWS._replace(rare_links=find_tshark(os.environ))
    frames: Any = [b"\0\x21" + udp().ip]
    content = a_pcap(frames, link=PPP)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    with open_file(Input(pipe, "pipe"), plan) as reading:
        assert (reading.packets, dict(reading.unread_links)) == (1, {PPP: 1})
    writer.join()
