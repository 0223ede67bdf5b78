from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import CaptureContents, Direction, NameAnswer, Outcome
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.inexpressible import MOST_LINES
from kubectl_netpolgen.packets.names import MOST_ANSWERS
from kubectl_netpolgen.packets.reading import NotACapture, UnreadableCapture, read_capture
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    LINUX_SLL,
    LINUX_SLL2,
    SERVER,
    SERVER6,
    Packet,
    a_frame,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_echo,
    icmp_unreachable,
    ip,
    sctp,
    tcp_close,
    tcp_handshake,
    tcp_refusal,
    tcp_syn,
    tcp_syn_ack,
    udp,
)
from tests.packets.factories_pcapng import a_packet, a_pcapng, a_section, an_interface

EVERYTHING: Sequence[Packet] = [
    *tcp_handshake(),
    *tcp_close(),
    *tcp_handshake(CLIENT6, 50000, SERVER6, 443, isn=0xFFFFFFFF),
    tcp_syn(client_port=40001),
    tcp_refusal(client_port=40001),
    dns_query("api.example.test"),
    dns_answer("api.example.test", ["203.0.113.10", "2001:db8::10"]),
    udp(),
    icmp_unreachable(udp()),
    icmp_echo(),
    udp("127.0.0.1", 1, "127.0.0.1", 2),
    udp(destination="224.0.0.251"),
    sctp(chunk=1),
    Packet(
        ip(CLIENT6, SERVER6, 17, bytes(20), extensions=[(0, b"\0" + bytes(6)), (44, b"\0\0\x08" + bytes(4))])
    ),
    Packet(ip(CLIENT, SERVER, 17, bytes(20), fragment=9)),
]
tolerant = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(directory: Path, content: bytes) -> CaptureContents:
    path = directory / "pod.pcap"
    path.write_bytes(content)
    return read_capture(path)


def assert_everything_is_accounted_for(contents: CaptureContents) -> None:
    counted = sum(item.packets_to_server + item.packets_to_client for item in contents.conversations)
    assert contents.packets == counted + contents.unread_packets + contents.left_out_packets
    for item in contents.conversations:
        assert item.first <= item.last
        assert item.connections >= 1
        assert item.client_port
        assert item.server_port
        assert len(item.keys) <= 64
    for name in contents.names:
        assert name.name.isprintable()


@pytest.mark.parametrize("link", [ETHERNET, LINUX_SLL, LINUX_SLL2])
@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_every_form_of_the_file_says_the_same(
    tmp_path: Path, link: int, byte_order: str, nanoseconds: bool
) -> None:
    found = read(tmp_path, a_pcap(EVERYTHING, link=link, byte_order=byte_order, nanoseconds=nanoseconds))
    assert [
        (item.protocol.value, item.client_port, item.server_port, item.direction, item.outcome)
        for item in found.conversations
    ] == [
        ("SCTP", 40000, 3868, Direction.SYN, Outcome.UNANSWERED),
        ("TCP", 40000, 8080, Direction.SYN, Outcome.ESTABLISHED),
        ("TCP", 40001, 8080, Direction.SYN, Outcome.REFUSED),
        ("TCP", 50000, 443, Direction.SYN, Outcome.ESTABLISHED),
        ("UDP", 41000, 53, Direction.DECLARED, Outcome.ANSWERED),
        ("UDP", 40000, 8125, Direction.HEURISTIC, Outcome.REFUSED),
    ]
    assert [name.address for name in found.names] == ["203.0.113.10", "2001:db8::10"]
    assert found.inexpressible == ("ICMP 10.244.1.5 > 10.244.2.7", "UDP 10.244.1.5 > 224.0.0.251")
    assert (found.packets, found.truncated, found.cut_short) == (len(EVERYTHING), None, ())
    assert_everything_is_accounted_for(found)


@pytest.mark.parametrize("link", [ETHERNET, LINUX_SLL, LINUX_SLL2])
@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_every_container_says_the_same(tmp_path: Path, link: int, byte_order: str) -> None:
    plain = a_pcap(EVERYTHING, link=link)
    wanted = read(tmp_path, plain)
    for content in (
        a_pcap(EVERYTHING, link=link, byte_order=byte_order, modified=True),
        a_pcapng(EVERYTHING, link=link, byte_order=byte_order),
        gzip.compress(plain),
        gzip.compress(a_pcapng(EVERYTHING, link=link, byte_order=byte_order)),
        zstandard.compress(plain),
    ):
        assert read(tmp_path, content) == wanted


