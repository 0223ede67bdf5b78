from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from kubectl_netpolgen.model.flow import Conversation, Direction, NameSource, Outcome
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.dissected import count_dissected, read_through_tshark
from kubectl_netpolgen.packets.dissector import PacketName
from kubectl_netpolgen.packets.engines import PairTable
from kubectl_netpolgen.packets.network import SCTP, TCP
from kubectl_netpolgen.packets.rare_links import DissectedPacket
from kubectl_netpolgen.packets.reading import read
from kubectl_netpolgen.packets.signals import ACCEPTS, CARRIES, OPENS
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tshark import find_tshark
from tests.components import needs
from tests.packets.factories import (
    ACK,
    CLIENT,
    CLIENT6,
    PSH,
    SERVER,
    SERVER6,
    START,
    SYN,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_echo,
    tcp,
    tcp_close,
    tcp_handshake,
    tcp_refusal,
    tcp_syn,
    udp,
)
from tests.packets.factories_names import SERVER_NAME, a_client_hello


def a_packet(
    flags: int = SYN,
    *,
    protocol: Protocol = Protocol.TCP,
    back: bool = False,
    names: tuple[PacketName, ...] = (),
) -> DissectedPacket:
    ends = (Address(CLIENT), 40000, Address(SERVER), 443)
    if back:
        ends = (*ends[2:], *ends[:2])
    return DissectedPacket(START, 60, protocol, *ends, flags, 7, 8, 5, names)


def counted(packets: Sequence[DissectedPacket]) -> list[Conversation]:
    tally = Tally(file="a.pcap", keys=False)
    for packet in packets:
        count_dissected(tally, packet)
    with Reading("a.pcap", tally, PairTable(tally.table)) as reading:
        return list(reading.conversations())


def through_tshark(path: Path) -> Reading:
    program = find_tshark(os.environ)
    assert program is not None
    return read_through_tshark(path, label=path.name, program=program)


def some_packets() -> list[Packet]:
    return [
        *tcp_handshake(server_port=443),
        tcp(CLIENT, 40000, SERVER, 443, flags=PSH | ACK, sequence=1001, payload=a_client_hello()),
        *tcp_close(server_port=443),
        tcp_syn(CLIENT, 40001, SERVER, 9, isn=5),
        tcp_refusal(CLIENT, 40001, SERVER, 9, isn=5),
        udp(CLIENT6, 50000, SERVER6, 6000),
        dns_query("db.test"),
        dns_answer("db.test", ["192.0.2.9"]),
        icmp_echo(),
    ]


def test_a_packet_counts_as_if_it_had_been_read_here() -> None:
    tally = Tally()
    for packet in (a_packet(), a_packet(SYN | ACK, back=True), a_packet(ACK)):
        count_dissected(tally, packet)
    there, back = tally.table.rows[Context(TCP, 5)].values()
    assert (there.packets, there.bytes, there.signals) == (2, 120, OPENS | CARRIES)
    assert (back.signals, there.openings, back.acceptances) == (ACCEPTS, (7,), (7,))


def test_names_belong_to_the_half_that_said_them_and_answers_to_their_address() -> None:
    tally = Tally()
    said = PacketName("a.test", NameSource.SNI)
    answered = PacketName("b.test", NameSource.DNS, Address("10.0.0.9"))
    count_dissected(tally, a_packet(names=(said, answered)))
    (half,) = tally.table.rows[Context(TCP, 5)].values()
    assert list(half.names) == [("a.test", "sni")]
    assert [(name.name, name.address) for name in tally.payloads.names.collected()] == [
        ("a.test", SERVER),
        ("b.test", "10.0.0.9"),
    ]


def test_sctp_is_carried_without_a_handshake() -> None:
    tally = Tally()
    count_dissected(tally, a_packet(0, protocol=Protocol.SCTP))
    (half,) = tally.table.rows[Context(SCTP, 5)].values()
    assert half.signals == CARRIES


