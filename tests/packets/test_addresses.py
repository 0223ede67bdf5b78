from __future__ import annotations

import ipaddress

import pytest

from kubectl_netpolgen.model.flow import Reach
from kubectl_netpolgen.packets.addresses import Addresses, halve


def packed(*ends: str) -> bytes:
    return b"".join(ipaddress.ip_address(end).packed for end in ends)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("10.0.0.1", "10.0.0.1"), ("fd00:0:0::1", "fd00::1"), ("::ffff:10.0.0.1", "10.0.0.1")],
)
def test_an_address_has_one_spelling(text: str, spelled: str) -> None:
    addresses = Addresses()
    assert [addresses.spell(packed(text)) for _ in range(2)] == [spelled, spelled]


@pytest.mark.parametrize(
    ("source", "destination", "reach"),
    [
        ("10.0.0.1", "10.0.0.2", Reach.PEERS),
        ("fd00::1", "2001:db8::1", Reach.PEERS),
        ("127.0.0.1", "127.0.0.6", Reach.LOOPBACK),
        ("10.0.0.1", "127.0.0.1", Reach.LOOPBACK),
        ("::1", "::1", Reach.LOOPBACK),
        ("10.0.0.1", "224.0.0.251", Reach.GROUP),
        ("10.0.0.1", "255.255.255.255", Reach.GROUP),
        ("0.0.0.0", "10.0.0.1", Reach.GROUP),
        ("::", "fd00::1", Reach.GROUP),
        ("fe80::1", "ff02::1", Reach.GROUP),
    ],
)
def test_packets_concern_peers_nobody_or_the_pod_alone(source: str, destination: str, reach: Reach) -> None:
    addresses = Addresses()
    pair = packed(source, destination)
    assert [addresses.reach(pair) for _ in range(2)] == [reach, reach]


def test_two_addresses_side_by_side_come_apart_in_both_families() -> None:
    assert halve(packed("10.0.0.1", "10.0.0.2")) == (packed("10.0.0.1"), packed("10.0.0.2"))
    assert halve(packed("fd00::1", "fd00::2")) == (packed("fd00::1"), packed("fd00::2"))
