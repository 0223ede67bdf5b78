from __future__ import annotations

from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.sightings import MEMORY, WINDOW, Sightings, frame_identity
from tests.packets.factories import tcp_syn, udp

ETH0, BRIDGE = b"\0\0\0\2", b"\0\0\0\3"


def test_a_frame_seen_on_a_second_interface_is_a_repeat() -> None:
    seen = Sightings()
    assert not seen.is_repeat(b"frame", ETH0, 0, 0)
    assert seen.is_repeat(b"frame", BRIDGE, 1000, 0)
    assert seen.is_repeat(b"frame", BRIDGE, 2000, 0)


def test_a_frame_seen_twice_on_one_interface_is_a_retransmission() -> None:
    seen = Sightings()
    assert not seen.is_repeat(b"frame", ETH0, 0, 0)
    assert not seen.is_repeat(b"frame", ETH0, 1000, 0)


def test_records_out_of_order_are_repeats_too() -> None:
    seen = Sightings()
    assert not seen.is_repeat(b"frame", ETH0, 1000, 0)
    assert seen.is_repeat(b"frame", BRIDGE, 0, 0)


def test_after_a_second_it_is_another_frame() -> None:
    seen = Sightings()
    assert not seen.is_repeat(b"frame", ETH0, 0, 0)
    assert not seen.is_repeat(b"frame", BRIDGE, WINDOW + 1, 0)
    assert seen.is_repeat(b"frame", ETH0, WINDOW + 2, 0)


def test_a_frame_is_looked_for_in_the_last_records_and_no_further() -> None:
    seen = Sightings()
    for number in range(3 * MEMORY):
        assert not seen.is_repeat(number.to_bytes(4, "big"), ETH0, 0, number)
    last = 3 * MEMORY
    assert seen.is_repeat((last - MEMORY).to_bytes(4, "big"), BRIDGE, 0, last)
    assert not seen.is_repeat((last - MEMORY - 1).to_bytes(4, "big"), BRIDGE, 0, last)


def test_a_long_silence_between_frames_forgets_them_all() -> None:
    seen = Sightings()
    assert not seen.is_repeat(b"frame", ETH0, 0, 0)
    assert not seen.is_repeat(b"frame", BRIDGE, 0, 5 * MEMORY)


def test_a_checksum_finished_on_the_way_does_not_make_another_frame() -> None:
    for packet, protocol, checksum in ((tcp_syn(), TCP, 36), (udp(), UDP, 26)):
        finished = packet.ip[:checksum] + b"\xab\xcd" + packet.ip[checksum + 2 :]
        identities = {
            frame_identity(content, 20, len(content), protocol=protocol, key=content[12:24])
            for content in (packet.ip, finished)
        }
        assert len(identities) == 1


def test_another_sequence_number_or_payload_makes_another_frame() -> None:
    for one, other, protocol in (
        (tcp_syn(isn=1), tcp_syn(isn=2), TCP),
        (udp(payload=b"a"), udp(payload=b"b"), UDP),
        (udp(payload=b"123456789"), udp(payload=b"123456780"), SCTP),
    ):
        assert frame_identity(
            one.ip, 20, len(one.ip), protocol=protocol, key=one.ip[12:24]
        ) != frame_identity(other.ip, 20, len(other.ip), protocol=protocol, key=other.ip[12:24])
