from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.flows import build_flows
from kubectl_netpolgen.model.flow import Conversation, Direction, Flow, NameSource, PeerName, Reach, Tunnel
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.engines import PairTable
from kubectl_netpolgen.packets.frames import frames_of_records
from kubectl_netpolgen.packets.inexpressible import MOST_LINES
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Records, read_header
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    LINUX_SLL,
    LINUX_SLL2,
    SERVER,
    SERVER6,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_echo,
    icmp_unreachable,
    sctp,
    tcp_close,
    tcp_handshake,
    tcp_refusal,
    tcp_syn,
    tcp_syn_ack,
    udp,
)
from tests.packets.factories_tunnels import (
    NODE,
    OTHER_NODE,
    a_hello_in_two,
    a_request,
    fragments_of,
    in_gre,
    in_vxlan,
    said_over_tcp,
)

NEVER: frozenset[int] = frozenset()


def a_reading(
    packets: Sequence[Packet],
    *,
    link: int = ETHERNET,
    inner: bool = False,
    spilled_before: frozenset[int] = NEVER,
) -> Reading:
    """A capture that was read; its table was written to disk before these packets."""
    source = io.BytesIO(a_pcap(packets, link=link))
    tally = Tally(file="pod.pcap", inner=inner)
    for frame in frames_of_records(Records(source, read_header(source, "pod.pcap")), LINKS[link]):
        if frame.number in spilled_before:
            tally.table.spill()
        tally.meet(frame)
    reading = Reading("pod.pcap", tally, PairTable(tally.table))
    reading.packets = len(packets)
    return reading


def ports_of(conversations: Iterable[Conversation]) -> list[tuple[int, int]]:
    return [(item.client_port, item.server_port) for item in conversations]


ports = st.sampled_from([40000, 40001])
servers = st.sampled_from([SERVER, "10.244.2.8"])
groups = st.one_of(
    st.builds(tcp_handshake, st.just(CLIENT), ports, servers, isn=st.integers(0, 3)),
    st.builds(tcp_close, st.just(CLIENT), ports, servers, st.sampled_from([8080, 50000])),
    st.builds(lambda port, server: [tcp_refusal(CLIENT, port, server)], ports, servers),
    st.builds(
        lambda packet: [packet, icmp_unreachable(packet)], st.builds(udp, st.just(CLIENT), ports, servers)
    ),
    st.builds(lambda port: [udp(SERVER, 8125, CLIENT, port)], ports),
    st.builds(lambda name: [dns_query(name), dns_answer(name)], st.sampled_from(["a.test", "b.test"])),
    st.builds(a_hello_in_two, st.sampled_from(["a.test", "b.test"]), client_port=ports),
    st.builds(lambda host: said_over_tcp(a_request(host)), st.sampled_from(["c.test", "d.test"])),
    st.builds(lambda port: fragments_of(udp(source_port=port, payload=bytes(40))), ports),
    st.builds(tcp_handshake, st.just(CLIENT6), ports, st.just(SERVER6)),
    st.builds(tcp_handshake, st.just(f"::ffff:{CLIENT}"), ports, st.just(f"::ffff:{SERVER}")),
    st.just([replace(packet, vlans=(7,)) for packet in tcp_handshake()]),
    st.just([in_gre(udp()), in_vxlan(udp()), sctp(chunk=1, initiate_tag=7)]),
    st.just([icmp_echo(), udp(destination="224.0.0.251"), udp("127.0.0.1", 1, "127.0.0.1", 2)]),
    st.just([udp(source_port=0), replace(udp(destination="10.244.1.255"), broadcast=True)]),
)
captures = st.lists(groups, max_size=8).map(lambda parts: [packet for part in parts for packet in part])


def grouped(conversations: Iterable[Conversation]) -> list[Flow]:
    """Conversations added up by the code that analysis has for it, row by row."""
    rows: dict[object, list[Conversation]] = {}
    for item in conversations:
        order = (item.protocol.value, item.client, item.server, item.server_port, item.vlan, item.tunnel)
        rows.setdefault(order, []).append(item)
    found = []
    for row in rows.values():
        (flow,) = build_flows(row, capture="pod.pcap", pod_uid="")
        found.append(
            flow._replace(
                keys=(),
                names=tuple(sorted({name for item in row for name in item.names})),
                duplicates=sum(item.duplicates for item in row),
                later_fragments=sum(item.later_fragments for item in row),
                later_fragment_bytes=sum(item.later_fragment_bytes for item in row),
                vlan=row[0].vlan,
                tunnel=row[0].tunnel,
            )
        )
    return found