@needs("tshark")
def test_a_whole_file_is_read_and_damage_is_told(tmp_path: Path) -> None:
    program = find_tshark({"PATH": "/usr/bin:/usr/local/bin:/bin"})
    assert program is not None
    content = a_pcap([b"\0\x21" + packet.ip for packet in (*tcp_handshake(), udp())], link=9)
    path = tmp_path / "ppp.pcap"
    path.write_bytes(content)
    with read_through_tshark(path, label="x", program=program) as reading:
        first, _ = reading.flows()
        assert (reading.packets, reading.truncated, reading.findings) == (4, None, ())
        assert (first.capture, first.direction, first.outcome) == ("x", Direction.SYN, Outcome.ESTABLISHED)
    path.write_bytes(content[:-5])
    with read_through_tshark(path, label="x", program=program) as reading:
        assert reading.packets == 3
        assert reading.truncated is not None
        assert [finding.code for finding in reading.findings] == ["capture-truncated"]


@needs("tshark")
def test_a_file_is_the_same_conversations_as_by_our_own_way(tmp_path: Path) -> None:
    packets = some_packets()
    (tmp_path / "a.pcap").write_bytes(a_pcap(packets))
    with through_tshark(tmp_path / "a.pcap") as told, read(tmp_path / "a.pcap", label="a.pcap") as own:
        assert (told.packets, told.truncated) == (own.packets, None)
        ours, theirs = list(own.conversations()), list(told.conversations())
        assert told.names == own.names
        assert told.findings == own.findings == ()
    # ports and handshakes tell both of them the direction; only we look at the bit of a DNS query
    asked = [item.server_port == 53 for item in ours]
    assert any(asked)
    for our, their, dns in zip(ours, theirs, asked, strict=True):
        if not dns:
            assert our == their
        assert (our.packets_to_server, our.bytes_to_client) == (
            their.packets_to_server,
            their.bytes_to_client,
        )


@needs("tshark")
def test_a_link_type_that_is_not_read_gives_rows_and_names(tmp_path: Path) -> None:
    frames = [(b"\0\x57" if packet.ip[0] >> 4 == 6 else b"\0\x21") + packet.ip for packet in some_packets()]
    (tmp_path / "a.pcap").write_bytes(a_pcap(frames, link=9))
    with through_tshark(tmp_path / "a.pcap") as reading:
        rows = list(reading.conversations())
        names = [(answer.name, answer.source.value) for answer in reading.names]
        assert reading.contents().unread_packets == 1
    assert [(row.server, row.server_port, row.direction.value, row.outcome.value) for row in rows] == [
        (SERVER, 443, "syn", "established"),
        (SERVER, 9, "syn", "refused"),
        ("10.96.0.10", 53, "heuristic", "answered"),
        (SERVER6, 6000, "heuristic", "unanswered"),
    ]
    assert names == [(SERVER_NAME, "sni"), ("db.test", "dns")]


def test_a_program_that_says_nothing_gives_an_empty_reading(tmp_path: Path) -> None:
    program = tmp_path / "tshark"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "a.pcap").write_bytes(a_pcap([]))
    with read_through_tshark(tmp_path / "a.pcap", label="a.pcap", program=program) as reading:
        assert (reading.packets, list(reading.flows())) == (0, [])
        assert [finding.code for finding in reading.findings] == ["capture-truncated"]


def test_a_retransmission_is_no_connection_and_a_new_number_is_one() -> None:
    answer = a_packet(SYN | ACK, back=True)
    (row,) = counted([a_packet(), a_packet(), answer, a_packet()._replace(sequence=9)])
    assert (row.client_port, row.server_port, row.direction) == (40000, 443, Direction.SYN)
    assert (row.connections, row.packets_to_server, row.packets_to_client) == (2, 3, 1)


def test_an_answer_alone_shows_the_server_whatever_number_it_acknowledges() -> None:
    for acknowledgment in (1001, 0):
        (row,) = counted([a_packet(SYN | ACK, back=True)._replace(acknowledgment=acknowledgment)])
        assert (row.client_port, row.direction, row.connections) == (40000, Direction.SYNACK, 1)


def test_vlans_are_rows_of_their_own() -> None:
    rows = counted([a_packet(), a_packet()._replace(vlan=None), a_packet()])
    assert [(row.vlan, row.packets_to_server) for row in rows] == [(None, 1), (5, 2)]


def test_both_families_are_counted() -> None:
    six = a_packet()._replace(source=Address(CLIENT6), destination=Address(SERVER6))
    rows = counted([a_packet(0, protocol=Protocol.SCTP), six])
    assert [(row.protocol, row.client) for row in rows] == [
        (Protocol.SCTP, CLIENT),
        (Protocol.TCP, CLIENT6),
    ]
