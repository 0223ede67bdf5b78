from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.frames import frames_of_records
from kubectl_netpolgen.packets.link import ETHERNET
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.pcap import LONGEST_FRAME, Records, Stretch, read_header
from kubectl_netpolgen.packets.plain import PADDING, count_plain
from kubectl_netpolgen.packets.table import Context
from tests.packets.factories import (
    ACK,
    CLIENT,
    CLIENT6,
    DNS_SERVER,
    SECOND,
    SERVER,
    SERVER6,
    START,
    Packet,
    a_frame,
    a_pcap,
    dns_answer,
    dns_message,
    dns_query,
    icmp_echo,
    icmp_unreachable,
    ip,
    sctp,
    tcp,
    tcp_handshake,
    tcp_refusal,
    udp,
)
from tests.packets.factories_names import a_client_hello, a_dtls_client_hello, over_tcp
from tests.packets.factories_tunnels import a_hello_in_two, a_request, fragments_of, in_vxlan, said_over_tcp
from tests.packets.quic_datagrams import INITIAL

Told = tuple[object, ...]


class Hurried(Tally):
    """Has no time for a close look."""

    def meet(self, frame: Frame) -> None:
        raise AssertionError(f"{frame} is plain")


def quickly(capture: bytes, tally: Tally | None = None) -> Told:
    """What the quick loop makes of a capture."""
    source = io.BytesIO(capture)
    header = read_header(source, "pod.pcap")
    records, tally = Records(source, header), tally or Tally()
    records.walk(lambda stretch, number: count_plain(tally, stretch, header, number), padding=PADDING)
    tally.repeated.settle()
    return told(records, tally)


def closely(capture: bytes) -> Told:
    """What the close look at every packet makes of it."""
    source = io.BytesIO(capture)
    records, tally = Records(source, read_header(source, "pod.pcap")), Tally()
    tally.count(frames_of_records(records, ETHERNET))
    return told(records, tally)


def told(records: Records, tally: Tally) -> Told:
    """Everything that may differ."""
    proven = tally.table.proven()
    halves = {
        (context, key): half.as_row()
        for rows in tally.table.parts()
        for context, found in rows.items()
        for key, half in found.items()
    }
    return (
        halves,
        proven,
        tally.payloads.names.collected(),
        tally.payloads.selection.collected(),
        (sorted(tally.payloads.assembly.pending), tally.payloads.assembly.dropped),
        (tally.unread, tally.later_fragments, tally.fragments.attributed, tally.repeats),
        (records.count, records.truncated),
    )


ports = st.sampled_from([0, 53, 80, 443, 5353, 40000])
ends = st.sampled_from(
    [(CLIENT, SERVER), (CLIENT6, SERVER6), (f"::ffff:{CLIENT}", f"::ffff:{SERVER}"), (CLIENT, "10.244.2.255")]
)
payloads = st.one_of(
    st.binary(max_size=24),
    st.builds(
        lambda start, rest: bytes((start,)) + rest, st.sampled_from(b"\x16GPC\xc3\0"), st.binary(max_size=20)
    ),
    st.builds(a_request, st.sampled_from(["a.test", "b.test:80", "10.0.0.1"])),
    st.builds(a_client_hello, st.sampled_from(["a.test", "b.test", None])),
    st.builds(a_dtls_client_hello, st.sampled_from(["a.test", None])),
    st.just(dns_message()),
    st.just(over_tcp(dns_message(), dns_message("b.test"))),
    st.just(INITIAL),
)
segments = st.builds(
    lambda both, one, other, flags, sequence, payload, time: tcp(
        both[0], one, both[1], other, flags=flags, sequence=sequence, payload=payload, time=time
    ),
    ends,
    ports,
    ports,
    st.integers(0, 255),
    st.sampled_from([0, 1, 7, 2**32 - 1]),
    payloads,
    st.integers(START, START + SECOND),
)
datagrams = st.builds(
    lambda both, one, other, payload, time: udp(both[0], one, both[1], other, payload=payload, time=time),
    ends,
    ports,
    ports,
    payloads,
    st.integers(START, START + SECOND),
)
oddly_headed = st.builds(
    lambda protocol, body, options, fragment, more, total: Packet(
        ip(CLIENT, SERVER, protocol, body, options=options, fragment=fragment, more=more, total=total)
    ),
    st.sampled_from([TCP, UDP, 132, 1]),
    st.binary(max_size=64),
    st.sampled_from([b"", bytes(4), bytes(40)]),
    st.sampled_from([0, 0, 1, 64]),
    st.integers(0, 1),
    st.none() | st.integers(0, 90) | st.just(0xFFFF),
)
oddly_headed_six = st.builds(
    lambda protocol, body, extensions, total: Packet(
        ip(CLIENT6, SERVER6, protocol, body, extensions=extensions, total=total)
    ),
    st.sampled_from([TCP, UDP, 58]),
    st.binary(max_size=64),
    st.lists(st.sampled_from([(0, bytes(7)), (60, bytes(7)), (44, b"\0\0\1\0\0\0\1")]), max_size=2),
    st.none() | st.integers(0, 90),
)
exchanges = st.one_of(
    st.builds(tcp_handshake, client_port=ports, isn=st.integers(0, 2**32 - 1)),
    st.builds(a_hello_in_two, st.sampled_from(["a.test", "b.test"]), cut=st.integers(1, 120)),
    st.builds(a_hello_in_two, cut=st.integers(1, 120)).map(lambda both: both[::-1]),
    st.builds(fragments_of, datagrams, st.sampled_from([8, 16])),
    st.builds(fragments_of, datagrams | segments, st.sampled_from([24, 40])).map(lambda parts: parts[::-1]),
    st.builds(lambda packet: [packet, icmp_unreachable(packet)], datagrams),
    st.just([dns_query(), dns_answer(), tcp_refusal(), icmp_echo(), sctp(chunk=1, initiate_tag=5)]),
    st.just([in_vxlan(udp()), *said_over_tcp(b"\0\x1c", dns_message(), server=DNS_SERVER, server_port=53)]),
)
singles = segments | datagrams | oddly_headed | oddly_headed_six


