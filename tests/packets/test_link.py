from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.link import LINKS, find_network, is_broadcast
from tests.packets.factories import ETHERNET, LINUX_SLL, LINUX_SLL2, Packet, a_frame, tcp_syn, udp

links = pytest.mark.parametrize("number", [ETHERNET, LINUX_SLL, LINUX_SLL2])


@links
@pytest.mark.parametrize("vlans", [(), (7,), (7, 8)])
def test_the_network_layer_is_found_behind_vlan_tags(number: int, vlans: tuple[int, ...]) -> None:
    packet = replace(tcp_syn(), vlans=vlans)
    frame = a_frame(packet, link=number)
    ethertype, at = find_network(frame, 0, len(frame), link=LINKS[number])
    assert ethertype == 0x0800
    assert frame[at:] == packet.ip


@links
def test_ipv6_is_told_by_its_ethertype(number: int) -> None:
    frame = a_frame(tcp_syn("fd00::1", 40000, "fd00::2", 80), link=number)
    assert find_network(frame, 0, len(frame), link=LINKS[number])[0] == 0x86DD


@links
@given(cut=st.integers(0, 27))
def test_a_cut_frame_has_no_network_layer_beyond_its_end(number: int, cut: int) -> None:
    frame = a_frame(Packet(b"", vlans=(1, 2)), link=number)[:cut]
    ethertype, at = find_network(frame, 0, len(frame), link=LINKS[number])
    assert ethertype == 0 or at <= len(frame)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(ETHERNET, {"broadcast": True}), (LINUX_SLL, {"packet_type": 1}), (LINUX_SLL2, {"packet_type": 1})],
)
def test_a_frame_to_everyone_marks_a_subnets_broadcast_address(number: int, shown: dict[str, int]) -> None:
    link = LINKS[number]
    to_all = udp(destination="10.244.1.255")
    to_one = udp(destination="10.244.1.254")
    everyone = a_frame(replace(to_all, **shown), link=number)  # type: ignore[arg-type]
    assert is_broadcast(everyone, 0, to_all.ip[12:20], link=link)
    assert not is_broadcast(a_frame(to_all, link=number), 0, to_all.ip[12:20], link=link)
    assert not is_broadcast(everyone, 0, to_one.ip[12:20], link=link)


def test_ipv6_has_no_broadcast() -> None:
    frame = a_frame(replace(udp("fd00::1", 1, "fd00::ff", 2), broadcast=True))
    assert not is_broadcast(frame, 0, bytes(31) + b"\xff", link=LINKS[ETHERNET])
