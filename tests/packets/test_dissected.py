from __future__ import annotations

from pathlib import Path

from kubectl_netpolgen.model.flow import Direction, NameSource, Outcome
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.dissected import count_dissected, read_through_tshark
from kubectl_netpolgen.packets.dissector import PacketName
from kubectl_netpolgen.packets.network import SCTP, TCP
from kubectl_netpolgen.packets.rare_links import DissectedPacket
from kubectl_netpolgen.packets.signals import ACCEPTS, CARRIES, OPENS
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tshark import find_tshark
from tests.components import needs
from tests.packets.factories import ACK, CLIENT, SERVER, START, SYN, a_pcap, tcp_handshake, udp


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