@st.composite
def mutated(draw: st.DrawFn) -> Packet | bytes:
    """A packet with a byte that is wrong, on a link that tags, broadcasts, cuts or pads it."""
    packet = draw(singles)
    raw = bytearray(packet.ip)
    for at in draw(st.lists(st.integers(0, len(raw) - 1), max_size=2)):
        raw[at] = draw(st.integers(0, 255))
    packet = replace(
        packet,
        ip=bytes(raw) + bytes(draw(st.sampled_from([0, 0, 6, 18]))),
        vlans=draw(st.sampled_from([(), (), (7,), (7, 8)])),
        broadcast=draw(st.booleans()),
        captured=draw(st.none() | st.integers(0, 90)),
    )
    if draw(st.booleans()):
        return packet
    frame = bytearray(a_frame(packet))
    frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame)


captures = st.lists(
    exchanges
    | st.lists(singles, max_size=3)
    | st.lists(mutated(), max_size=3)
    | st.lists(st.binary(max_size=60)),
    max_size=6,
).map(lambda groups: [packet for group in groups for packet in group])
kinds = st.fixed_dictionaries(
    {"byte_order": st.sampled_from("<>"), "nanoseconds": st.booleans(), "modified": st.booleans()}
)


def written(packets: Sequence[Packet | bytes], kind: dict[str, object]) -> bytes:
    return a_pcap(
        packets,
        byte_order=str(kind["byte_order"]),
        nanoseconds=bool(kind["nanoseconds"]),
        modified=bool(kind["modified"]),
    )


def with_offset(packet: Packet, words: int) -> Packet:
    """The segment with so many words of header, few enough to be wrong."""
    at = len(packet.ip) - 20 + 12 if packet.ip[0] >> 4 == 6 else 20 + 12
    return replace(packet, ip=packet.ip[:at] + bytes((words << 4,)) + packet.ip[at + 1 :])


def resized(packet: Packet, total: int) -> Packet:
    """The packet with another length in its IP header, and padded."""
    at = 4 if packet.ip[0] >> 4 == 6 else 2
    return replace(packet, ip=packet.ip[:at] + total.to_bytes(2, "big") + packet.ip[at + 2 :] + bytes(20))


segment, datagram = tcp_handshake()[0], udp(payload=bytes(30))
segment_six, datagram_six = tcp_handshake(CLIENT6, 1, SERVER6, 2)[0], udp(CLIENT6, 1, SERVER6, 2)
ALMOST_PLAIN = {
    "broadcast": replace(udp(destination="10.244.2.255", payload=bytes(30)), broadcast=True),
    "broadcast by the link alone": replace(datagram, broadcast=True),
    "multicast": a_frame(datagram).replace(b"\x02\0\0\0\0\x01", b"\x01\0\x5e\0\0\x01", 1),
    "options of IPv4": Packet(ip(CLIENT, SERVER, TCP, segment.ip[20:], options=bytes(8))),
    "a fragment": Packet(ip(CLIENT, SERVER, UDP, datagram.ip[20:], more=1)),
    "a later fragment": Packet(ip(CLIENT, SERVER, UDP, datagram.ip[20:], fragment=1)),
    "the reserved bit": Packet(ip(CLIENT, SERVER, UDP, datagram.ip[20:], more=4)),
    "an extension": Packet(ip(CLIENT6, SERVER6, UDP, datagram.ip[20:], extensions=[(60, bytes(7))])),
    "version 5": replace(segment, ip=b"\x55" + segment.ip[1:]),
    "version 4 behind IPv6's type": a_frame(segment_six)[:14] + b"\x45" + segment_six.ip[1:],
    "IPv6 behind IPv4's type": a_frame(segment)[:14] + segment_six.ip,
    "too short for its addresses": a_frame(segment_six)[:60],
    "a word of header": with_offset(tcp(CLIENT, 0x1601, SERVER, 1, flags=ACK, payload=b"GET / HTTP/1.1"), 1),
    "no header for DNS": with_offset(tcp(CLIENT, 53, SERVER, 1, flags=ACK, payload=bytes(20)), 0),
    "a header beyond the end": with_offset(tcp(CLIENT, 53, SERVER, 1, flags=ACK), 15),
    **{
        f"a segment of {total} bytes": resized(segment, total)
        for total in (0, 19, 20, 23, 24, 33, 34, 39, 41)
    },
    **{f"a datagram of {total} bytes": resized(datagram, total) for total in (24, 28, 39, 40, 80)},
    **{f"IPv6, {total} bytes": resized(segment_six, total) for total in (0, 3, 4, 13, 14, 19, 20, 99)},
    **{f"IPv6, a datagram of {total} bytes": resized(datagram_six, total) for total in (0, 7, 8, 19, 20)},
    **{
        f"captured {length}": replace(segment, captured=length)
        for length in (0, 13, 14, 33, 37, 38, 47, 48, 53)
    },
    **{
        f"IPv6, captured {length}": replace(segment_six, captured=length)
        for length in (53, 57, 58, 67, 68, 73)
    },
}


