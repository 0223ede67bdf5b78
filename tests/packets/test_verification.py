from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.tshark import find_tshark
from kubectl_netpolgen.packets.verification import (
    Count,
    conversation_counts,
    outermost_transport,
    pair_ends,
)
from tests.components import needs
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    SERVER,
    SERVER6,
    Packet,
    a_pcap,
    icmp_unreachable,
    ip,
    sctp,
    tcp_handshake,
    udp,
)


@pytest.mark.parametrize(
    ("protocols", "found"),
    [
        ("eth:ethertype:ip:tcp:tls", (4, Protocol.TCP)),
        ("eth:ethertype:vlan:ethertype:ipv6:ipv6.hopopts:udp:dns", (6, Protocol.UDP)),
        ("sll:ethertype:ip:sctp", (4, Protocol.SCTP)),
        ("eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:icmp", (4, Protocol.UDP)),
        ("eth:ethertype:ip:ah:tcp", (4, Protocol.TCP)),
        ("eth:ethertype:ip:icmp:ip:tcp", None),
        ("eth:ethertype:ip:ipv6:tcp", None),
        ("eth:ethertype:ip:gre:ip:udp", None),
        ("eth:ethertype:ip:data", None),
        ("eth:ethertype:arp", None),
        ("eth:ethertype:ip", None),
        ("", None),
    ],
)
def test_only_what_the_outermost_header_carries_counts(
    protocols: str, found: tuple[int, Protocol] | None
) -> None:
    assert outermost_transport(protocols) == found


def test_a_pair_is_the_same_from_both_ends() -> None:
    one, other = (Address("10.0.0.9"), 80), (Address("10.0.0.10"), 40000)
    pair = pair_ends(Protocol.TCP, other, one)
    assert pair == pair_ends(Protocol.TCP, one, other)
    assert (pair.lower, pair.upper) == (one, other)


@needs("tshark")
def test_frames_and_bytes_are_counted_per_conversation(tmp_path: Path) -> None:
    first = ip(CLIENT, SERVER, 17, udp(CLIENT, 7, SERVER, 8, payload=bytes(64)).ip[20:], more=1)
    packets = [
        *tcp_handshake(),
        udp(CLIENT6, 1, SERVER6, 2),
        udp(SERVER6, 2, CLIENT6, 1),
        icmp_unreachable(udp(CLIENT, 3, SERVER, 4)),
        sctp(chunk=1),
        Packet(first),
        Packet(ip(CLIENT, SERVER, 17, bytes(64), fragment=9)),
        Packet(ip(CLIENT, SERVER, 4, udp(CLIENT, 5, SERVER, 6).ip)),
    ]
    path = tmp_path / "a.pcap"
    path.write_bytes(a_pcap(packets))
    program = find_tshark(os.environ)
    assert program is not None
    client, server = Address(CLIENT), Address(SERVER)
    assert conversation_counts(program, path) == {
        pair_ends(Protocol.TCP, (client, 40000), (server, 8080)): Count(3, 162),
        pair_ends(Protocol.UDP, (Address(CLIENT6), 1), (Address(SERVER6), 2)): Count(2, 144),
        pair_ends(Protocol.SCTP, (client, 40000), (server, 3868)): Count(1, 66),
        pair_ends(Protocol.UDP, (client, 7), (server, 8)): Count(1, 106),
    }
