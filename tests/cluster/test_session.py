"""When to ask again, and what a broken way is called."""

from __future__ import annotations

import time

import pytest
import urllib3

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.session import Request, Session, read_body, retry_pause
from kubectl_netpolgen.cluster.status import Unreachable
from kubectl_netpolgen.cluster.transport import Transport
from tests.cluster.fake_api import Answer, FakeApi, open_transport


@pytest.mark.parametrize(
    ("method", "code", "retry_after", "wait"),
    [
        ("GET", 404, None, None),
        ("GET", 403, "5", None),
        ("PATCH", 429, "5", 5.0),
        ("PATCH", 429, None, 1.0),
        ("PATCH", 503, "3600", 10.0),
        ("PATCH", 503, "Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
        ("PATCH", 503, "-5", 1.0),
        ("PATCH", 503, None, None),
        ("GET", 503, None, 0.5),
    ],
)
def test_what_is_repeated_and_when(
    method: str, code: int, retry_after: str | None, wait: float | None
) -> None:
    assert retry_pause(method, code, retry_after) == wait


def test_a_certificate_that_nobody_vouches_for_is_unreachable_and_says_where_to_look() -> None:
    with FakeApi() as server:
        transport = Transport(server.url, urllib3.PoolManager(), list)
        with (
            Api(lambda: transport) as api,
            pytest.raises(Unreachable, match="certificate verify failed") as caught,
        ):
            api.get("/version")
    assert "certificate-authority" in caught.value.way_out


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    transport = Transport("https://nowhere.invalid:6443", urllib3.PoolManager(), list)
    with Api(lambda: transport) as api, pytest.raises(Unreachable, match=r"https://nowhere\.invalid:6443: "):
        api.get("/version")


def test_plain_http_where_tls_is_spoken_is_unreachable() -> None:
    with FakeApi() as server:
        transport = Transport(server.url.replace("https", "http"), urllib3.PoolManager(), list)
        with Api(lambda: transport, pause=lambda seconds: None) as api, pytest.raises(Unreachable):
            api.get("/version")


def test_a_body_that_drips_ends_at_its_deadline() -> None:
    with FakeApi() as server:
        pool = open_transport(server).pool
        server.plan("GET", "/version", Answer(200, b"x" * 100_000))
        response = pool.request("GET", server.url + "/version", preload_content=False)
        with pytest.raises(urllib3.exceptions.TimeoutError, match="not complete after"):
            read_body(response, -1.0)
        pool.clear()


def test_a_path_behind_a_gateway_is_kept() -> None:
    with FakeApi() as server:
        session = Session(
            lambda: open_transport(server, url=server.url + "/k8s/clusters/c-1"), pause=time.sleep
        )
        server.plan("GET", "/k8s/clusters/c-1/version", Answer(200, b"here"))
        request = Request("GET", "/version", {}, 5.0)
        assert session.exchange(request, lambda response: read_body(response, 5.0)) == b"here"
        assert session.websocket_settings().url == f"wss://127.0.0.1:{server.port}/k8s/clusters/c-1"
        session.close()


def test_renewal_happens_once_a_generation() -> None:
    opened: list[int] = []
    with FakeApi() as server:

        def open_next() -> Transport:
            opened.append(len(opened))
            return open_transport(server)

        session = Session(open_next, pause=time.sleep)
        first = session.websocket_settings().generation
        session.renew(first)
        session.renew(first)
        assert len(opened) == 2
        assert session.websocket_settings().generation == first + 1
        session.close()
