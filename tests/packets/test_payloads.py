"""What payloads say about names, and to whom it belongs."""

from __future__ import annotations

import ipaddress
import struct

import pytest

from kubectl_netpolgen.model.flow import NameSource, PeerName, Tunnel
from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.http import read_host
from kubectl_netpolgen.packets.network import TCP
from kubectl_netpolgen.packets.payloads import (
    NOTHING,
    TCP_STARTS,
    UDP_STARTS,
    Payloads,
    Said,
    Whole,
    direction_key,
    tcp_openings,
)
from kubectl_netpolgen.packets.signals import ASKS, REPLIES
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tls import read_client_hello
from tests.packets.factories import CLIENT, SERVER, dns_message
from tests.packets.factories_names import a_client_hello, a_dtls_client_hello, announcement, over_tcp
from tests.packets.quic_datagrams import INITIAL

PLAIN = Context(TCP)
WHOLE = Whole(b"frame", 0, 5, 5, 1)


def a_key(port: int = 40000, to: int = 443) -> bytes:
    ends = ipaddress.ip_address(CLIENT).packed + ipaddress.ip_address(SERVER).packed
    return ends + struct.pack(">HH", port, to)


def told(payload: bytes, *, payloads: Payloads | None = None, dns: bool = False, at: int = 1) -> Said:
    heard = payloads or Payloads(Addresses())
    return heard.hear_segment(PLAIN, a_key(), payload, at, 5, cut=False, dns=dns)


def test_a_hello_names_the_server() -> None:
    payloads = Payloads(Addresses())
    assert told(a_client_hello("a.test"), payloads=payloads).names == (PeerName("a.test", NameSource.SNI),)
    (name,) = payloads.names.collected()
    assert (name.name, name.address, name.source, name.first) == ("a.test", SERVER, NameSource.SNI, 5)


def test_a_hello_in_two_segments_waits_for_the_second() -> None:
    payloads = Payloads(Addresses())
    hello = a_client_hello("a.test", key_share=1220, name_last=True)
    assert told(hello[:700], payloads=payloads) is NOTHING
    assert direction_key(PLAIN, a_key()) in payloads.assembly.pending
    assert told(hello[700:], payloads=payloads, at=701).names == (PeerName("a.test", NameSource.SNI),)
    assert not payloads.assembly.pending


def test_a_request_names_its_host_each_time_it_comes() -> None:
    payloads = Payloads(Addresses())
    request = b"GET / HTTP/1.1\r\nHost: A.test:80\r\n\r\n"
    for _ in range(3):
        assert told(request, payloads=payloads).names == (PeerName("a.test", NameSource.HTTP),)
    assert [name.count for name in payloads.names.collected()] == [3]
    assert told(b"HTTP/1.1 200 OK\r\n\r\n") is NOTHING


def test_long_requests_with_the_same_beginning_are_read_each() -> None:
    payloads = Payloads(Addresses())
    head = b"GET / HTTP/1.1\r\nX: " + b"x" * 3000 + b"\r\nHost: "
    for name in ("a.test", "b.test"):
        found = told(head + name.encode() + b"\r\n\r\n", payloads=payloads)
        assert found.names == (PeerName(name, NameSource.HTTP),)


def test_a_request_cut_at_the_longest_that_is_remembered_hides_no_other() -> None:
    payloads = Payloads(Addresses())
    whole = b"GET / HTTP/1.1\r\nX: " + b"x" * 2020 + b"\r\nHost: web.test\r\n\r\n"
    assert told(whole[:2048], payloads=payloads) is NOTHING
    assert told(whole, payloads=payloads).names == (PeerName("web.test", NameSource.HTTP),)


def test_dns_over_tcp_says_who_asked_and_who_answered() -> None:
    query, answer = dns_message("a.test"), dns_message("a.test", response=True)
    assert told(over_tcp(query), dns=True) == Said(ASKS, ("d1234:a.test",))
    assert told(over_tcp(query, answer), dns=True).signals == ASKS | REPLIES


def test_multicast_dns_is_an_announcement_and_no_question() -> None:
    payloads = Payloads(Addresses())
    payload = announcement(("printer.local", 1, bytes((10, 0, 0, 9))))
    assert payloads.hear_dns(a_key(5353, 5353), payload, 7) is None
    (name,) = payloads.names.collected()
    assert (name.name, name.address) == ("printer.local", "10.0.0.9")


def test_dtls_names_the_server_and_quic_goes_to_a_dissector() -> None:
    payloads = Payloads(Addresses(), file="x.pcap")
    said = payloads.hear_datagram(a_key(), a_dtls_client_hello("a.test"), 5, WHOLE)
    assert said.names == (PeerName("a.test", NameSource.SNI),)
    assert payloads.hear_datagram(a_key(), INITIAL, 6, WHOLE) is NOTHING
    (frame,) = payloads.selection.collected()
    assert (frame.file, frame.frame, frame.time, frame.link_type) == ("x.pcap", b"frame", 6, 1)
    assert (frame.ends.client, frame.ends.client_port, frame.ends.server_port) == (CLIENT, 40000, 443)
    assert payloads.hear_datagram(a_key(), b"\x16", 7, WHOLE) is NOTHING


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (Context(TCP), Context(TCP, 7)),
        (Context(TCP, 7), Context(TCP, 8)),
        (Context(TCP), Context(TCP, None, Tunnel.VXLAN)),
    ],
)
def test_directions_of_vlans_and_tunnels_do_not_meet(first: Context, other: Context) -> None:
    assert direction_key(first, a_key()) != direction_key(other, a_key())
    assert direction_key(PLAIN, a_key()) == a_key()


def test_the_first_bytes_let_in_all_that_holds_a_name() -> None:
    openings = tcp_openings()
    for payload in (
        a_client_hello(),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n",
    ):
        assert read_client_hello(payload) is not None or read_host(payload) is not None
        assert TCP_STARTS[payload[0]]
        assert openings[payload[0] << 8 | payload[1]]
    assert UDP_STARTS[a_dtls_client_hello()[0]]
    assert UDP_STARTS[INITIAL[0]]
    assert not TCP_STARTS[0x17]
    assert not openings[int.from_bytes(b"HT", "big")]
