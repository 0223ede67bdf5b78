from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Tunnel
from kubectl_netpolgen.packets.link import ETHERNET, find_network
from kubectl_netpolgen.packets.network import TCP, UDP, Transport, find_transport
from kubectl_netpolgen.packets.tunnels import Inner, find_inner
from tests.packets.factories import CLIENT6, SERVER6, Packet, a_frame, ip, tcp_syn, udp
from tests.packets.factories_tunnels import (
    NODE6,
    OTHER_NODE6,
    VXLAN_FLANNEL,
    VXLAN_IANA,
    fragments_of,
    in_geneve,
    in_gre,
    in_ip,
    in_vxlan,
)

INSIDE = tcp_syn()
INSIDE6 = tcp_syn(CLIENT6, 1, SERVER6, 2)
Wrap = Callable[[Packet], Packet]

WRAPS: dict[str, tuple[Tunnel, Wrap]] = {
    "VXLAN of flannel": (Tunnel.VXLAN, in_vxlan),
    "VXLAN of IANA": (Tunnel.VXLAN, lambda packet: in_vxlan(packet, port=VXLAN_IANA)),
    "VXLAN over IPv6": (
        Tunnel.VXLAN,
        lambda packet: in_vxlan(packet, source=NODE6, destination=OTHER_NODE6),
    ),
    "Geneve": (Tunnel.GENEVE, in_geneve),
    "Geneve with options": (Tunnel.GENEVE, lambda packet: in_geneve(packet, options=252)),
    "Geneve without Ethernet": (Tunnel.GENEVE, lambda packet: in_geneve(packet, options=8, bare=True)),
    "IP in IP": (Tunnel.IPIP, in_ip),
    "IP in IPv6": (Tunnel.IPIP, lambda packet: in_ip(packet, source=NODE6, destination=OTHER_NODE6)),
    "GRE": (Tunnel.GRE, in_gre),
    "GRE with Ethernet": (Tunnel.GRE, lambda packet: in_gre(packet, bare=False)),
    "GRE with a key": (Tunnel.GRE, lambda packet: in_gre(packet, flags=0x20)),
    "GRE with everything": (Tunnel.GRE, lambda packet: in_gre(packet, flags=0xB0, bare=False)),
}


def look_into(packet: Packet, *, captured: int | None = None) -> tuple[bytes, Inner | None]:
    frame = a_frame(packet)[:captured]
    return frame, inner_of(frame)


def inner_of(frame: bytes) -> Inner | None:
    ethertype, at, _ = find_network(frame, 0, len(frame), link=ETHERNET)
    outer = find_transport(frame, at, len(frame), ethertype=ethertype)
    return None if outer is None else find_inner(frame, outer)


def content(frame: bytes, packet: Transport) -> tuple[int, bytes, bytes]:
    """What a packet carries, wherever it lies."""
    return packet.protocol, packet.addresses, frame[packet.at : packet.end]


def alone(packet: Packet) -> tuple[int, bytes, bytes]:
    """The same of the packet outside of any tunnel."""
    found = find_transport(
        packet.ip, 0, len(packet.ip), ethertype=0x86DD if packet.ip[0] >> 4 == 6 else 0x0800
    )
    assert found is not None
    return content(packet.ip, found)


@pytest.mark.parametrize(("tunnel", "wrap"), WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("packet", [INSIDE, INSIDE6, udp()], ids=["TCP", "IPv6", "UDP"])
def test_the_packet_inside_is_found(tunnel: Tunnel, wrap: Wrap, packet: Packet) -> None:
    frame, found = look_into(wrap(packet))
    assert found is not None
    assert (found.tunnel, found.vlan, content(frame, found.packet)) == (tunnel, None, alone(packet))


@pytest.mark.parametrize(("tunnel", "wrap"), WRAPS.values(), ids=WRAPS)
def test_a_tunnel_in_another_is_entered_too_and_the_inner_one_counts(tunnel: Tunnel, wrap: Wrap) -> None:
    for outer in (in_vxlan, in_gre, in_ip):
        frame, found = look_into(outer(wrap(INSIDE)))
        assert found is not None
        assert (found.tunnel, content(frame, found.packet)) == (tunnel, alone(INSIDE))


@pytest.mark.parametrize("wrap", [in_vxlan, in_geneve, lambda packet: in_gre(packet, bare=False)])
def test_the_vlan_inside_is_that_of_the_row(wrap: Wrap) -> None:
    _, found = look_into(wrap(replace(INSIDE, vlans=(9, 7))))
    assert found is not None
    assert (found.vlan, found.packet.protocol) == (7, TCP)


@pytest.mark.parametrize(
    "packet",
    [
        tcp_syn(),
        udp(),
        in_vxlan(INSIDE, port=VXLAN_FLANNEL + 1),
        # the flag says that there is a network identifier
        in_vxlan(INSIDE, flags=0),
        in_geneve(INSIDE, version=1),
        # version 1 is PPTP's, and routing has long been gone
        in_gre(INSIDE, version=1),
        in_gre(INSIDE, flags=0x40),
        # a frame that is no IP
        Packet(
            udp(destination_port=VXLAN_FLANNEL, payload=b"\x08" + bytes(7 + 12) + b"\x08\x06" + bytes(28)).ip
        ),
        Packet(ip("192.168.7.1", "192.168.7.2", 4, b"\x60" + bytes(40))),
        udp(source_port=VXLAN_FLANNEL, payload=in_vxlan(INSIDE).ip[28:]),
        fragments_of(in_ip(INSIDE))[1],
    ],
)
def test_what_is_no_tunnel_or_holds_nothing_readable_has_no_inside(packet: Packet) -> None:
    assert look_into(packet)[1] is None


def test_the_layers_that_are_readable_count() -> None:
    broken = Packet(b"\x45" + bytes(18))
    frame, found = look_into(in_gre(in_vxlan(broken)))
    assert found is not None
    assert (found.tunnel, found.packet.protocol) == (Tunnel.GRE, UDP)
    assert frame[found.packet.at + 2 : found.packet.at + 4] == VXLAN_FLANNEL.to_bytes(2, "big")


def test_the_first_fragment_of_a_tunnelled_packet_is_entered_as_far_as_it_goes() -> None:
    first = fragments_of(in_vxlan(INSIDE), 56)[0]
    frame, found = look_into(first)
    assert found is not None
    assert content(frame, found.packet) == (*alone(INSIDE)[:2], alone(INSIDE)[2][:6])


def test_layers_have_an_end() -> None:
    packet = INSIDE
    for _ in range(40):
        packet = in_ip(packet)
    _, found = look_into(packet)
    assert found is not None
    assert found.packet.protocol == 4


@given(
    st.sampled_from(sorted(WRAPS)),
    st.lists(st.tuples(st.integers(14, 200), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, 200),
)
def test_damage_never_raises_and_never_reaches_behind_the_frame(
    name: str, damage: list[tuple[int, int]], captured: int | None
) -> None:
    frame = bytearray(a_frame(in_vxlan(WRAPS[name][1](INSIDE))))
    for at, byte in damage:
        if at < len(frame):
            frame[at] = byte
    found = inner_of(bytes(frame[:captured]))
    if found is not None:
        assert found.packet.at <= len(frame[:captured])
        assert found.packet.end <= len(frame[:captured])