@given(captures, st.booleans())
def test_flows_are_the_conversations_without_their_client_ports(packets: list[Packet], inner: bool) -> None:
    with a_reading(packets, inner=inner) as reading:
        flows = list(reading.flows())
        expected = grouped(reading.conversations())
    assert sorted(flows, key=repr) == sorted(expected, key=repr)
    assert [flow.protocol.value for flow in flows] == sorted(flow.protocol.value for flow in flows)


@given(captures, st.frozensets(st.integers(0, 30), max_size=4), st.booleans())
def test_when_the_table_was_spilled_shows_in_no_row(
    packets: list[Packet], moments: frozenset[int], inner: bool
) -> None:
    with (
        a_reading(packets, inner=inner) as whole,
        a_reading(packets, inner=inner, spilled_before=moments) as spilled,
    ):
        assert list(spilled.conversations()) == list(whole.conversations())
        assert list(spilled.flows()) == list(whole.flows())
        assert spilled.contents() == whole.contents()


@given(captures, st.sampled_from([ETHERNET, LINUX_SLL, LINUX_SLL2]), st.booleans())
def test_every_packet_is_in_a_conversation_or_left_out_or_unread(
    packets: list[Packet], link: int, twice: bool
) -> None:
    if twice:
        packets = [sight for packet in packets for sight in (packet, packet.on(3, packet_type=4))]
    with a_reading(packets, link=link) as reading:
        contents = reading.contents()
    kept = sum(item.packets_to_server + item.packets_to_client for item in contents.conversations)
    assert kept + contents.left_out_packets + contents.unread_packets == contents.packets == len(packets)
    assert all(item.reach is Reach.PEERS for item in contents.conversations)


def test_conversations_come_in_order_and_as_often_as_they_are_asked_for() -> None:
    packets = [
        udp(),
        udp(CLIENT6, 2, SERVER6, 1),
        replace(udp(), vlans=(3,)),
        udp(CLIENT, 33000, SERVER, 8125),
        *tcp_handshake(CLIENT, 40001),
        *tcp_handshake("9.0.0.1", 50000),
        sctp(chunk=1),
    ]
    with a_reading(packets, spilled_before=frozenset((4,))) as reading:
        found = list(reading.conversations())
        assert [(item.protocol.value, item.client, item.client_port, item.vlan) for item in found] == [
            ("SCTP", CLIENT, 40000, None),
            ("TCP", "9.0.0.1", 50000, None),
            ("TCP", CLIENT, 40001, None),
            ("UDP", CLIENT, 33000, None),
            ("UDP", CLIENT, 40000, None),
            ("UDP", CLIENT, 40000, 3),
            ("UDP", CLIENT6, 2, None),
        ]
        assert list(reading.conversations()) == found
        assert list(reading.flows()) == list(reading.flows())


def test_what_another_file_proves_turns_a_guess() -> None:
    with a_reading(tcp_close(CLIENT, 8080, SERVER, 40000)) as reading:
        other = a_reading([tcp_syn_ack("10.244.9.9", 1, SERVER, 40000)])
        (guess,), (known,) = reading.conversations(), reading.conversations(reading.proven | other.proven)
        assert (guess.direction, guess.server_port) == (Direction.HEURISTIC, 8080)
        assert (known.direction, known.server_port) == (Direction.PROVEN, 40000)
        (flow,) = reading.flows(other.proven)
        assert (flow.direction, flow.server, flow.server_port) == (Direction.PROVEN, SERVER, 40000)


