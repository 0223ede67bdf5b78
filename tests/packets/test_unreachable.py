from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6
from kubectl_netpolgen.packets.network import ICMP, ICMPV6, Transport, find_transport
from kubectl_netpolgen.packets.signals import PROHIBITED, REFUSED
from kubectl_netpolgen.packets.unreachable import quoted_failure
from tests.packets.factories import CLIENT6, SERVER6, Packet, icmp_echo, icmp_unreachable, ip, udp


def read(packet: Packet) -> tuple[int, Transport] | None:
    six = packet.ip[0] >> 4 == 6
    error = find_transport(packet.ip, 0, len(packet.ip), ethertype=ETHERTYPE_IPV6 if six else ETHERTYPE_IPV4)
    assert error is not None
    return quoted_failure(packet.ip, error)


@pytest.mark.parametrize(
    ("code", "signal"), [(3, REFUSED), (9, PROHIBITED), (10, PROHIBITED), (13, PROHIBITED)]
)
def test_ipv4_codes_tell_refused_from_prohibited(code: int, signal: int) -> None:
    quoted = udp()
    error = icmp_unreachable(quoted, code=code)
    found = read(error)
    assert found is not None
    assert found[0] == signal
    assert found[1].addresses == quoted.ip[12:20]
    assert error.ip[found[1].at :][:4] == quoted.ip[20:24]


@pytest.mark.parametrize(
    ("code", "signal"), [(4, REFUSED), (1, PROHIBITED), (5, PROHIBITED), (6, PROHIBITED)]
)
def test_ipv6_codes_tell_refused_from_prohibited(code: int, signal: int) -> None:
    found = read(icmp_unreachable(udp(CLIENT6, 40000, SERVER6, 8125), code=code))
    assert found is not None
    assert found[0] == signal


@pytest.mark.parametrize("code", [0, 1, 2, 4, 255])
def test_no_route_and_the_like_leave_the_attempt_unanswered(code: int) -> None:
    assert read(icmp_unreachable(udp(), code=code)) is None


def test_a_ping_is_no_error() -> None:
    assert read(icmp_echo()) is None


def test_a_quoted_later_fragment_names_no_port() -> None:
    quoted = Packet(ip("10.0.0.1", "10.0.0.2", 17, bytes(16), fragment=8))
    assert read(icmp_unreachable(quoted)) is None


@given(st.binary(max_size=80), st.sampled_from([ICMP, ICMPV6, 17]), st.booleans())
def test_any_quotation_is_survived(body: bytes, protocol: int, fragment: bool) -> None:
    error = Transport(protocol, bytes(8), 0, len(body), later_fragment=fragment)
    found = quoted_failure(body, error)
    if found is not None:
        assert found[1].at + 4 <= len(body)
