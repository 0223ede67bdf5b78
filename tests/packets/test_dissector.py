from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.dissector import (
    DissectedName,
    PacketName,
    _decode_as,
    dissect_names,
    pcap_bytes,
    read_names,
)
from kubectl_netpolgen.packets.selection import MOST_FRAMES, Ends, SelectedFrame
from kubectl_netpolgen.packets.tshark import find_tshark
from tests.components import needs
from tests.packets.factories import (
    ACK,
    CLIENT,
    CNAME,
    LINUX_SLL,
    SERVER,
    START,
    A,
    Packet,
    a_frame,
    dns_message,
    dns_name,
    tcp,
    udp,
)
from tests.packets.factories_names import SERVER_NAME, a_client_hello, a_dtls_client_hello, over_tcp
from tests.packets.quic_datagrams import FIRST_OF_TWO, INITIAL, SECOND_OF_TWO

TSHARK = find_tshark(os.environ)


def a_selected(
    packet: Packet,
    *,
    file: str = "a.pcap",
    source: NameSource = NameSource.QUIC,
    protocol: Protocol = Protocol.UDP,
    port: int = 443,
    client_port: int = 40000,
    link: int = 1,
) -> SelectedFrame:
    frame = a_frame(packet, link=link)
    ends = Ends(protocol, Address(CLIENT), client_port, Address(SERVER), port)
    return SelectedFrame(file, frame, link, packet.time, len(frame), source, ends)


def an_initial(
    payload: bytes = INITIAL, *, port: int = 443, client_port: int = 40000, **more: object
) -> SelectedFrame:
    packet = udp(CLIENT, client_port, SERVER, port, payload=payload)
    return a_selected(packet, port=port, client_port=client_port, **more)  # type: ignore[arg-type]


def a_segment(payload: bytes, source: NameSource, port: int) -> SelectedFrame:
    packet = tcp(CLIENT, 40000, SERVER, port, flags=ACK, payload=payload)
    return a_selected(packet, source=source, protocol=Protocol.TCP, port=port)


def said(*frames: SelectedFrame) -> list[tuple[str, str, str]]:
    names, findings = dissect_names(frames, program=TSHARK)
    assert findings == ()
    return [(name.file, name.said.name, name.said.source.value) for name in names]


def a_layer(name: str, fields: dict[str, Any], *others: dict[str, Any]) -> SimpleNamespace:
    """A layer as pyshark has it, with further ones of its kind beside it."""
    beside = [SimpleNamespace(_all_fields=other) for other in others]
    return SimpleNamespace(layer_name=name, _all_fields=fields, duplicate_layers=beside)


def read_layers(*layers: SimpleNamespace) -> list[PacketName]:
    return list(read_names(SimpleNamespace(layers=layers)))


def test_no_frames_need_no_program() -> None:
    assert dissect_names((), program=None) == ((), ())


def test_an_absent_tshark_is_a_note_that_says_what_is_not_known() -> None:
    names, findings = dissect_names((an_initial(), an_initial(client_port=2)), program=None)
    assert names == ()
    assert [(finding.code, finding.subject) for finding in findings] == [("tshark-absent", "2 frames")]
    assert "quic" in findings[0].message


@needs("tshark")
def test_a_quic_initial_tells_the_server_name() -> None:
    frame = an_initial()
    expected = PacketName("quic.example.test", NameSource.QUIC)
    assert dissect_names((frame,), program=TSHARK) == (
        (DissectedName("a.pcap", frame.ends, expected, START),),
        (),
    )


@needs("tshark")
def test_a_quic_hello_over_two_initials_is_read_on_any_port() -> None:
    frames = [an_initial(payload, port=8843) for payload in (FIRST_OF_TWO, SECOND_OF_TWO)]
    assert said(*frames) == [("a.pcap", "two.example.test", "quic")]


@needs("tshark")
def test_the_same_datagram_in_two_files_names_both_even_where_an_address_was_translated() -> None:
    here = an_initial()
    there = an_initial(client_port=50000, file="b.pcap")
    assert said(here, there) == [(file, "quic.example.test", "quic") for file in ("a.pcap", "b.pcap")]


@needs("tshark")
def test_frames_of_several_link_types_are_read_in_their_order() -> None:
    frames = (an_initial(link=LINUX_SLL, file="z.pcap"), an_initial(client_port=1, file="a.pcap"))
    assert [file for file, _, _ in said(*frames)] == ["z.pcap", "a.pcap"]


@needs("tshark")
def test_other_protocols_are_read_on_the_ports_where_they_were_selected() -> None:
    assert said(
        a_segment(a_client_hello(), NameSource.SNI, 7443),
        a_segment(b"GET / HTTP/1.1\r\nHost: Web.shop:8000\r\n\r\n", NameSource.HTTP, 7080),
        a_selected(
            udp(CLIENT, 40000, SERVER, 7444, payload=a_dtls_client_hello()), source=NameSource.SNI, port=7444
        ),
    ) == [("a.pcap", SERVER_NAME, "sni"), ("a.pcap", "web.shop", "http"), ("a.pcap", SERVER_NAME, "sni")]


