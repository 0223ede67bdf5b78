from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP, Transport, find_transport
from tests.packets.factories import CLIENT, CLIENT6, SERVER, SERVER6, ip

BODY = bytes(range(40))


def find(packet: bytes) -> Transport | None:
    six = bool(packet) and packet[0] >> 4 == 6
    return find_transport(packet, 0, len(packet), ethertype=ETHERTYPE_IPV6 if six else ETHERTYPE_IPV4)


@pytest.mark.parametrize("ends", [(CLIENT, SERVER), (CLIENT6, SERVER6)])
@pytest.mark.parametrize("protocol", [TCP, UDP, SCTP])
def test_addresses_protocol_and_body_are_found(ends: tuple[str, str], protocol: int) -> None:
    packet = ip(*ends, protocol, BODY)
    found = find(packet)
    assert found is not None
    assert found.protocol == protocol
    assert found.addresses == b"".join(ipaddress.ip_address(end).packed for end in ends)
    assert packet[found.at : found.end] == BODY
    assert not found.later_fragment


def test_ipv4_options_are_skipped_and_link_padding_is_left_behind() -> None:
    packet = ip(CLIENT, SERVER, TCP, BODY, options=bytes(8)) + b"padding"
    found = find(packet)
    assert found is not None
    assert packet[found.at : found.end] == BODY


@pytest.mark.parametrize("ends", [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_a_zero_length_means_all_there_is(ends: tuple[str, str]) -> None:
    packet = ip(*ends, TCP, BODY, total=0)
    found = find(packet)
    assert found is not None
    assert packet[found.at : found.end] == BODY


def test_later_fragments_have_no_ports() -> None:
    first = find(ip(CLIENT, SERVER, UDP, BODY, more=1))
    later = find(ip(CLIENT, SERVER, UDP, BODY, fragment=5))
    assert first is not None
    assert later is not None
    assert (first.later_fragment, later.later_fragment) == (False, True)


@pytest.mark.parametrize(("offset", "later"), [(0, False), (8, True), (0x500, True)])
def test_ipv6_fragments_are_told_by_their_header(offset: int, later: bool) -> None:
    fragment = (44, b"\0" + offset.to_bytes(2, "big") + bytes(4))
    found = find(ip(CLIENT6, SERVER6, UDP, BODY, extensions=[fragment]))
    assert found is not None
    assert (found.protocol, found.later_fragment) == (UDP, later)


def test_ipv6_extension_headers_are_walked() -> None:
    options = (0, b"\0" + bytes(6))
    routing = (43, b"\1" + bytes(14))
    packet = ip(CLIENT6, SERVER6, TCP, BODY, extensions=[options, routing])
    found = find(packet)
    assert found is not None
    assert found.protocol == TCP
    assert packet[found.at : found.end] == BODY


def test_an_endless_chain_of_extension_headers_is_given_up() -> None:
    assert find(ip(CLIENT6, SERVER6, TCP, BODY, extensions=[(60, b"\0" + bytes(6))] * 17)) is None


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x45" + bytes(10),
        b"\x44" + bytes(40),
        b"\x4f" + bytes(30),
        b"\x95" + bytes(40),
        ip(CLIENT, SERVER, TCP, BODY, total=19),
        ip(CLIENT6, SERVER6, 0, b"\6"),
        ip(CLIENT6, SERVER6, TCP, b"")[:39],
    ],
)
def test_headers_that_are_cut_or_lie_are_not_read(packet: bytes) -> None:
    assert find(packet) is None


def test_another_ethertype_is_not_read() -> None:
    packet = ip(CLIENT, SERVER, TCP, BODY)
    assert find_transport(packet, 0, len(packet), ethertype=0x0806) is None


@given(st.binary(max_size=120), st.sampled_from([ETHERTYPE_IPV4, ETHERTYPE_IPV6]))
def test_whatever_is_found_lies_inside_the_packet(packet: bytes, ethertype: int) -> None:
    found = find_transport(packet, 0, len(packet), ethertype=ethertype)
    if found is not None:
        assert found.end <= len(packet)
        assert len(found.addresses) in (8, 32)
