from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.dissector import PacketName
from kubectl_netpolgen.packets.rare_links import DissectedPacket, dissect_packets, parse_time
from kubectl_netpolgen.packets.tshark import TsharkFailed, find_tshark
from tests.components import needs
from tests.packets.factories import (
    ACK,
    CLIENT,
    CLIENT6,
    PSH,
    SERVER,
    SERVER6,
    START,
    a_frame,
    a_pcap,
    icmp_unreachable,
    ip,
    sctp,
    tcp,
    udp,
)
from tests.packets.factories_names import SERVER_NAME, a_client_hello

PPP = 9


def dissect(path: Path) -> list[DissectedPacket | None]:
    program = find_tshark(os.environ)
    assert program is not None
    return list(dissect_packets(path, program=program))


@needs("tshark")
def test_packets_of_a_link_type_that_we_do_not_read_are_told(tmp_path: Path) -> None:
    segment = tcp(
        CLIENT, 40000, SERVER, 443, flags=PSH | ACK, sequence=7, acknowledged=9, payload=a_client_hello()
    )
    path = tmp_path / "a.pcap"
    path.write_bytes(a_pcap([b"\0\x21" + segment.ip, b"\0\x57" + udp(CLIENT6, 1, SERVER6, 2).ip], link=PPP))
    one, two = dissect(path)
    assert one is not None
    assert one._replace(time=0) == DissectedPacket(
        time=0,
        wire=len(segment.ip) + 2,
        protocol=Protocol.TCP,
        source=Address(CLIENT),
        source_port=40000,
        destination=Address(SERVER),
        destination_port=443,
        flags=PSH | ACK,
        sequence=7,
        acknowledgment=9,
        vlan=None,
        names=(PacketName(SERVER_NAME, NameSource.SNI),),
    )
    assert two is not None
    assert (two.source, two.source_port, two.destination, two.destination_port) == (CLIENT6, 1, SERVER6, 2)
    assert two.time == START


@needs("tshark")
def test_the_outermost_header_counts_and_the_innermost_vlan(tmp_path: Path) -> None:
    inside = udp(CLIENT, 5, SERVER, 6).ip
    packets = [
        a_frame(udp(CLIENT, 1, SERVER, 2)),
        a_frame(icmp_unreachable(udp(CLIENT, 1, SERVER, 2))),
        a_frame(udp()).replace(udp().ip, ip(CLIENT, SERVER, 4, inside)),
        a_frame(sctp(chunk=1)),
        a_frame(udp(CLIENT, 3, SERVER, 4).__class__(udp(CLIENT, 3, SERVER, 4).ip, vlans=(100, 200))),
    ]
    path = tmp_path / "a.pcap"
    path.write_bytes(a_pcap(packets))
    told = [packet and (packet.protocol.value, packet.source_port, packet.vlan) for packet in dissect(path)]
    assert told == [("UDP", 1, None), None, None, ("SCTP", 40000, None), ("UDP", 3, 200)]


@needs("tshark")
def test_a_damaged_file_is_an_error_behind_its_packets(tmp_path: Path) -> None:
    program = find_tshark(os.environ)
    assert program is not None
    path = tmp_path / "a.pcap"
    path.write_bytes(a_pcap([udp(), udp()])[:-3])
    packets = dissect_packets(path, program=program)
    assert next(packets) is not None
    with pytest.raises(TsharkFailed, match="damaged"):
        next(packets)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1.5", 1_500_000_000),
        ("1700000000.123456789", 1_700_000_000_123_456_789),
        ("0.000000001", 1),
        ("3", 3_000_000_000),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123_456_789),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
    ],
)
def test_times_are_exact_in_both_spellings(text: str, nanoseconds: int) -> None:
    assert parse_time(text) == nanoseconds
