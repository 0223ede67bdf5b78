"""What spans packets and chunks is put together by columns as by the loop."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.flow import NameSource, PeerName
from tests.packets.columns.captures import HELLO, REQUEST, a_hello, read_with
from tests.packets.factories import (
    CLIENT,
    MILLISECOND,
    PSH,
    SERVER,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    tcp,
    tcp_handshake,
)

SNI = PeerName("shop.example.test", NameSource.SNI)


@pytest.mark.parametrize("chunk", [300, 1200, 1 << 20])
def test_a_hello_in_two_segments_is_read_whatever_lies_between(chunk: int) -> None:
    packets = [packet for port in range(2000, 2010) for packet in a_hello(port, START)]
    packets.sort(key=lambda packet: packet.time)
    found = read_with("fast", a_pcap(packets), chunk=chunk)
    assert [flow.names for flow in found.flows] == [(SNI,)]
    assert [item.names for item in found.conversations] == [(SNI,)] * 10


def test_segments_that_are_sent_again_or_swapped_do_no_harm() -> None:
    ends = (CLIENT, 2000, SERVER, 443)
    pieces = [
        tcp(*ends, flags=PSH, sequence=1 + at, payload=HELLO[at : at + 400], time=START + at)
        for at in range(0, len(HELLO), 400)
    ]
    swapped = [pieces[0], *reversed(pieces[1:]), *pieces]
    for packets in (pieces, swapped):
        found = read_with("fast", a_pcap([*tcp_handshake(*ends), *packets]))
        assert [flow.names for flow in found.flows] == [(SNI,)]
        assert found == read_with("exact", a_pcap([*tcp_handshake(*ends), *packets]))


def test_an_odd_packet_may_begin_what_a_plain_one_ends() -> None:
    ends = (CLIENT, 2000, SERVER, 443)
    first = tcp(*ends, flags=PSH, sequence=1, payload=HELLO[:900])
    odd = Packet(first.ip[:1].replace(b"\x45", b"\x46") + first.ip[1:20] + bytes(4) + first.ip[20:])
    total = int.from_bytes(odd.ip[2:4], "big") + 4
    odd = Packet(odd.ip[:2] + total.to_bytes(2, "big") + odd.ip[4:])
    last = tcp(*ends, flags=PSH, sequence=901, payload=HELLO[900:], time=START + MILLISECOND)
    content = a_pcap([odd, last])
    found = read_with("fast", content)
    assert found == read_with("exact", content)
    assert [flow.names for flow in found.flows] == [(SNI,)]


def test_dns_and_requests_are_heard_in_the_order_of_the_file() -> None:
    ends = (CLIENT, 2000, SERVER, 80)
    packets = [
        dns_query(),
        dns_answer("web.example.test", [SERVER]),
        *tcp_handshake(*ends),
        tcp(*ends, flags=PSH, sequence=1001, payload=REQUEST),
    ]
    found = read_with("fast", a_pcap(packets))
    assert found == read_with("exact", a_pcap(packets))
    assert [(name.name, name.source) for name in found.names] == [
        ("web.example.test", NameSource.HTTP),
        ("web.example.test", NameSource.DNS),
    ]
    web = next(flow for flow in found.flows if flow.server_port == 80)
    assert [name.source for name in web.names] == [NameSource.DNS, NameSource.HTTP]
