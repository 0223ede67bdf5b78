"""The WebSocket under an exec: how it is opened, and what bounds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import websocket

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.channel import open_channel
from kubectl_netpolgen.cluster.status import ConnectionLost
from kubectl_netpolgen.model.errors import ClusterError
from tests.cluster.fake_api import Answer, FakeApi, open_api
from tests.cluster.fake_api import exec_wire as wire

PATH = "/api/v1/namespaces/shop/pods/web-1/exec"


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def test_the_newest_protocol_that_both_speak_is_chosen(server: FakeApi, api: Api) -> None:
    channel = open_channel(api, PATH + "?command=true", what="exec", connect_timeout=5.0)
    assert channel.subprotocol == "v5.channel.k8s.io"
    channel.hang_up()


def test_an_upgrade_to_something_else_is_refused(server: FakeApi, api: Api) -> None:
    server.plan("GET", PATH, Answer(200, b"hello"))
    with pytest.raises(ClusterError):
        open_channel(api, PATH, what="exec", connect_timeout=5.0)


def test_a_redirect_is_never_followed_with_our_credentials(server: FakeApi, api: Api) -> None:
    server.plan("GET", PATH, Answer(307, b"", {"Location": f"wss://127.0.0.1:{server.port}/steal"}))
    with pytest.raises(ClusterError):
        open_channel(api, PATH, what="exec", connect_timeout=5.0)
    assert [request.path for request in server.received] == [PATH]


def test_a_server_that_is_away_is_a_lost_connection(server: FakeApi, api: Api) -> None:
    server.stop()
    with pytest.raises(ConnectionLost, match=r"exec: unable to connect to https://127"):
        open_channel(api, PATH, what="exec", connect_timeout=5.0)


def test_a_read_is_bounded_by_the_deadline_first(server: FakeApi, api: Api) -> None:
    server.on_exec = lambda request: wire.stalls(b"")
    channel = open_channel(api, PATH, what="exec", connect_timeout=5.0)
    channel.bound(idle=10.0, until=0.0, size=10)
    with pytest.raises(websocket.WebSocketTimeoutException, match="deadline"):
        channel.recv_data()
    channel.hang_up()


def test_hanging_up_twice_is_harmless(server: FakeApi, api: Api) -> None:
    channel = open_channel(api, PATH + "?command=true", what="exec", connect_timeout=5.0)
    channel.hang_up()
    channel.hang_up()
