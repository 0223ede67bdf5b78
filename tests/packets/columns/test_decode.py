"""Columns hold what stands in the packets, and leave alone what they cannot be sure of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kubectl_netpolgen.packets.columns.decode import (
    PADDING,
    Numbers,
    Packets,
    decode,
    initial_numbers,
    read_records,
)
from kubectl_netpolgen.packets.columns.keys import context_of, raw_key
from kubectl_netpolgen.packets.columns.walk import find_records
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Stretch, read_header
from kubectl_netpolgen.packets.signals import ACCEPTS, OPENS
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    SERVER,
    SERVER6,
    START,
    Packet,
    a_pcap,
    dns_query,
    icmp_echo,
    ip,
    tcp,
    tcp_handshake,
    tcp_syn,
    udp,
)


def decoded(packets: Sequence[Packet | bytes], **options: str | bool) -> tuple[bytes, Packets, Numbers]:
    content = a_pcap(packets, **options)  # type: ignore[arg-type]
    source = io.BytesIO(content)
    header = read_header(source, Path("x.pcap"))
    offsets, _ = find_records(Stretch(content[24:], 0, len(content) - 24, len(content) - 24), header)
    buffer = content[24:] + bytes(PADDING)
    packets_found, odd = decode(buffer, read_records(buffer, offsets, header), LINKS[ETHERNET])
    return buffer, packets_found, odd


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_a_plain_packet_is_a_row(byte_order: str, nanoseconds: bool) -> None:
    sent = [tcp_syn(time=START + 5000), udp(CLIENT6, 7, SERVER6, 9, payload=b"four")]
    buffer, found, odd = decoded(sent, byte_order=byte_order, nanoseconds=nanoseconds)
    assert odd.size == 0
    assert found.time.tolist() == [START + 5000, START]
    assert found.wire.tolist() == [54, 66]
    assert found.signals.tolist() == [OPENS, 0]
    keys = [
        raw_key(numbers, turned=bool(group & 1))
        for *numbers, group in zip(*(column.tolist() for column in found.keys), strict=True)
    ]
    assert keys == [sent[0].ip[12:24], sent[1].ip[8:44]]
    assert [buffer[start:end] for start, end in zip(found.payload, found.end, strict=True)] == [b"", b"four"]


@pytest.mark.parametrize(
    "packet",
    [
        replace(tcp_syn(), vlans=(7, 8)),
        replace(tcp_syn(), captured=53),
        replace(udp(destination="10.244.1.255"), broadcast=True),
        Packet(ip(CLIENT, SERVER, 6, bytes(20), options=bytes(4))),
        Packet(ip(CLIENT, SERVER, 17, bytes(20), more=1)),
        Packet(ip(CLIENT, SERVER, 17, bytes(20), fragment=4)),
        Packet(ip(CLIENT, SERVER, 6, bytes(20), total=30)),
        Packet(ip(CLIENT6, SERVER6, 17, bytes(20), extensions=[(0, bytes(7))])),
        Packet(ip(CLIENT6, SERVER6, 6, bytes(20), total=0)),
        icmp_echo(),
        b"",
        bytes(13),
    ],
)
def test_everything_else_is_left_to_a_closer_look(packet: Packet | bytes) -> None:
    _, found, odd = decoded([packet, tcp_syn()])
    assert odd.tolist() == [0]
    assert found.record.tolist() == [1]


def test_one_vlan_tag_is_plain_and_told() -> None:
    tagged = [replace(tcp_syn(), vlans=(0x123,)), replace(tcp_syn(CLIENT6, 1, SERVER6, 2), vlans=(7,))]
    sent = [*tagged, tcp_syn()]
    _, found, odd = decoded(sent)
    assert odd.size == 0
    assert found.vlan.tolist() == [0x123, 7, -1]
    assert [context_of(word).vlan for word in found.keys.word.tolist()] == [0x123, 7, None]


def test_link_padding_is_no_payload() -> None:
    short = udp(payload=b"ab")
    _, found, _ = decoded([bytes(12) + b"\x08\x00" + short.ip + b"\x16" * 20])
    assert (found.end - found.payload).tolist() == [2]


def test_what_may_hold_a_name_is_marked_and_dns_in_every_case() -> None:
    sent = [
        dns_query(),
        tcp(CLIENT, 1, SERVER, 2, flags=0x18, payload=b"GET / HTTP/1.1\r\n"),
        tcp(CLIENT, 1, SERVER, 2, flags=0x18, payload=b"HTTP/1.1 200 OK\r\n"),
        tcp(CLIENT, 1, SERVER, 2, flags=0x18, payload=b"\x16\x03\x01"),
        tcp(CLIENT, 1, SERVER, 53, flags=0x18, payload=b"anything"),
        tcp(CLIENT, 1, SERVER, 53, flags=0x10),
        udp(payload=b"\xc3"),
        udp(payload=b"metric"),
    ]
    _, found, _ = decoded(sent)
    assert found.opening.tolist() == [True, True, False, True, True, False, True, False]
    assert found.dns.tolist() == [True, False, False, False, True, True, False, False]


def test_the_numbers_of_a_connection_are_the_clients_at_both_ends() -> None:
    buffer, found, _ = decoded([*tcp_handshake(isn=0xFFFFFFFF), *tcp_handshake(isn=0)])
    opened = np.flatnonzero(found.signals & OPENS)
    accepted = np.flatnonzero(found.signals & ACCEPTS)
    assert initial_numbers(buffer, found, opened, acknowledged=False).tolist() == [0xFFFFFFFF, 0]
    assert initial_numbers(buffer, found, accepted, acknowledged=True).tolist() == [0xFFFFFFFF, 0]
