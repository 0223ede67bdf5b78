"""The names that are found in step are those that `tls` finds one by one."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.columns.hellos import begin_hellos, find_server_names
from kubectl_netpolgen.packets.hostnames import read_host_name
from kubectl_netpolgen.packets.tls import begins_client_hello, read_client_hello

PADDING = bytes(96)


def a_hello(
    name: bytes | None,
    *,
    before: tuple[tuple[int, int], ...] = (),
    session: int = 32,
    ciphers: int = 16,
    kind: int = 0,
) -> bytes:
    """A record with a hello: extensions of a kind and a length stand before the server's name."""
    extensions = b"".join(struct.pack(">HH", kind, size) + bytes(size) for kind, size in before)
    if name is not None:
        entry = struct.pack(">BH", kind, len(name)) + name
        extensions += struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    extensions += struct.pack(">HH", 51, 40) + bytes(40)
    body = b"\x03\x03" + bytes(32) + bytes([session]) + bytes(session)
    body += struct.pack(">H", ciphers) + bytes(ciphers) + b"\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello


def named(payloads: list[bytes]) -> dict[int, str | None]:
    """By payload what the names found in step are."""
    buffer = b"".join(payloads) + PADDING
    ends = np.cumsum([len(payload) for payload in payloads])
    starts = ends - np.array([len(payload) for payload in payloads])
    found = find_server_names(np.frombuffer(buffer, np.uint8), starts, ends)
    stretches = zip(found.row.tolist(), found.begin.tolist(), found.end.tolist(), strict=True)
    return {row: read_host_name(buffer[begin:end], addresses=True) for row, begin, end in stretches}


def test_names_stand_behind_any_extensions() -> None:
    payloads = [
        a_hello(b"one.example"),
        a_hello(b"two.example", before=((10, 8), (43, 3)), session=0),
        a_hello(b"TRE.example.", before=tuple((100 + number, number) for number in range(30)), ciphers=64),
    ]
    assert named(payloads) == {0: "one.example", 1: "two.example", 2: "tre.example"}


def test_what_is_cut_or_lacks_a_name_is_left_to_others() -> None:
    whole = a_hello(b"cut.example", before=((51, 1200),))
    assert named([whole[:900], a_hello(None), a_hello(b"x", kind=7), b"\x16\x03\x01\x00\x05\x01"]) == {}
    assert named([whole[: whole.index(b"cut.example") + 11]]) == {0: "cut.example"}


def test_more_extensions_than_any_client_sends_are_left_to_others() -> None:
    assert named([a_hello(b"far.example", before=tuple((100, 0) for _ in range(64)))]) == {}


hellos = st.builds(
    a_hello,
    st.one_of(st.none(), st.binary(max_size=20), st.just(b"a.example"), st.just(b"10.0.0.1")),
    before=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 30)), max_size=6).map(tuple),
    session=st.integers(0, 40),
    ciphers=st.integers(0, 40),
    kind=st.sampled_from([0, 0, 0, 1]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    payload = bytearray(draw(hellos))
    for _ in range(draw(st.integers(0, 3))):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    return bytes(payload[: draw(st.integers(1, len(payload)))])


@given(st.lists(st.one_of(hellos, damaged()), min_size=1, max_size=8))
def test_what_is_found_in_step_is_what_is_read_one_by_one(payloads: list[bytes]) -> None:
    buffer = b"".join(payloads) + PADDING
    ends = np.cumsum([len(payload) for payload in payloads])
    starts = ends - np.array([len(payload) for payload in payloads])
    begun = begin_hellos(np.frombuffer(buffer, np.uint8), starts, ends)
    assert begun.tolist() == [begins_client_hello(payload, 0, len(payload)) for payload in payloads]
    likely = [payload for payload, is_one in zip(payloads, begun.tolist(), strict=True) if is_one]
    read = [read_client_hello(payload) for payload in likely]
    found = named(likely) if likely else {}
    for row, hello in enumerate(read):
        expected = None if hello is None else hello.server_name
        if row in found:
            assert found[row] == expected
        else:
            # nothing found in step: either there is nothing, or it spans records
            assert expected is None or likely[row][3] << 8 | likely[row][4] < len(likely[row]) - 5
