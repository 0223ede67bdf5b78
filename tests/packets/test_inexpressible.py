from __future__ import annotations

import ipaddress

import pytest

from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.inexpressible import MOST_LINES, Inexpressible, is_housekeeping
from kubectl_netpolgen.packets.network import ICMP, ICMPV6


def pair(source: str, destination: str) -> bytes:
    return ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed


def test_lines_are_sorted_distinct_and_name_their_protocol() -> None:
    found = Inexpressible(Addresses())
    for protocol in (2, 17, 17, 47, 200):
        found.add(protocol, pair("10.0.0.2", "10.0.0.1"))
    found.add(ICMPV6, pair("fd00::1", "fd00::2"))
    assert found.lines() == (
        "GRE 10.0.0.2 > 10.0.0.1",
        "ICMPv6 fd00::1 > fd00::2",
        "IGMP 10.0.0.2 > 10.0.0.1",
        "IP-200 10.0.0.2 > 10.0.0.1",
        "UDP 10.0.0.2 > 10.0.0.1",
    )
    assert not found.overflowed


def test_a_scan_fills_no_more_than_its_share() -> None:
    found = Inexpressible(Addresses())
    for number in range(MOST_LINES + 1):
        found.add(ICMP, bytes(4) + number.to_bytes(4, "big"))
    found.add(ICMP, bytes(8))
    assert len(found.lines()) == MOST_LINES
    assert found.overflowed


@pytest.mark.parametrize(
    ("protocol", "kind", "housekeeping"),
    [
        (ICMP, 8, False),
        (ICMP, 0, False),
        (ICMP, 3, True),
        (ICMP, 11, True),
        (ICMPV6, 128, False),
        (ICMPV6, 1, True),
        (ICMPV6, 135, True),
        (ICMPV6, 143, True),
        (47, 3, False),
    ],
)
def test_echo_is_traffic_and_errors_and_neighbour_discovery_are_not(
    protocol: int, kind: int, housekeeping: bool
) -> None:
    assert is_housekeeping(protocol, kind) is housekeeping
