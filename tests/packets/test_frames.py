from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from kubectl_netpolgen.packets.counting import Frame
from kubectl_netpolgen.packets.frames import BlockFrames, Watched, frames_of_records
from kubectl_netpolgen.packets.link import ETHERNET, LINKS, LINUX_SLL, LINUX_SLL2, Link
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.pcapng import Blocks
from tests.packets.factories import MILLISECOND, START, Packet, a_frame, a_pcap, tcp_syn, udp
from tests.packets.factories_pcapng import a_packet, a_pcapng, a_section, an_interface

UNREAD_LINK, ANOTHER = 147, 189


def of_pcap(packets: Sequence[Packet], link: int) -> list[Frame]:
    source = io.BytesIO(a_pcap(packets, link=link))
    return list(frames_of_records(Records(source, read_header(source, "pod.pcap")), LINKS[link]))


def of_pcapng(*blocks: bytes) -> tuple[list[Frame], dict[int, int]]:
    frames = BlockFrames(Blocks(io.BytesIO(a_section() + b"".join(blocks))))
    return list(frames), frames.unread


def seen(frame: Frame) -> bytes:
    return frame.buffer[frame.start : frame.end]


@pytest.mark.parametrize("link", [ETHERNET, LINUX_SLL, LINUX_SLL2])
def test_a_frame_is_what_was_captured_and_what_its_record_says(link: Link) -> None:
    number = link.number
    packets = [tcp_syn(), Packet(udp().ip, START + MILLISECOND, captured=30)]
    one, other = of_pcap(packets, number)
    whole = a_frame(packets[1], link=number)
    assert seen(one) == a_frame(packets[0], link=number)
    assert seen(other) == whole[:30]
    assert (one.time, other.time) == (START, START + MILLISECOND)
    assert (other.wire, one.number, other.number) == (len(whole), 0, 1)
    assert one.link is other.link is link


def test_a_classic_capture_of_ethernet_shows_each_frame_once_and_cooked_ones_tell_the_interface() -> None:
    packets = [udp(), udp().on(3), udp().on(2, packet_type=4)]
    assert [frame.place for frame in of_pcap(packets, 1)] == [None] * 3
    assert [frame.place for frame in of_pcap(packets, 276)] == [
        number.to_bytes(4, "big") for number in (2, 3, 2)
    ]
    assert [frame.place for frame in of_pcap(packets, 113)] == [b"\0\0", b"\0\0", b"\0\4"]


def test_one_container_or_the_other_gives_the_same_frames() -> None:
    packets = [tcp_syn(), udp(time=START + MILLISECOND)]
    frames = list(BlockFrames(Blocks(io.BytesIO(a_pcapng(packets)))))
    assert [(seen(frame), *frame[3:]) for frame in frames] == [
        (seen(frame), *frame[3:]) for frame in of_pcap(packets, 1)
    ]


def test_interfaces_are_told_apart_once_there_are_two() -> None:
    frame = a_frame(udp())
    frames, _ = of_pcapng(
        an_interface(), a_packet(frame), an_interface(), a_packet(frame), a_packet(frame, interface=1)
    )
    assert [frame.place for frame in frames] == [None, 0, 1]


def test_a_cooked_interface_among_others_tells_its_own_and_the_inner_one() -> None:
    cooked = a_frame(udp().on(3), link=276)
    alone, _ = of_pcapng(an_interface(link=276), a_packet(cooked))
    assert [frame.place for frame in alone] == [(3).to_bytes(4, "big")]
    frames, _ = of_pcapng(
        an_interface(),
        an_interface(link=276),
        an_interface(link=276),
        *(a_packet(cooked, interface=number) for number in (1, 2)),
    )
    assert [frame.place for frame in frames] == [b"1/\0\0\0\3", b"2/\0\0\0\3"]
    assert [frame.link for frame in frames] == [LINUX_SLL2] * 2


def test_interfaces_of_other_links_are_counted_and_passed_over() -> None:
    frame = a_frame(udp())
    frames, unread = of_pcapng(
        an_interface(link=UNREAD_LINK),
        an_interface(),
        an_interface(link=ANOTHER),
        *(a_packet(frame, interface=number) for number in (0, 1, 0, 2, 1)),
    )
    assert [(frame.number, frame.link) for frame in frames] == [(1, ETHERNET), (4, ETHERNET)]
    assert unread == {UNREAD_LINK: 2, ANOTHER: 1}


def test_interfaces_of_a_second_section_have_their_own_links() -> None:
    frame = a_frame(udp())
    frames, unread = of_pcapng(
        an_interface(link=UNREAD_LINK),
        a_packet(frame),
        a_section(),
        an_interface(),
        a_packet(frame),
    )
    assert [seen(found) for found in frames] == [frame]
    assert unread == {UNREAD_LINK: 1}


def test_somebody_who_watches_is_told_of_every_step() -> None:
    told: list[int] = []
    source = io.BytesIO(b"abcdef")
    watched = Watched(source, lambda: told.append(source.tell()))
    assert [watched.read(4), watched.read(4), watched.read(4)] == [b"abcd", b"ef", b""]
    assert told == [0, 4, 6]
