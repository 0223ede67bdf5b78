from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.tls import (
    ClientHello,
    begins_client_hello,
    read_client_hello,
    read_dtls_client_hello,
)
from tests.packets.factories_names import (
    SERVER_NAME,
    a_client_hello,
    a_dtls_client_hello,
    a_hello,
    tls_records,
)

POST_QUANTUM = 1220


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303, 0x0304])
def test_the_server_name_is_read_under_every_record_version(version: int) -> None:
    assert read_client_hello(a_client_hello(version=version)) == ClientHello(SERVER_NAME, 0)


def test_a_name_is_written_as_dns_writes_it() -> None:
    assert read_client_hello(a_client_hello("API.Example.Test.")) == ClientHello(SERVER_NAME, 0)


@pytest.mark.parametrize("name", [None, b"", b"a\0b"])
def test_a_hello_without_a_usable_name_is_a_hello_all_the_same(name: bytes | None) -> None:
    assert read_client_hello(a_client_hello(name)) == ClientHello(None, 0)


def test_an_address_is_told_as_the_client_sent_it() -> None:
    assert read_client_hello(a_client_hello("192.0.2.1")) == ClientHello("192.0.2.1", 0)


def test_a_name_in_front_of_what_is_missing_is_found() -> None:
    hello = a_client_hello(key_share=POST_QUANTUM)
    assert read_client_hello(hello[:600]) == ClientHello(SERVER_NAME, len(hello) - 600)


def test_a_name_behind_a_post_quantum_key_share_is_missing_until_it_comes() -> None:
    hello = a_client_hello(key_share=POST_QUANTUM, name_last=True)
    assert read_client_hello(hello[:1200]) == ClientHello(None, len(hello) - 1200)
    assert read_client_hello(hello) == ClientHello(SERVER_NAME, 0)


@pytest.mark.parametrize("cuts", [(1,), (3,), (4,), (5,), (100,), (40, 60, 61), tuple(range(1, 130))])
def test_a_hello_over_several_records_is_read(cuts: tuple[int, ...]) -> None:
    whole = a_client_hello(cuts=cuts, name_last=True)
    assert read_client_hello(whole) == ClientHello(SERVER_NAME, 0)
    for end in range(6, len(whole)):
        found = read_client_hello(whole[:end])
        assert found is not None
        assert 0 < found.missing <= len(whole) - end


def test_what_follows_a_hello_is_none_of_its_business() -> None:
    early = b"\x14\x03\x03\0\1\1\x17\x03\x03\0\5hello"
    assert read_client_hello(a_client_hello() + early) == ClientHello(SERVER_NAME, 0)
    assert read_client_hello(a_client_hello(cuts=(50,)) + early) == ClientHello(SERVER_NAME, 0)


def test_a_record_of_another_kind_in_the_middle_ends_the_reading() -> None:
    broken = bytearray(a_client_hello(cuts=(50,)))
    broken[55] = 0x17
    assert read_client_hello(bytes(broken)) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x16\x03\x01\0\x05",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\0\0\x01",
        b"\x16\x03\x01\xff\xff\x01\0\0\xff",
        b"\x16\x03\x01\0\x40\x02\0\0\x3c" + bytes(60),
        b"\x16\x03\x01\0\x40\x01\xff\xff\xff" + bytes(60),
        b"\x16\x03\x01\0\x02\x01\0\x16\x03\x01\0\x02\0\1",
    ],
)
def test_what_is_no_client_hello_is_none(payload: bytes) -> None:
    assert read_client_hello(payload) is None


def test_the_cheap_test_looks_at_a_stretch_of_a_buffer() -> None:
    hello = a_client_hello()
    buffer = b"xx" + hello + b"yy"
    assert begins_client_hello(buffer, 2, 2 + len(hello))
    assert not begins_client_hello(buffer, 2, 7)
    assert not begins_client_hello(buffer, 0, len(buffer))


def test_a_dtls_hello_is_read_with_and_without_a_cookie() -> None:
    for cookie in (b"", bytes(range(200))):
        for version in (0xFEFF, 0xFEFD, 0x0100):
            datagram = a_dtls_client_hello(cookie=cookie, version=version)
            assert read_dtls_client_hello(datagram) == ClientHello(SERVER_NAME, 0)


def test_only_the_first_fragment_of_a_dtls_hello_is_read() -> None:
    size = len(a_hello(cookie=b""))
    first = a_dtls_client_hello(length=120)
    assert read_dtls_client_hello(first) == ClientHello(SERVER_NAME, size - 120)
    assert read_dtls_client_hello(a_dtls_client_hello(offset=120)) is None


@pytest.mark.parametrize("payload", [b"", a_client_hello(), b"\x16\xfe\xff" + bytes(40), b"\x16" * 90])
def test_what_is_no_dtls_hello_is_none(payload: bytes) -> None:
    assert read_dtls_client_hello(payload) is None


@given(st.binary(max_size=200), st.integers(0, 250))
def test_nothing_that_a_hello_holds_can_raise(noise: bytes, at: int) -> None:
    for whole in (a_client_hello(), a_client_hello(cuts=(30, 80)), a_dtls_client_hello(cookie=b"abc")):
        damaged = whole[:at] + noise + whole[at + len(noise) :]
        for payload in (damaged, damaged[:at], noise):
            read_client_hello(payload)
            read_dtls_client_hello(payload)


@given(st.lists(st.integers(1, 1400), unique=True, max_size=8), st.integers(0, 1500), st.booleans())
def test_records_and_their_place_of_cutting_do_not_change_the_name(
    cuts: list[int], share: int, name_last: bool
) -> None:
    body = a_hello(key_share=share, name_last=name_last)
    inside = tuple(sorted(cut for cut in cuts if cut < len(body) + 4))
    assert read_client_hello(tls_records(body, cuts=inside)) == ClientHello(SERVER_NAME, 0)
