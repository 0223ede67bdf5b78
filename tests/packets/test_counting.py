from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Tunnel
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.frames import frames_of_records
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.inexpressible import Inexpressible
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.signals import ACCEPTS, CARRIES, OPENS, PROHIBITED, REFUSED
from kubectl_netpolgen.packets.table import Context
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    LINUX_SLL,
    LINUX_SLL2,
    MILLISECOND,
    SECOND,
    SERVER,
    SERVER6,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_echo,
    icmp_unreachable,
    ip,
    sctp,
    tcp_close,
    tcp_handshake,
    tcp_syn,
    udp,
)
from tests.packets.factories_tunnels import fragments_of, in_vxlan

EVERY_LINK = (ETHERNET, LINUX_SLL, LINUX_SLL2)


def tally(packets: Sequence[Packet | bytes], *, link: int = ETHERNET, inner: bool = False) -> Tally:
    source = io.BytesIO(a_pcap(packets, link=link))
    found = Tally(inner=inner)
    found.count(frames_of_records(Records(source, read_header(source, Path("pod.pcap"))), LINKS[link]))
    return found


def shape(found: Tally, *, vlan: int | None = None) -> dict[tuple[int, bytes], tuple[object, ...]]:
    """Everything about the halves of one VLAN but their bytes."""
    return {
        (context.protocol, key): (
            half.packets,
            half.first,
            half.last,
            half.signals,
            half.openings,
            half.acceptances,
            half.more.questions,
        )
        for context, halves in found.table.rows.items()
        for key, half in halves.items()
        if context.vlan == vlan
    }


def halves_of(found: Tally, protocol: int) -> list[Half]:
    return list(found.table.rows[Context(protocol)].values())