def test_every_interface_is_read_by_its_own_link_type(tmp_path: Path) -> None:
    syn, answer = tcp_syn(), tcp_syn_ack()
    content = a_section() + an_interface(link=127) + an_interface() + an_interface(link=LINUX_SLL)
    content += a_packet(bytes(60)) + a_packet(a_frame(syn), interface=1)
    content += a_packet(a_frame(answer, link=LINUX_SLL), interface=2) + a_packet(a_frame(answer), interface=1)
    found = read(tmp_path, content)
    assert (found.packets, found.unread_packets, len(found.conversations)) == (4, 1, 1)
    assert found.left_out_packets == 1
    assert_everything_is_accounted_for(found)


def test_a_pcapng_without_packets_is_empty_and_one_of_strange_links_refused(tmp_path: Path) -> None:
    empty = CaptureContents((), (), 0, 0, None)
    assert read(tmp_path, a_section()) == read(tmp_path, a_pcapng([])) == empty
    with pytest.raises(NotACapture, match=r"link type 105 \(IEEE 802.11\)"):
        read(tmp_path, a_pcapng([bytes(60)], link=105))


def test_a_compressed_file_that_ends_early_is_read_up_to_there_and_says_both(tmp_path: Path) -> None:
    engine = zlib.compressobj(wbits=31)
    compressed = engine.compress(a_pcap(tcp_handshake())[:-7]) + engine.flush(zlib.Z_SYNC_FLUSH)
    found = read(tmp_path, compressed)
    assert found.packets == 2
    assert found.truncated == (
        "record 3 at byte 164 is lost: it ends 7 bytes early "
        f"(the gzip data ends early, at byte {len(compressed)} of the file)"
    )


def test_an_undefined_version_is_read_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, a_pcap(tcp_handshake(), version=(9, 9)))
    assert found.packets == 3
    assert found.cut_short == ("pcap version 9.9 is not defined; the file was read as version 2.4",)


def test_counts_are_wire_lengths_with_the_link_header(tmp_path: Path) -> None:
    (found,) = read(tmp_path, a_pcap(tcp_handshake())).conversations
    assert (found.packets_to_server, found.bytes_to_server) == (2, 2 * 54)
    assert (found.packets_to_client, found.bytes_to_client) == (1, 54)


def test_a_sequence_number_that_wraps_is_the_same_at_both_ends(tmp_path: Path) -> None:
    isn = 0xFFFFFFFF
    (client,) = read(tmp_path, a_pcap([tcp_syn(isn=isn)])).conversations
    (server,) = read(tmp_path, a_pcap([tcp_syn_ack(isn=isn)])).conversations
    assert client.keys == server.keys == ("tffffffff",)
    assert (client.direction, server.direction) == (Direction.SYN, Direction.SYNACK)
    assert (client.client, client.server_port) == (server.client, server.server_port)


def test_port_reuse_is_several_connections_and_the_best_outcome_wins(tmp_path: Path) -> None:
    packets = [
        tcp_syn(isn=1),
        tcp_syn(isn=1),
        tcp_refusal(isn=1),
        *tcp_handshake(isn=2),
        tcp_syn(isn=3),
    ]
    (found,) = read(tmp_path, a_pcap(packets)).conversations
    assert (found.connections, found.outcome) == (3, Outcome.ESTABLISHED)
    assert found.keys == ("t00000001", "t00000002", "t00000003")


def test_a_connection_older_than_the_capture_is_known_by_its_two_fins(tmp_path: Path) -> None:
    (found,) = read(tmp_path, a_pcap(tcp_close())).conversations
    assert (found.direction, found.outcome) == (Direction.HEURISTIC, Outcome.ESTABLISHED)
    assert (found.server, found.server_port, found.keys) == (SERVER, 8080, ())


def test_a_response_without_its_query_is_still_an_answer_to_the_client(tmp_path: Path) -> None:
    found = read(tmp_path, a_pcap([dns_answer(aliases={"web.shop.svc.cluster.local": "b.test"})]))
    (item,) = found.conversations
    assert (item.protocol, item.client, item.server_port) == (Protocol.UDP, CLIENT, 53)
    assert (item.outcome, item.dns) == (Outcome.ANSWERED, True)
    (name,) = found.names
    assert name == NameAnswer(
        "web.shop.svc.cluster.local", Address(SERVER), ("b.test",), item.first, item.first
    )