@needs("tshark")
def test_dns_over_tcp_in_odd_places_tells_addresses() -> None:
    records = [(SERVER_NAME, CNAME, dns_name("b.test")), ("b.test", A, bytes((192, 0, 2, 1)))]
    stream = over_tcp(dns_message(SERVER_NAME, response=True, records=records))
    names, findings = dissect_names((a_segment(stream, NameSource.DNS, 5300),), program=TSHARK)
    assert findings == ()
    assert [name.said for name in names] == [
        PacketName(SERVER_NAME, NameSource.DNS, Address("192.0.2.1"), ("b.test",))
    ]


@needs("tshark")
def test_noise_says_nothing_and_breaks_nothing() -> None:
    noise = [an_initial(INITIAL[:40] + bytes(1160)), an_initial(b"\xff" * 1300), an_initial(b"")]
    assert said(*noise, an_initial(client_port=9)) == [("a.pcap", "quic.example.test", "quic")]


def test_a_program_that_fails_or_lies_is_a_finding(tmp_path: Path) -> None:
    for script in ("exit 3", 'echo "[\n  {\n  },"', "exec sleep 60"):
        program = tmp_path / "tshark"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        names, findings = dissect_names((an_initial(),), program=program, seconds=1)
        assert names == ()
        assert [finding.code for finding in findings] == ["names-incomplete"], script


def test_the_file_for_tshark_keeps_times_and_lengths() -> None:
    frame = a_selected(udp(time=START + 5))._replace(wire=9000)
    written = pcap_bytes(113, [frame])
    assert written[20:24] == (113).to_bytes(4, "little")
    assert written[24:40] == b"".join(
        number.to_bytes(4, "little") for number in (START // 10**9, 5, len(frame.frame), 9000)
    )
    assert written[40:] == frame.frame


def test_frames_beyond_the_bounds_are_left_out_and_told(tmp_path: Path) -> None:
    program = tmp_path / "tshark"
    program.write_text("#!/bin/sh\necho '[]'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    frames = [an_initial(number.to_bytes(2, "big")) for number in range(MOST_FRAMES + 3)]
    names, findings = dissect_names(frames, program=program)
    assert names == ()
    assert findings[0].code == "names-incomplete"
    assert f"3 selected frames are beyond the {MOST_FRAMES}" in findings[0].message


def test_without_a_pyshark_that_can_be_loaded_names_are_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "kubectl_netpolgen.packets.pyshark_capture", raising=False)
    monkeypatch.setitem(sys.modules, "pyshark.capture.file_capture", None)
    names, (finding,) = dissect_names((an_initial(),), program=tmp_path / "tshark")
    assert (names, finding.code) == ((), "names-incomplete")
    assert "pyshark cannot be loaded" in finding.message


def test_a_port_that_is_two_things_or_none_is_left_to_tshark() -> None:
    hello = an_initial(port=8443)
    twice = a_segment(b"x", NameSource.SNI, 7000), a_segment(b"y", NameSource.HTTP, 7000)
    neither = hello._replace(source=NameSource.QUIC, ends=hello.ends._replace(protocol=Protocol.SCTP))
    assert _decode_as([*twice, neither, hello]) == [("udp.port==8443", "quic")]


def test_only_names_that_could_be_a_hosts_are_taken() -> None:
    name = "tls.handshake.extensions_server_name"
    layers = [
        a_layer("tls", {name: "a\x7fb"}, {name: "a.test"}),
        a_layer("quic", {"quic.frame": [{"tls": {name: "Q.test."}}, {"tls": {name: ""}}]}),
        a_layer("http", {"http.host": "web.shop:80"}),
        a_layer("http", {"http.host": "web.shop"}),
        a_layer("http", {"http.host": "web.shop\x00:80"}),
        a_layer("http", {"http.request.method": "GET"}),
    ]
    assert read_layers(*layers) == [
        PacketName("a.test", NameSource.SNI),
        PacketName("q.test", NameSource.QUIC),
        PacketName("web.shop", NameSource.HTTP),
        PacketName("web.shop", NameSource.HTTP),
    ]


@pytest.mark.parametrize("questions", [[], ["a.test", "b.test"], ["no\nhost"]])
def test_addresses_in_answers_to_no_question_or_several_are_nobodys(questions: list[str]) -> None:
    answer = {"dns.qry.name": questions, "dns.a": "192.0.2.1"}
    assert read_layers(a_layer("dns", answer)) == []


def test_an_answer_tells_both_families_and_the_way_of_names() -> None:
    fields = {
        "dns.qry.name": ["a.test", "a.test"],
        "Answers": {
            "one": {"dns.cname": "b.test"},
            "two": {"dns.cname": "no..host"},
            "three": {"dns.a": "192.0.2.1"},
            "four": {"dns.aaaa": "2001:DB8::1"},
        },
    }
    assert read_layers(a_layer("dns", fields)) == [
        PacketName("a.test", NameSource.DNS, Address(address), ("b.test",))
        for address in ("192.0.2.1", "2001:db8::1")
    ]


def test_what_is_nested_without_end_or_of_another_kind_is_looked_at_within_bounds() -> None:
    name = "tls.handshake.extensions_server_name"
    deep: Any = {name: "deep.test"}
    for _ in range(3000):
        deep = [deep]
    assert read_layers(a_layer("tls", {"x": None, "y": 3, "z": deep})) == [
        PacketName("deep.test", NameSource.SNI)
    ]
    many = {f"field{number}": "" for number in range(5000)}
    assert read_layers(a_layer("tls", {name: "first.test", **many})) == [
        PacketName("first.test", NameSource.SNI)
    ]
    assert read_layers(a_layer("tls", {**many, name: "late.test"})) == []
