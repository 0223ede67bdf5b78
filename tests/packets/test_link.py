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
    ethertype, at, vlan = find_network(frame, 0, len(frame), link=LINKS[number])
    assert ethertype == 0x0800
    assert frame[at:] == packet.ip
    assert vlan == (vlans[-1] if vlans else None)


TAGS = {
    "mpls": (0x8847, bytes.fromhex("0001 0040 0002 0140")),
    "pppoe": (0x8864, bytes.fromhex("1100 0001 0028 0021")),
    "backbone": (0x88E7, bytes(4) + bytes(12) + b"\x08\x00"),
    "fabric path": (0x8903, bytes(2) + bytes(12) + b"\x08\x00"),
    "service chain": (0x894F, bytes.fromhex("0002 0201 00000000") + bytes(0)),
    "service chain of frames": (0x894F, bytes.fromhex("0002 0203 00000000") + bytes(12) + b"\x08\x00"),
}


@pytest.mark.parametrize("tag", TAGS)
def test_the_network_layer_is_found_behind_other_headers(tag: str) -> None:
    kind, header = TAGS[tag]
    packet = tcp_syn().ip
    frame = bytes(12) + kind.to_bytes(2, "big") + header + packet
    found = find_network(frame, 0, len(frame), link=LINKS[ETHERNET])
    assert (found.ethertype, frame[found.at :], found.vlan) == (0x0800, packet, None)
    for size in range(len(frame) - len(packet)):
        cut = find_network(frame[:size], 0, size, link=LINKS[ETHERNET])
        assert cut.ethertype == 0 or cut.at <= size


def test_tags_without_end_are_walked_to_an_end() -> None:
    frame = bytes(12) + b"\x81\x00\x00\x01" * 5000
    assert find_network(frame, 0, len(frame), link=LINKS[ETHERNET]).ethertype == 0


@pytest.mark.parametrize("number", [0, 108, 12, 14, 101, 228, 229])
def test_links_without_an_ethertype_ask_the_packet_itself(number: int) -> None:
    for packet, ethertype in ((tcp_syn().ip, 0x0800), (tcp_syn("fd00::1", 1, "fd00::2", 2).ip, 0x86DD)):
        frame = bytes(LINKS[number].length) + packet
        assert find_network(frame, 0, len(frame), link=LINKS[number])[:2] == (
            ethertype,
            LINKS[number].length,
        )
    assert find_network(b"\x99" * 60, 0, 60, link=LINKS[number]).ethertype == 0
    assert find_network(b"", 0, 0, link=LINKS[number]).ethertype == 0


def test_cisco_hdlc_has_its_type_behind_address_and_control() -> None:
    frame = b"\x0f\x00\x08\x00" + tcp_syn().ip
    assert find_network(frame, 0, len(frame), link=LINKS[104])[:2] == (0x0800, 4)


@links
def test_ipv6_is_told_by_its_ethertype(number: int) -> None:
    frame = a_frame(tcp_syn("fd00::1", 40000, "fd00::2", 80), link=number)
    assert find_network(frame, 0, len(frame), link=LINKS[number])[0] == 0x86DD


@links
@given(cut=st.integers(0, 27))
def test_a_cut_frame_has_no_network_layer_beyond_its_end(number: int, cut: int) -> None:
    frame = a_frame(Packet(b"", vlans=(1, 2)), link=number)[:cut]
    ethertype, at, _ = find_network(frame, 0, len(frame), link=LINKS[number])
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
