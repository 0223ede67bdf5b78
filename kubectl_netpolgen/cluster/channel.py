"""The WebSocket under an exec, with every read bounded."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import websocket

from kubectl_netpolgen.cluster.api import Api, ApiError
from kubectl_netpolgen.cluster.session import ATTEMPTS, retry_pause
from kubectl_netpolgen.cluster.status import ConnectionLost, failure
from kubectl_netpolgen.model.errors import ClusterError

SUBPROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


class Channel(websocket.WebSocket):
    """A WebSocket whose every read is bounded by silence, by a deadline and by size.

    The library applies its timeout to each `recv` alone, so a server that drips one byte at a time inside a
    frame would hold it for ever; and it collects a frame of any announced length.
    """

    _idle = 10.0
    _until = float("inf")
    _room = float("inf")

    def bound(self, *, idle: float, until: float, size: int) -> None:
        """Set the bounds for everything that follows the handshake."""
        self._idle = idle
        self._until = until
        # Headers cost at most 15 bytes a message, and a hostile server may send a message per byte.
        self._room = 16 * size + 2**20

    def _recv(self, bufsize: int) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise websocket.WebSocketTimeoutException("the deadline has passed")
        if self._room <= 0:
            raise websocket.WebSocketProtocolException("far more bytes than were asked for")
        self.settimeout(min(self._idle, left))
        inherited: Any = super()
        try:
            received: bytes = inherited._recv(bufsize)
        except websocket.WebSocketTimeoutException as error:
            reason = f"nothing came for {self._idle:g} s" if self._idle < left else "the deadline has passed"
            raise websocket.WebSocketTimeoutException(reason) from error
        self._room -= len(received)
        return received

    def hang_up(self) -> None:
        """Say goodbye and close, without waiting for an answer."""
        with contextlib.suppress(websocket.WebSocketException, OSError):
            self.settimeout(1.0)
            if self.connected:
                self.send_close()
        # Closes the socket, whatever became of the goodbye.
        inherited: Any = super()
        inherited.shutdown()


def open_channel(api: Api, path: str, *, what: str, connect_timeout: float) -> Channel:
    """Connect and upgrade; `path` starts with a slash, and `what` names the object in errors.

    Raises ApiError for a refusal (401 renews the credentials once, `Retry-After` is honoured) and
    ConnectionLost where there was no connection.
    """
    renewed = False
    for remaining in reversed(range(ATTEMPTS)):
        settings = api.websocket_settings()
        if settings.proxy.get("proxy_type") == "https":
            raise ClusterError(
                f"{what}: no command can go through a proxy of https: {settings.proxy['http_proxy_host']}",
                way_out="give the proxy's http:// address in proxy-url or HTTPS_PROXY, or set NO_PROXY",
            )
        channel = Channel(sslopt=dict(settings.tls), skip_utf8_validation=True, enable_multithread=False)
        connect: Callable[..., None] = channel.connect
        try:
            connect(
                settings.url + path,
                header=[f"{name}: {value}" for name, value in settings.headers],
                subprotocols=list(SUBPROTOCOLS),
                timeout=connect_timeout,
                redirect_limit=0,
                suppress_origin=True,
                **settings.proxy,
            )
        except websocket.WebSocketBadStatusException as error:
            code = int(error.status_code)
            problem = failure(code, error.resp_body or b"", subject=what)
            if code == 401 and not renewed:
                renewed = True
                api.renew(settings.generation)
                continue
            # An exec is repeated only where the server asks for it: nothing has run yet then.
            asked = (error.resp_headers or {}).get("retry-after")
            wait = retry_pause("POST", code, asked)
            if wait is None or not remaining:
                raise problem from error
            time.sleep(wait)
        except (websocket.WebSocketException, OSError) as error:
            raise ConnectionLost(f"{what}: unable to connect to {api.server}: {error}") from error
        else:
            if channel.subprotocol not in SUBPROTOCOLS:
                channel.hang_up()
                raise ClusterError(f"{what}: the server speaks {channel.subprotocol!r}, not {SUBPROTOCOLS}")
            return channel
    raise ApiError(f"{what}: the credentials were refused again and again", code=401)