@pytest.mark.parametrize("packet", ALMOST_PLAIN.values(), ids=ALMOST_PLAIN)
def test_what_is_only_almost_plain_is_looked_at_closely(packet: Packet | bytes) -> None:
    for packets in ([packet], [segment, datagram, packet, packet, segment]):
        assert quickly(a_pcap(packets)) == closely(a_pcap(packets))


@given(captures, kinds)
def test_the_quick_loop_and_the_close_look_agree(
    packets: list[Packet | bytes], kind: dict[str, object]
) -> None:
    capture = written(packets, kind)
    assert quickly(capture) == closely(capture)


@given(captures, kinds, st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4), st.data())
def test_they_agree_on_damaged_files(
    packets: list[Packet | bytes], kind: dict[str, object], damage: list[tuple[int, int]], data: st.DataObject
) -> None:
    capture = bytearray(written(packets, kind))
    for at, byte in damage:
        if 24 + at < len(capture):
            capture[24 + at] = byte
    cut = bytes(capture[: data.draw(st.integers(24, len(capture)))])
    assert quickly(cut) == closely(cut)


@pytest.mark.parametrize("both", [(CLIENT, SERVER), (CLIENT6, SERVER6)])
def test_plain_packets_never_need_the_close_look(both: tuple[str, str]) -> None:
    client, server = both
    packets = [
        *tcp_handshake(client, 40000, server, 443),
        *said_over_tcp(a_client_hello(), client=client, server=server),
        udp(client, 40000, server, 53, payload=dns_message()),
        udp(client, 40000, server, 9, payload=bytes(20)),
    ]
    capture = a_pcap(packets)
    assert quickly(capture, Hurried()) == closely(capture)


def test_names_and_questions_are_heard() -> None:
    packets = [
        *a_hello_in_two("two.test", client_port=1),
        *said_over_tcp(a_request("web.test"), client_port=2),
        udp(destination_port=443, payload=a_dtls_client_hello("dtls.test")),
        udp(destination_port=443, payload=INITIAL),
        dns_query("dns.test"),
        dns_answer("dns.test"),
    ]
    _, _, names, frames, *_ = quickly(a_pcap(packets))
    assert isinstance(names, tuple)
    assert {(item.name, item.source) for item in names} == {
        ("two.test", NameSource.SNI),
        ("web.test", NameSource.HTTP),
        ("dtls.test", NameSource.SNI),
        ("dns.test", NameSource.DNS),
    }
    assert isinstance(frames, tuple)
    assert [frame.frame for frame in frames] == [a_frame(packets[4])]


def test_it_tells_where_the_first_record_begins_that_is_not_whole() -> None:
    header = read_header(io.BytesIO(a_pcap([])), "pod.pcap")
    records = a_pcap([tcp_handshake()[0], udp()])[24:]
    tally = Tally()

    def count(content: bytes, number: int, begin: int = 0) -> tuple[int, int]:
        size = len(content)
        return count_plain(tally, Stretch(content + bytes(PADDING), begin, size, size), header, number)

    assert count(records[:-1], 0) == (1, 16 + 54)
    assert count(records, 1, 16 + 54) == (1, len(records))
    assert count(b"", 2) == (0, 0)
    impossible = records[:8] + (LONGEST_FRAME + 1).to_bytes(4, "little") + records[12:]
    assert count(impossible + bytes(LONGEST_FRAME), 2) == (0, 0)
    assert [len(tally.table.rows[Context(protocol)]) for protocol in (TCP, UDP)] == [1, 1]


def test_an_acknowledgement_is_one_update_of_its_half() -> None:
    packets = [tcp(CLIENT, 1, SERVER, 2, flags=ACK, time=time) for time in (START + SECOND, START)]
    halves, *_ = quickly(a_pcap(packets))
    assert isinstance(halves, dict)
    assert list(halves.values()) == [(2, 108, START, START + SECOND, 8, -1, -1, ())]
