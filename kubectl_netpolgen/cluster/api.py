"""The API server as plain JSON: dictionaries in, dictionaries out.

Typed clients cost three to eight times as much on a list of pods, and the `kubernetes` package's shared
client stops being thread-safe once it has executed a command; a configured urllib3 pool is fast and safe.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

from kubectl_netpolgen.cluster.cutter import Cutter
from kubectl_netpolgen.cluster.session import Request, Session, read_body
from kubectl_netpolgen.cluster.status import ApiError, Gone, Unreachable, failure_of_status
from kubectl_netpolgen.cluster.transport import Transport, WebSocketSettings
from kubectl_netpolgen.model.errors import ClusterError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

__all__ = ["Api", "ApiError", "Gone", "Unreachable"]

Objects = list[dict[str, Any]]

PAGE = 500
LIST_SECONDS = 60.0

WATCH_SECONDS = 240
# An idle watch still brings a bookmark about every minute (apiserver storage/cacher); a link that brings
# nothing for longer is taken for dead, and resuming from the last version loses nothing.
WATCH_SILENCE = 90.0

# etcd refuses objects beyond 1.5 MiB; a line as long as this is no event.
_LONGEST_EVENT = 32 * 2**20


class Api:
    """One API server, as one user. Thread-safe.

    Every call raises ApiError for an answer that is no success and Unreachable where no answer came, and
    waits a bounded time. Strings in errors are the server's own; escaping is left to where they are shown.
    """

    def __init__(
        self,
        open_transport: Callable[[], Transport],
        *,
        context: str = "",
        namespace: str = "default",
        request_timeout: float | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`request_timeout` in seconds, where given, replaces every call's own but a watch's."""
        self._session = Session(open_transport, pause=pause)
        self._request_timeout = request_timeout
        self._cutter = Cutter()
        self.server = self._session.server
        self.context = context
        self.namespace = namespace

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the idle connections."""
        self._session.close()

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, timeout: float = 30.0
    ) -> dict[str, Any]:
        """Read one object, or one page of a list."""
        return _decode(self._fetch("GET", path, query, timeout=timeout), path)

    def text(self, path: str, query: Mapping[str, str] | None = None, *, timeout: float = 30.0) -> str:
        """Read what is no JSON, such as `pods/log`; undecodable bytes are replaced."""
        return self._fetch("GET", path, query, timeout=timeout).decode("utf-8", "replace")

    def create(
        self,
        path: str,
        body: Mapping[str, Any],
        query: Mapping[str, str] | None = None,
        *,
        timeout: float = 30.0,
    ) -> dict[str, Any]:
        """POST an object to its collection."""
        return _decode(self._fetch("POST", path, query, timeout=timeout, body=body), path)

    def patch(
        self,
        path: str,
        body: Mapping[str, Any],
        query: Mapping[str, str] | None = None,
        *,
        content_type: str = "application/strategic-merge-patch+json",
        timeout: float = 30.0,
    ) -> dict[str, Any]:
        """PATCH an object or subresource."""
        answer = self._fetch("PATCH", path, query, timeout=timeout, body=body, content_type=content_type)
        return _decode(answer, path)

    def list(self, path: str, query: Mapping[str, str] | None = None) -> tuple[Objects, str]:
        """Read a collection in pages; return its items and the version to watch from.

        The server leaves `kind` and `apiVersion` out of a list's items; they are filled in here. A
        continuation that ran out in between (410) starts over without pages, as client-go's pager does.
        """
        try:
            return self._pages(path, {**(query or {}), "limit": str(PAGE)})
        except Gone:
            return self._pages(path, dict(query or {}))

    def watch(
        self,
        path: str,
        resource_version: str,
        *,
        stop: threading.Event,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield raw watch events, BOOKMARKs too, until `stop` is set or the stream ends.

        A stream that breaks or falls silent just ends: resume from the last version seen. Raises Gone for
        410, be it HTTP status or ERROR event, whereupon the collection must be listed anew.
        """
        wanted = {
            **(query or {}),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
            "resourceVersion": resource_version,
        }
        # Compression would hold events back until a block is full.
        request = Request("GET", path, wanted, WATCH_SILENCE, compressed=False)
        response = self._session.exchange(request, lambda opened: opened)
        connection = getattr(getattr(response, "connection", None), "sock", None)
        # Half-read at the end, so the connection never goes back to the pool.
        with contextlib.closing(response), self._cutter.cutting(connection, stop):
            for line in _lines(response, path):
                if stop.is_set():
                    return
                event = _decode(line, path)
                if event.get("type") == "ERROR":
                    raise failure_of_status(event.get("object") or {}, code=500, subject=path)
                yield event

    def websocket_settings(self) -> WebSocketSettings:
        """What `exec` needs to open its own connection to the same server, as the same user."""
        return self._session.websocket_settings()

    def renew(self, generation: int) -> None:
        """Read the credentials anew after a 401 outside this class; `generation` says which were refused."""
        self._session.renew(generation)

    def _pages(self, path: str, query: dict[str, str]) -> tuple[Objects, str]:
        items: Objects = []
        while True:
            page = self.get(path, query, timeout=LIST_SECONDS)
            kind = str(page.get("kind", "")).removesuffix("List")
            version = page.get("apiVersion", "")
            items += ({"apiVersion": version, "kind": kind, **item} for item in page.get("items") or ())
            metadata = page.get("metadata") or {}
            if not metadata.get("continue"):
                return items, str(metadata.get("resourceVersion", ""))
            query = {**query, "continue": str(metadata["continue"])}

    def _fetch(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        timeout: float,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        seconds = self._request_timeout or timeout
        request = Request(method, path, query or {}, seconds, body=body, content_type=content_type)
        return self._session.exchange(request, lambda response: read_body(response, seconds))


def _decode(body: bytes, path: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ClusterError(
            f"{path}: the answer is no JSON object",
            way_out="check that --server is a Kubernetes API server and no login page stands in front of it",
        )
    return answer


def _lines(response: BaseHTTPResponse, path: str) -> Iterator[bytes]:
    pending: list[bytes] = []
    size = 0
    try:
        for part in response.stream(65536):
            *complete, rest = part.split(b"\n")
            for line in complete:
                whole = b"".join((*pending, line))
                pending, size = [], 0
                if whole.strip():
                    yield whole
            pending.append(rest)
            size += len(rest)
            if size > _LONGEST_EVENT:
                raise ClusterError(f"{path}: a watch event is longer than {_LONGEST_EVENT} bytes")
    except (HTTPError, OSError, ValueError):
        # Cut, reset or silent for too long. ValueError: read from a file that the cutter's reader closed.
        return
