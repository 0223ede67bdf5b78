"""What spans packets and chunks is put together by columns as by the loop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_netpolgen.model.flow import Direction, NameSource, PeerName, Tunnel
from tests.packets.columns.captures import HELLO, REQUEST, Result, a_hello, read_with
from tests.packets.factories import (
    ACK,
    CLIENT,
    MILLISECOND,
    PSH,
    SERVER,
    START,
    A,
    Packet,
    a_pcap,
    dns_answer,
    dns_message,
    dns_query,
    tcp,
    tcp_handshake,
    udp,
)
from tests.packets.factories_names import SERVER_NAME, a_dtls_client_hello, over_tcp
from tests.packets.factories_tunnels import in_ip

SNI = PeerName("shop.example.test", NameSource.SNI)
ENDS = (CLIENT, 2000, SERVER, 443)


def said(begin: int, end: int | None, *, at: int, client: str = CLIENT, server: str = SERVER) -> Packet:
    """Some bytes of the hello, so many milliseconds after the start."""
    payload = HELLO[begin:end]
    time = START + at * MILLISECOND
    return tcp(client, 2000, server, 443, flags=PSH | ACK, sequence=1 + begin, payload=payload, time=time)


def with_options(packet: Packet) -> Packet:
    """The same behind an IPv4 header with options, which columns leave to the loop."""
    total = (int.from_bytes(packet.ip[2:4], "big") + 4).to_bytes(2, "big")
    return Packet(
        b"\x46" + packet.ip[1:2] + total + packet.ip[4:20] + bytes(4) + packet.ip[20:], time=packet.time
    )


def read_by_both(packets: list[Packet], *, keys: bool = False, inner: bool = False) -> Result:
    """What both engines tell alike, in one chunk and in many."""
    content = a_pcap(packets)
    found = read_with("exact", content, keys=keys, inner=inner)
    for chunk in (700, 1 << 62):
        assert read_with("fast", content, keys=keys, inner=inner, chunk=chunk) == found
    return found


@pytest.mark.parametrize("chunk", [300, 1200, 1 << 20])
def test_a_hello_in_two_segments_is_read_whatever_lies_between(chunk: int) -> None:
    packets = [packet for port in range(2000, 2010) for packet in a_hello(port, START)]
    packets.sort(key=lambda packet: packet.time)
    found = read_with("fast", a_pcap(packets), chunk=chunk)
    assert [flow.names for flow in found.flows] == [(SNI,)]
    assert [item.names for item in found.conversations] == [(SNI,)] * 10


def test_segments_that_are_sent_again_or_swapped_do_no_harm() -> None:
    pieces = [
        tcp(*ENDS, flags=PSH, sequence=1 + at, payload=HELLO[at : at + 400], time=START + at)
        for at in range(0, len(HELLO), 400)
    ]
    swapped = [pieces[0], *reversed(pieces[1:]), *pieces]
    for packets in (pieces, swapped):
        found = read_with("fast", a_pcap([*tcp_handshake(*ENDS), *packets]))
        assert [flow.names for flow in found.flows] == [(SNI,)]
        assert found == read_with("exact", a_pcap([*tcp_handshake(*ENDS), *packets]))


def test_an_odd_packet_may_begin_what_a_plain_one_ends() -> None:
    first = tcp(*ENDS, flags=PSH, sequence=1, payload=HELLO[:900])
    odd = with_options(first)
    last = tcp(*ENDS, flags=PSH, sequence=901, payload=HELLO[900:], time=START + MILLISECOND)
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


def test_a_hello_in_one_segment_names_its_row_wherever_the_chunk_ends() -> None:
    found = read_by_both([said(0, None, at=0), said(0, None, at=1)])
    assert [item.names for item in found.conversations] == [(SNI,)]


def test_a_beginning_that_is_sent_again_is_visited_once_though_it_is_waited_for() -> None:
    nothing = tcp(*ENDS, flags=ACK, sequence=901, time=START + MILLISECOND)
    found = read_by_both([said(0, 900, at=0), said(0, 900, at=1), nothing, said(900, None, at=2)])
    assert [item.names for item in found.conversations] == [(SNI,)]
    assert [answer.count for answer in found.names] == [1]


def test_a_segment_is_not_followed_when_an_odd_one_has_ended_the_wait() -> None:
    packets = [said(0, 900, at=0), with_options(said(900, None, at=1)), said(900, None, at=2)]
    found = read_by_both(packets)
    assert [item.names for item in found.conversations] == [(SNI,)]
    assert [answer.count for answer in found.names] == [1]


def test_segments_of_the_other_spelling_of_an_address_are_passed_over() -> None:
    mapped = {"client": f"::ffff:{CLIENT}", "server": f"::ffff:{SERVER}"}
    found = read_by_both([said(0, 900, at=0), said(900, None, at=1, **mapped), said(900, None, at=2)])
    (conversation,) = found.conversations
    assert (conversation.packets_to_server, conversation.names) == (3, (SNI,))


def test_dns_over_tcp_tells_its_direction_from_either_side() -> None:
    records = [(SERVER_NAME, A, bytes((192, 0, 2, 1)))]
    question, answer = dns_message(SERVER_NAME), dns_message(SERVER_NAME, response=True, records=records)
    asked = tcp(CLIENT, 2000, SERVER, 53, flags=PSH | ACK, sequence=1, payload=over_tcp(question))
    told = tcp(SERVER, 53, CLIENT, 2000, flags=PSH | ACK, sequence=1, payload=over_tcp(answer))
    for packets in ([asked, told], [told]):
        (conversation,) = read_by_both(packets, keys=True).conversations
        assert (conversation.server_port, conversation.direction) == (53, Direction.DECLARED)
        assert conversation.dns


def test_a_message_of_dns_over_two_segments_is_whole_with_the_second() -> None:
    records = [(SERVER_NAME, A, bytes((192, 0, 2, 1)))]
    stream = over_tcp(dns_message(SERVER_NAME), dns_message("b.test"))
    answer = over_tcp(dns_message(SERVER_NAME, response=True, records=records))
    packets = [
        tcp(CLIENT, 2000, SERVER, 53, flags=PSH | ACK, sequence=1, payload=stream[:20]),
        tcp(CLIENT, 2000, SERVER, 53, flags=PSH | ACK, sequence=21, payload=stream[20:]),
        tcp(SERVER, 53, CLIENT, 2000, flags=PSH | ACK, sequence=1, payload=answer[:1]),
        tcp(SERVER, 53, CLIENT, 2000, flags=PSH | ACK, sequence=2, payload=answer[1:]),
    ]
    found = read_by_both(packets)
    assert [(item.name, item.address) for item in found.names] == [(SERVER_NAME, "192.0.2.1")]


def test_what_a_datagram_calls_its_receiver_is_on_its_row() -> None:
    found = read_by_both([udp(CLIENT, 2000, SERVER, 443, payload=a_dtls_client_hello())])
    (conversation,) = found.conversations
    assert conversation.names == (PeerName(SERVER_NAME, NameSource.SNI),)


def test_what_is_put_together_inside_a_tunnel_is_waited_for_by_nobody_outside() -> None:
    packets = [in_ip(said(0, 900, at=0)), said(900, None, at=1), in_ip(said(900, None, at=2))]
    found = read_by_both(packets, inner=True)
    assert [(item.tunnel, item.names) for item in found.conversations] == [
        (None, ()),
        (Tunnel.IPIP, (SNI,)),
    ]


def test_a_half_that_waits_hears_its_own_vlan_only() -> None:
    tagged = replace(said(900, None, at=1), vlans=(7,))
    found = read_by_both([said(0, 900, at=0), tagged, said(900, None, at=2)])
    assert [(item.vlan, item.names) for item in found.conversations] == [(None, (SNI,)), (7, ())]
