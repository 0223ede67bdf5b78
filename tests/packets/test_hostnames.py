from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.hostnames import read_host_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"API.Example.test", "api.example.test"),
        (b"example.test.", "example.test"),
        (b"localhost", "localhost"),
        (b"_srv.x-1.test", "_srv.x-1.test"),
        (b"server4:443", "server4:443"),
        (b"1.2.3", "1.2.3"),
        ("bücher.test".encode(), r"b\195\188cher.test"),
        (b"with space.test", r"with\032space.test"),
    ],
)
def test_a_host_name_is_brought_into_the_form_of_dns(raw: bytes, name: str) -> None:
    assert read_host_name(raw) == name


@pytest.mark.parametrize(
    "raw", [b"", b".", b"..", b".a", b"a..b", b"a\0b.test", b"a\n", b"\x7f.test", b"a" * 256, b"\xff..\xff"]
)
def test_what_names_no_host_is_no_name(raw: bytes) -> None:
    assert read_host_name(raw) is None


@pytest.mark.parametrize("raw", [b"192.0.2.1", b"2001:db8::1", b"[2001:db8::1]", b"::ffff:192.0.2.1"])
def test_an_address_is_a_name_only_where_the_caller_wants_what_was_sent(raw: bytes) -> None:
    assert read_host_name(raw) is None
    assert read_host_name(raw, addresses=True) == raw.decode()


@pytest.mark.parametrize("raw", [b"a..", b"a.b..", b"a b..", b"192.0.2.1.."])
def test_no_name_keeps_a_trailing_dot_or_hides_an_address_before_one(raw: bytes) -> None:
    name = read_host_name(raw)
    assert name is None or not name.endswith(".")
    assert name is None or not raw.startswith(b"192")


@given(st.binary(max_size=300))
def test_whatever_is_read_is_printable_ascii_in_lower_case(raw: bytes) -> None:
    name = read_host_name(raw)
    assert name is None or (
        name.isascii() and name.isprintable() and name == name.lower() and " " not in name
    )