def test_a_killed_writers_file_is_read_up_to_the_cut(tmp_path: Path) -> None:
    found = read(tmp_path, a_pcap(tcp_handshake())[:-7])
    assert found.packets == 2
    assert found.truncated is not None
    assert found.truncated.endswith("ends 7 bytes early")
    assert found.conversations[0].outcome is Outcome.ESTABLISHED


def test_a_capture_without_packets_is_empty_and_no_error(tmp_path: Path) -> None:
    assert read(tmp_path, a_pcap([])) == CaptureContents((), (), 0, 0, None)


@pytest.mark.parametrize(
    "content", [b"", b"\x0a\x0d\x0d\x0a" + bytes(60), a_pcap([])[:10], b"text\n" * 9, gzip.compress(b"text")]
)
def test_a_foreign_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NotACapture, match=r"pod\.pcap"):
        read(tmp_path, content)


def test_a_link_type_that_no_pod_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotACapture, match="link type 127"):
        read(tmp_path, a_pcap([b"x"], link=127))


def test_a_file_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCapture, match="No such file"):
        read_capture(tmp_path / "absent.pcap")
    with pytest.raises(UnreadableCapture, match="directory"):
        read_capture(tmp_path)


def test_what_the_bounds_leave_out_is_said(tmp_path: Path) -> None:
    pings = [icmp_echo(destination=f"10.0.{number // 250}.{number % 250 + 1}") for number in range(1001)]
    found = read(tmp_path, a_pcap(pings))
    assert len(found.inexpressible) == MOST_LINES
    assert len(found.cut_short) == 1


def test_more_names_than_there_is_room_for_are_said_to_be_left_out(tmp_path: Path) -> None:
    answers = [
        dns_answer("a.test", [f"10.{number}.{host // 250}.{host % 250 + 1}" for host in range(500)])
        for number in range(MOST_ANSWERS // 500 + 1)
    ]
    found = read(tmp_path, a_pcap(answers))
    assert len(found.names) == MOST_ANSWERS
    assert found.cut_short == (f"only the first {MOST_ANSWERS} names are kept",)


@tolerant
@given(data=st.data(), link=st.sampled_from([ETHERNET, LINUX_SLL, LINUX_SLL2]))
def test_no_damage_to_a_capture_raises_or_loses_a_packet(
    tmp_path: Path, data: st.DataObject, link: int
) -> None:
    content = bytearray(a_pcap(EVERYTHING, link=link))
    for _ in range(data.draw(st.integers(1, 20))):
        content[data.draw(st.integers(24, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert_everything_is_accounted_for(read(tmp_path, bytes(content)))


@tolerant
@given(frames=st.lists(st.binary(max_size=120), max_size=20), link=st.sampled_from([1, 113, 276]))
def test_frames_of_noise_are_counted_and_never_raise(tmp_path: Path, frames: list[bytes], link: int) -> None:
    found = read(tmp_path, a_pcap(frames, link=link))
    assert found.packets == len(frames)
    assert_everything_is_accounted_for(found)


@tolerant
@given(
    bodies=st.lists(st.tuples(st.sampled_from([1, 6, 17, 132]), st.binary(max_size=90)), max_size=20),
    six=st.booleans(),
)
def test_transport_headers_of_noise_are_counted_and_never_raise(
    tmp_path: Path, bodies: list[tuple[int, bytes]], six: bool
) -> None:
    ends = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    packets = [Packet(ip(*ends, protocol, body)) for protocol, body in bodies]
    assert_everything_is_accounted_for(read(tmp_path, a_pcap(packets)))


@tolerant
@given(length=st.integers(0, 600))
def test_a_cut_anywhere_is_survived(tmp_path: Path, length: int) -> None:
    content = a_pcap(EVERYTHING)[:length]
    if length < 24:
        with pytest.raises(NotACapture):
            read(tmp_path, content)
        return
    found = read(tmp_path, content)
    assert_everything_is_accounted_for(found)
    assert (found.truncated is None) == (length == 24 or length in _ends_of_records())


def _ends_of_records() -> set[int]:
    content, position, ends = a_pcap(EVERYTHING), 24, set()
    while position < len(content):
        position += 16 + struct.unpack_from("<I", content, position + 8)[0]
        ends.add(position)
    return ends