@pytest.mark.parametrize("tunnel", [Tunnel.VXLAN, Tunnel.GRE])
def test_inside_a_tunnel_are_rows_beside_its_own(tunnel: Tunnel) -> None:
    wrap = in_vxlan if tunnel is Tunnel.VXLAN else in_gre
    packets = [wrap(packet) for packet in tcp_handshake()]
    with a_reading(packets, inner=True) as reading:
        (inner, *outer) = reading.conversations()
    assert (inner.tunnel, inner.client, inner.server, inner.direction) == (
        tunnel,
        CLIENT,
        SERVER,
        Direction.SYN,
    )
    assert (inner.packets_to_server, inner.packets_to_client) == (2, 1)
    assert [(item.client, item.server, item.tunnel) for item in outer] == (
        [(NODE, OTHER_NODE, None)] if tunnel is Tunnel.VXLAN else []
    )
    with a_reading(packets) as reading:
        assert [item.tunnel for item in reading.conversations()] == [None] * len(outer)


@pytest.mark.parametrize("spilled_before", [NEVER, frozenset((1, 2, 3))])
def test_a_frame_on_its_second_interface_is_a_duplicate(spilled_before: frozenset[int]) -> None:
    packets = [sight for packet in tcp_handshake() for sight in (packet, packet.on(3, packet_type=4))]
    with a_reading(packets, link=LINUX_SLL2, spilled_before=spilled_before) as reading:
        ((found,), (flow,)) = reading.conversations(), reading.flows()
        assert reading.contents().left_out_packets == 3
    for row in (found, flow):
        assert (row.packets_to_server, row.packets_to_client, row.duplicates) == (2, 1, 3)


def test_names_are_what_clients_said_and_what_dns_told_of_the_server() -> None:
    packets = [
        *a_hello_in_two("sni.test"),
        *said_over_tcp(a_request("web.test"), client_port=40001),
        dns_query("dns.test"),
        dns_answer("dns.test", (SERVER,)),
        dns_answer("elsewhere.test", ("10.9.9.9",)),
    ]
    sni, web, dns = (
        PeerName("sni.test", NameSource.SNI),
        PeerName("web.test", NameSource.HTTP),
        PeerName("dns.test", NameSource.DNS),
    )
    with a_reading(packets) as reading:
        names = {item.client_port: item.names for item in reading.conversations()}
        (flow,) = [flow for flow in reading.flows() if flow.protocol is Protocol.TCP]
        assert [answer.name for answer in reading.names] == [
            "dns.test",
            "elsewhere.test",
            "sni.test",
            "web.test",
        ]
    assert names == {40000: (dns, sni), 40001: (dns, web), 41000: ()}
    assert flow.names == (dns, sni, web)


def test_contents_hold_peers_only_and_list_what_policies_cannot_express() -> None:
    packets = [
        tcp_syn(),
        icmp_echo(),
        udp(destination="224.0.0.251"),
        udp(source_port=0),
        tcp_syn("::1", 1, "::1"),
    ]
    with a_reading(packets) as reading:
        contents = reading.contents()
        assert ports_of(contents.conversations) == [(40000, 8080)]
        assert len(ports_of(reading.conversations())) == 4
    assert (contents.left_out_packets, contents.unread_packets) == (3, 1)
    assert contents.inexpressible == (
        "ICMP 10.244.1.5 > 10.244.2.7",
        "UDP 10.244.1.5 > 10.244.2.7",
        "UDP 10.244.1.5 > 224.0.0.251",
    )
    assert contents.cut_short == ()


def test_contents_tell_what_was_not_listed_and_not_read() -> None:
    packets = [icmp_echo(f"10.1.{number >> 8}.{number & 255}") for number in range(MOST_LINES + 1)]
    with a_reading(packets) as reading:
        reading.notes = ("odd",)
        reading.truncated = "cut"
        reading.unread_links = {147: 2}
        contents = reading.contents()
    assert len(contents.inexpressible) == MOST_LINES
    assert contents.cut_short[0] == "odd"
    assert str(MOST_LINES) in contents.cut_short[1]
    assert (contents.truncated, contents.unread_packets) == ("cut", MOST_LINES + 3)


def test_temporary_files_are_given_back_when_it_is_closed() -> None:
    with a_reading(tcp_handshake(), spilled_before=frozenset((1,))) as reading:
        assert len(list(reading.conversations())) == 1
    with pytest.raises(ValueError, match="closed"):
        list(reading.conversations())
