from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.quic import is_initial
from tests.packets.quic_datagrams import FIRST_OF_TWO, INITIAL, SECOND_OF_TWO


def datagram(
    version: int = 1,
    *,
    first: int = 0xC3,
    destination: int = 8,
    source: int = 0,
    token: bytes = b"\0",
    length: int = 1100,
    size: int = 1200,
) -> bytes:
    head = bytes((first,)) + version.to_bytes(4, "big") + bytes((destination,)) + bytes(destination)
    head += bytes((source,)) + bytes(source) + token + (0x4000 | length).to_bytes(2, "big")
    return head + bytes(size - len(head))


@pytest.mark.parametrize("payload", [INITIAL, FIRST_OF_TWO, SECOND_OF_TWO, INITIAL + INITIAL])
def test_what_clients_send_is_recognised(payload: bytes) -> None:
    assert is_initial(payload)


@pytest.mark.parametrize("version", [1, 0xFF000016, 0xFF00001D, 0xFF000022, 0xFACEB001, 0xFACEB002])
def test_version_1_its_drafts_and_mvfst_are_recognised(version: int) -> None:
    assert is_initial(datagram(version))


def test_version_2_numbers_its_packet_types_differently() -> None:
    assert is_initial(datagram(0x6B3343CF, first=0xD3))
    assert not is_initial(datagram(0x6B3343CF))


def test_tokens_and_connection_ids_of_any_length_are_skipped() -> None:
    assert is_initial(datagram(destination=20, source=20, token=b"\x40\x46" + bytes(70), length=1000))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(1200),
        datagram(size=1199),
        datagram(0xFF000015),
        datagram(int.from_bytes(b"Q050", "big")),
        datagram(first=0x43),
        datagram(first=0x83),
        datagram(first=0xE3),
        datagram(destination=7),
        datagram(destination=21),
        datagram(source=21),
        datagram(length=19),
        datagram(length=1200),
        datagram(token=b"\x7f\xff"),
        datagram(token=b"\xff" * 8),
    ],
)
def test_everything_else_is_not(payload: bytes) -> None:
    assert not is_initial(payload)


@given(st.binary(max_size=80))
def test_no_datagram_can_raise(noise: bytes) -> None:
    for start in (b"", INITIAL[:5], INITIAL[:14]):
        is_initial(start + noise)
        is_initial((start + noise).ljust(1200, b"\xff"))
