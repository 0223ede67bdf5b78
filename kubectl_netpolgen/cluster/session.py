"""One user's session with one API server: sends requests, renews credentials, waits when told to."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import urllib3
from urllib3 import exceptions as wire

from kubectl_netpolgen.cluster.status import ApiError, Unreachable, failure
from kubectl_netpolgen.cluster.transport import Headers, Transport, WebSocketSettings
from kubectl_netpolgen.model.errors import ClusterError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

CONNECT_SECONDS = 10.0
ATTEMPTS = 4
LONGEST_PAUSE = 10.0

Received = TypeVar("Received")


@dataclass(frozen=True)
class Request:
    """One call; `timeout` in seconds bounds each wait for bytes."""

    method: str
    path: str
    query: Mapping[str, str]
    timeout: float
    body: Mapping[str, Any] | None = None
    content_type: str = "application/json"
    compressed: bool = True


class Session:
    """Sends requests as one user. Thread-safe."""

    def __init__(self, open_transport: Callable[[], Transport], *, pause: Callable[[float], None]) -> None:
        """`open_transport` reads the credentials, and is called anew when the server refuses them."""
        self._open_transport = open_transport
        self._transport = open_transport()
        self._retired: list[Transport] = []
        self._lock = threading.Lock()
        self._generation = 0
        self._pause = pause

    @property
    def server(self) -> str:
        """The server's URL without a slash at the end."""
        return self._transport.server

    def close(self) -> None:
        """Drop all idle connections."""
        with self._lock:
            for transport in (*self._retired, self._transport):
                transport.pool.clear()
            self._retired.clear()

    def renew(self, generation: int) -> None:
        """Read the credentials anew, unless another thread has done so since `generation`."""
        with self._lock:
            if generation == self._generation:
                # The old pool may be in use by other threads at this moment; it is cleared at the end.
                self._retired.append(self._transport)
                self._transport = self._open_transport()
                self._generation += 1

    def websocket_settings(self) -> WebSocketSettings:
        """What a WebSocket connection to the same server, as the same user, needs."""
        transport, headers, generation = self._current()
        scheme, _, rest = transport.server.partition("://")
        return WebSocketSettings(
            url=f"{'ws' if scheme == 'http' else 'wss'}://{rest}",
            headers=headers,
            tls=transport.tls,
            proxy=transport.proxy,
            generation=generation,
        )

    def exchange(self, request: Request, receive: Callable[[BaseHTTPResponse], Received]) -> Received:
        """Send until there is an answer, and return what `receive` makes of a successful one.

        401 renews the credentials once. 429 and 5xx with `Retry-After` are repeated as the server asks,
        within a bound; 5xx without it and broken connections are repeated for GET alone, which changes
        nothing. Raises ApiError and Unreachable.
        """
        if any(part in ("", ".", "..") for part in request.path.split("/")[1:]):
            # Dot segments would be resolved on the way and ask for something else than was meant.
            raise ClusterError(
                f"{request.path!r} is no path of the API: a name in it is empty or made of dots"
            )
        renewed = False
        for remaining in reversed(range(ATTEMPTS)):
            transport, headers, generation = self._current()
            try:
                response = self._send(transport, headers, request)
                if response.status < 300:
                    return receive(response)
                body = read_body(response, request.timeout)
            except wire.HTTPError as error:
                if not (remaining and request.method == "GET" and isinstance(error, wire.ProtocolError)):
                    raise _unreachable(transport.server, error) from error
                wait = 0.25
            else:
                problem = failure(response.status, body, subject=request.path)
                if response.status == 401 and not renewed:
                    renewed = True
                    self.renew(generation)
                    continue
                asked = retry_pause(request.method, response.status, response.headers.get("Retry-After"))
                if asked is None or not remaining:
                    raise problem
                wait = asked
            self._pause(wait)
        raise ApiError(f"{request.path}: the credentials were refused again and again", code=401)

    def _current(self) -> tuple[Transport, Headers, int]:
        with self._lock:
            return self._transport, tuple(self._transport.authorise()), self._generation

    def _send(self, transport: Transport, headers: Headers, request: Request) -> BaseHTTPResponse:
        url = transport.server + quote(request.path, safe="/:")
        if request.query:
            url += "?" + urlencode(request.query)
        fields = urllib3.HTTPHeaderDict({"Accept": "application/json, */*"})
        for name, value in headers:
            fields.add(name, value)
        if request.compressed:
            fields["Accept-Encoding"] = "gzip"
        encoded = None
        if request.body is not None:
            fields["Content-Type"] = request.content_type
            encoded = json.dumps(request.body, separators=(",", ":")).encode()
        return transport.pool.request(
            request.method,
            url,
            body=encoded,
            headers=fields,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, request.timeout), read=request.timeout),
            retries=False,
            redirect=False,
            preload_content=False,
        )


def read_body(response: BaseHTTPResponse, seconds: float) -> bytes:
    """Read an answer to its end within `seconds`, however slowly its bytes drip."""
    deadline = time.monotonic() + seconds
    parts: list[bytes] = []
    try:
        for part in response.stream(65536, decode_content=True):
            parts.append(part)
            if time.monotonic() > deadline:
                raise wire.TimeoutError(f"the answer was not complete after {seconds:g} s")
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return b"".join(parts)


def retry_pause(method: str, code: int, retry_after: str | None) -> float | None:
    """Seconds to wait before the same request again, or None when it should not be repeated.

    `Retry-After` counts whole seconds in Kubernetes (apiserver sets it on 429 and while it shuts down).
    """
    if code != 429 and code < 500:
        return None
    if retry_after is not None:
        seconds = int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1
        return min(float(seconds), LONGEST_PAUSE)
    if code == 429:
        return 1.0
    return 0.5 if method == "GET" else None


def _unreachable(server: str, error: wire.HTTPError) -> Unreachable:
    way_out = "check that the cluster runs and that --server, --context and the network lead to it"
    cause: BaseException = error
    if isinstance(error, wire.SSLError):
        way_out = "check certificate-authority and tls-server-name of the cluster in the kubeconfig"
        cause = next((part for part in error.args if isinstance(part, ssl.SSLError)), error)
    elif isinstance(error, wire.NewConnectionError):
        # Before ConnectTimeoutError, of which it is a subclass.
        cause = error.__cause__ or error
    elif isinstance(error, wire.ConnectTimeoutError):
        cause = TimeoutError("no connection in time")
    elif isinstance(error, wire.ReadTimeoutError):
        cause = TimeoutError("no answer in time")
    elif isinstance(error, (wire.ProtocolError, wire.ProxyError)) and isinstance(error.args[-1], Exception):
        cause = error.args[-1]
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return Unreachable(f"Unable to connect to the server: {server}: {reason}", way_out=way_out)
