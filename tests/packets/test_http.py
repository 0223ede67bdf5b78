from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.http import METHOD_STARTS, read_host


def request(*fields: str, line: str = "GET /a?b HTTP/1.1", end: str = "\r\n", body: str = "") -> bytes:
    return (end.join((line, *fields)) + end * 2 + body).encode("latin-1")


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("web.shop", "web.shop"),
        ("Web.Shop:8080", "web.shop"),
        (" \tweb.shop. ", "web.shop"),
        ("web.shop.:80", "web.shop"),
        ("10.0.0.1", None),
        ("10.0.0.1:8080", None),
        ("[::1]:8080", None),
        ("", None),
        ("a\x01b", None),
    ],
)
def test_the_host_field_is_a_name_without_its_port(host: str, name: str | None) -> None:
    assert read_host(request(f"Host:{host}")) == name


@pytest.mark.parametrize("line", ["POST / HTTP/1.0", "OPTIONS * HTTP/1.1", "PROPFIND /x HTTP/1.1"])
def test_methods_and_minor_versions_do_not_matter(line: str) -> None:
    payload = request("Accept: */*", "hOsT: web.shop", "X: y", line=line, body="Host: other.test\r\n")
    assert read_host(payload) == "web.shop"
    assert payload[0] in METHOD_STARTS


def test_lines_may_end_without_carriage_return() -> None:
    assert read_host(request("Host: web.shop", end="\n")) == "web.shop"


def test_the_first_host_field_counts() -> None:
    assert read_host(request("Host: a.test", "Host: b.test")) == "a.test"


def test_a_host_in_the_body_or_inside_another_field_is_none() -> None:
    assert read_host(request("X-Host: a.test", body="x\r\nHost: a.test\r\n")) is None
    assert read_host(request(line="GET / HTTP/1.0", body="Host: a.test\r\n")) is None


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("http://origin.test/x", "origin.test"),
        ("HTTP://user:word@Origin.test:8080?x=http://other.test/", "origin.test"),
        ("http://[::1]/", None),
        ("http://10.0.0.1/", None),
    ],
)
def test_a_whole_url_overrides_the_host_field(target: str, name: str | None) -> None:
    assert read_host(request("Host: proxy.test", line=f"GET {target} HTTP/1.1")) == name


def test_connect_names_who_is_behind_the_proxy() -> None:
    assert read_host(request("Host: x.test", line="CONNECT origin.test:443 HTTP/1.1")) == "origin.test"
    assert read_host(request(line="CONNECT 192.0.2.1:443 HTTP/1.1")) is None


def test_a_host_field_cut_by_the_end_of_the_segment_is_none() -> None:
    payload = request("Host: web.shop.svc.cluster.local")
    line = payload.index(b"local") + 5
    assert [read_host(payload[:end]) for end in range(line + 1)] == [None] * (line + 1)
    assert read_host(payload[: line + 2]) == "web.shop.svc.cluster.local"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"GET",
        b"GETHost: a\r\n",
        b"HTTP/1.1 200 OK\r\nHost: a.test\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n",
    ],
)
def test_what_is_no_request_has_no_host(payload: bytes) -> None:
    assert read_host(payload) is None


@pytest.mark.parametrize("filling", [b" ", b"\t", b":", b"\r", b"\nhost:", b"\nhost: ", b"a@", b"\n\r"])
def test_a_long_head_is_read_in_linear_time(filling: bytes) -> None:
    # each repeats what an expression could go back over
    start = b"GET / HTTP/1.1\r\nHost:"
    for payload in (start + filling * 60_000, b"GET http://" + filling * 60_000):
        assert read_host(payload) is None


@given(st.binary(max_size=200))
def test_nothing_that_a_request_holds_can_raise(noise: bytes) -> None:
    for payload in (noise, b"GET " + noise, b"GET / HTTP/1.1\r\nHost: " + noise + b"\r\n\r\n"):
        name = read_host(payload)
        assert name is None or name.isascii()