@pytest.mark.parametrize("link", EVERY_LINK)
@pytest.mark.parametrize("ends", [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_a_connection_is_two_halves_on_every_link(link: int, ends: tuple[str, str]) -> None:
    client, server = ends
    packets = tcp_handshake(client, 40000, server, 80) + tcp_close(client, 40000, server, 80)
    there, back = halves_of(tally(packets, link=link), TCP)
    assert (there.packets, back.packets) == (3, 2)
    assert (there.signals, back.signals) == (OPENS | CARRIES, ACCEPTS | CARRIES)
    assert there.openings == back.acceptances == (1000,)
    assert (there.first, back.last) == (START, START + SECOND + MILLISECOND)


mixed = st.lists(
    st.one_of(
        st.builds(
            tcp_syn,
            client_port=st.integers(1, 4),
            isn=st.integers(0, 2**32 - 1),
            time=st.integers(START, START + SECOND).map(lambda time: time // 1000 * 1000),
        ),
        st.builds(tcp_syn, st.just(CLIENT6), st.integers(1, 4), st.just(SERVER6)),
        st.builds(udp, source_port=st.integers(0, 4), payload=st.binary(max_size=60)),
        st.builds(udp, destination_port=st.just(53), payload=st.binary(max_size=60)),
        st.builds(dns_query, st.sampled_from(["a.test", "b.test"]), transaction=st.integers(0, 65535)),
        st.just(udp("127.0.0.1", 1, "127.0.0.1", 2)),
        st.just(icmp_echo()),
    ),
    max_size=30,
)


@given(mixed)
def test_a_vlan_tag_changes_the_row_and_nothing_else(packets: list[Packet]) -> None:
    plain = tally(packets)
    tagged = tally([replace(packet, vlans=(7,)) for packet in packets])
    assert shape(plain) == shape(tagged, vlan=7)
    assert shape(tagged) == {}
    assert plain.unread == tagged.unread


@pytest.mark.parametrize("link", [LINUX_SLL, LINUX_SLL2])
def test_a_frame_on_its_second_interface_is_left_out(link: int) -> None:
    packets = [
        sight
        for packet in (*tcp_handshake(), udp(payload=b"1"), udp(payload=b"2"), *tcp_close(), sctp(chunk=1))
        for sight in (packet, packet.on(3, packet_type=4).at(packet.time + 1000))
    ]
    found = tally(packets, link=link)
    once = tally(packets[::2], link=link)
    assert {key: value[0] for key, value in shape(found).items()} == {
        key: value[0] for key, value in shape(once).items()
    }
    assert found.repeats == len(packets) // 2
    assert sum(half.more.duplicates for half in halves_of(found, TCP)) == 5


def test_a_retransmission_on_one_interface_counts_and_on_ethernet_everything_does() -> None:
    syn = tcp_syn()
    assert halves_of(tally([syn, syn.at(START + MILLISECOND)], link=LINUX_SLL2), TCP)[0].packets == 2
    assert halves_of(tally([syn, syn.on(3)]), TCP)[0].packets == 2


def lines(found: Tally) -> tuple[str, ...]:
    inexpressible = Inexpressible(found.addresses)
    inexpressible.add_rows(found.table.rows)
    return inexpressible.lines()


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (udp(destination="224.0.0.251", destination_port=5353), "UDP 10.244.1.5 > 224.0.0.251"),
        (udp("0.0.0.0", 68, "255.255.255.255", 67), "UDP 0.0.0.0 > 255.255.255.255"),
        (replace(udp(destination="10.244.1.255"), broadcast=True), "UDP 10.244.1.5 > 10.244.1.255"),
        (udp(destination_port=0), "UDP 10.244.1.5 > 10.244.2.7"),
    ],
)
def test_groups_and_port_zero_have_rows_that_no_policy_can_express(packet: Packet, line: str) -> None:
    found = tally([packet])
    assert len(shape(found)) == 1
    assert lines(found) == (line,)


def test_loopback_is_nothing_to_express() -> None:
    found = tally([udp("127.0.0.1", 1, "127.0.0.1", 2), tcp_syn("::1", 1, "::1", 2), icmp_echo("127.0.0.1")])
    assert len(shape(found)) == 3
    assert lines(found) == ()


@pytest.mark.parametrize(
    ("packet", "expressed"),
    [
        (icmp_echo(), ("ICMP 10.244.1.5 > 10.244.2.7",)),
        (icmp_echo(CLIENT6, SERVER6), ("ICMPv6 fd00:10:244:1::5 > fd00:10:244:2::7",)),
        (Packet(ip(CLIENT, SERVER, 47, bytes(20))), ("GRE 10.244.1.5 > 10.244.2.7",)),
        (Packet(ip(CLIENT, SERVER, 17, bytes(20), fragment=3)), ()),
        (Packet(ip(CLIENT, SERVER, 6, b"\x9c\x40\0")), ()),
        (icmp_unreachable(udp()), ()),
        (bytes(12) + b"\x08\x06" + bytes(28), ()),
        (b"", ()),
    ],
)
def test_what_is_no_tcp_udp_or_sctp_is_unread(packet: Packet | bytes, expressed: tuple[str, ...]) -> None:
    found = tally([packet])
    assert not {protocol for protocol, _ in shape(found)} & {TCP, UDP, SCTP}
    assert found.unread + found.later_fragments == 1
    assert lines(found) == expressed


@pytest.mark.parametrize(
    ("packet", "code", "signal"),
    [
        (udp(), 3, REFUSED),
        (tcp_syn(), 3, REFUSED | OPENS),
        (tcp_syn(), 13, PROHIBITED | OPENS),
        (tcp_syn(), 1, OPENS),
        (udp(CLIENT6, 40000, SERVER6, 9), 4, REFUSED),
    ],
)
def test_icmp_marks_the_conversation_it_quotes(packet: Packet, code: int, signal: int) -> None:
    found = tally([packet, icmp_unreachable(packet, code=code)])
    (half,) = [half for protocol in (TCP, UDP) for half in halves_of(found, protocol)]
    assert (half.packets, half.signals) == (1, signal)
    assert found.unread == 1


def test_a_frame_that_was_cut_behind_the_ports_still_counts_with_its_wire_length() -> None:
    packet = replace(tcp_syn(), captured=14 + 20 + 4)
    found = tally([packet, packet])
    (half,) = halves_of(found, TCP)
    assert (half.packets, half.bytes, half.signals) == (2, 2 * 54, 0)


def test_sctp_handshakes_share_the_clients_tag() -> None:
    packets = [
        sctp(chunk=1, initiate_tag=0xCAFE),
        sctp(SERVER, 3868, CLIENT, 40000, chunk=2, verification_tag=0xCAFE, initiate_tag=1),
        sctp(chunk=0, verification_tag=1),
    ]
    there, back = halves_of(tally(packets), SCTP)
    assert there.openings == back.acceptances == (0xCAFE,)
    assert (there.signals, back.signals) == (OPENS | CARRIES, ACCEPTS)


def test_an_error_may_come_before_what_it_quotes() -> None:
    (half,) = [
        half
        for rows in tally([icmp_unreachable(udp()), udp()]).table.parts()
        for half in rows[Context(UDP)].values()
    ]
    assert (half.packets, half.first, half.signals) == (1, START, REFUSED)


def test_dns_is_heard_on_its_port_only() -> None:
    packets = [dns_query(), dns_answer(), udp(payload=dns_query().ip[28:])]
    found = tally([*packets, *packets])
    assert [half.more.questions for half in halves_of(found, UDP)] == [
        ("d1234:web.shop.svc.cluster.local",),
        ("d1234:web.shop.svc.cluster.local",),
        (),
    ]
    (answer,) = found.payloads.names.collected()
    assert (answer.address, answer.count) == (SERVER, 2)


def test_later_fragments_count_on_the_row_of_the_first_in_any_order() -> None:
    datagram = udp(payload=bytes(64)).ip[20:]
    first = Packet(ip(CLIENT, SERVER, 17, datagram[:40], more=1))
    later = Packet(ip(CLIENT, SERVER, 17, datagram[40:], fragment=5))
    for packets in ([first, later], [later, first]):
        found = tally(packets)
        (half,) = halves_of(found, UDP)
        assert (half.packets, half.more.fragments, half.more.fragment_bytes) == (1, 1, 14 + 20 + 32)
        assert (found.later_fragments, found.fragments.attributed) == (1, 1)


def test_inner_packets_have_rows_beside_the_tunnels() -> None:
    inside = ip(CLIENT, SERVER, 6, tcp_syn().ip[20:])
    packet = Packet(ip("10.0.0.1", "10.0.0.2", 4, inside))
    assert Context(TCP, None, Tunnel.IPIP) not in tally([packet]).table.rows
    (half,) = tally([packet], inner=True).table.rows[Context(TCP, None, Tunnel.IPIP)].values()
    assert (half.packets, half.bytes, half.signals) == (1, 14 + 20 + len(inside), OPENS)


def test_what_a_second_interface_shows_is_left_out_in_tunnels_and_fragments_too() -> None:
    tunnelled = in_vxlan(udp())
    fragments = fragments_of(udp(payload=bytes(60)))
    packets = [sight for packet in (tunnelled, *fragments) for sight in (packet, packet.on(3, packet_type=4))]
    found = tally(packets, link=LINUX_SLL2, inner=True)
    (inside,) = found.table.rows[Context(UDP, None, Tunnel.VXLAN)].values()
    assert (inside.packets, inside.more.duplicates) == (1, 1)
    assert found.later_fragments == found.fragments.attributed == len(fragments) - 1
    assert found.repeats == len(packets) // 2


def test_fragments_inside_a_tunnel_are_no_packets_of_their_own() -> None:
    packets = [in_vxlan(packet) for packet in fragments_of(udp(payload=bytes(60)))]
    found = tally(packets, inner=True)
    assert (found.later_fragments, found.fragments.attributed, found.unread) == (0, 0, 0)
    (inside,) = found.table.rows[Context(UDP, None, Tunnel.VXLAN)].values()
    assert inside.more.fragments == len(packets) - 1
