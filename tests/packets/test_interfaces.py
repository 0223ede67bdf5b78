from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.interfaces import Interface, read_interface
from tests.packets.factories_pcapng import IF_NAME, IF_TSOFFSET, IF_TSRESOL, an_interface


def read(options: dict[int, bytes] | None = None, *, byte_order: str = "<", cut: int = 0) -> Interface:
    body = an_interface(link=113, snap_length=96, options=options, byte_order=byte_order)[8:-4]
    return read_interface(body[: len(body) - cut], byte_order)


def test_without_options_times_are_microseconds() -> None:
    found = read()
    assert (found.link_type, found.snap_length, found.name) == (113, 96, "")
    assert found.nanoseconds(5) == 5_000


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_options_are_read_in_both_byte_orders(byte_order: str) -> None:
    found = read(
        {IF_NAME: b"eth0", IF_TSRESOL: b"\x09", IF_TSOFFSET: struct.pack(f"{byte_order}q", -3)},
        byte_order=byte_order,
    )
    assert found == Interface(113, 96, "eth0", 1, 1, -3_000_000_000)


@given(st.integers(0, 255), st.integers(0, (1 << 64) - 1))
def test_every_resolution_is_exact(resolution: int, units: int) -> None:
    found = read({IF_TSRESOL: bytes((resolution,))})
    base = 2 if resolution & 0x80 else 10
    assert found.nanoseconds(units) == Fraction(units * 10**9, base ** (resolution & 0x7F)).__floor__()


def test_options_of_a_wrong_length_are_passed_over() -> None:
    found = read({IF_TSRESOL: b"\x09\x09", IF_TSOFFSET: b"\x01", IF_NAME: b"eth0"})
    assert found == Interface(113, 96, "eth0")


def test_an_option_that_claims_more_than_the_block_ends_the_options() -> None:
    assert read({IF_TSRESOL: b"\x09", IF_NAME: b"a long name of an interface"}, cut=12) == Interface(
        113, 96, "", 1, 1
    )


def test_a_name_is_bounded_and_its_bytes_are_made_text() -> None:
    assert len(read({IF_NAME: b"n" * 60_000}).name) == 64
    assert read({IF_NAME: b"eth\xff"}).name == "eth\ufffd"


@given(st.binary(min_size=8, max_size=60))
def test_no_block_raises(body: bytes) -> None:
    assert read_interface(body, "<").denominator >= 1
