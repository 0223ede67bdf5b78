"""The fake API server: real TLS, real HTTP and real WebSockets on the loopback, a thread a connection."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.cluster.fake_api.answers import Answer, ExecRequest, Received
from tests.cluster.fake_api.certificates import Certificate, loopback_certificate
from tests.cluster.fake_api.exec_wire import Behaviour, prints
from tests.cluster.fake_api.handler import Handler
from tests.cluster.fake_api.paths import Target
from tests.cluster.fake_api.store import Object, Store


@dataclass
class Planned:
    """An answer for the next `times` requests that match."""

    method: str
    path: str
    answer: Answer
    times: int


Rights = Callable[[str, Target], bool]
"""May this verb be done to this target?"""

Admission = Callable[[Object, Mapping[str, Any]], str]
"""Why an ephemeral container (of the given pod) is not admitted; empty when it is."""


class FakeApi:
    """A programmable API server; use it as a context manager."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.certificate = certificate or loopback_certificate()
        self.store = Store()
        self.received: list[Received] = []
        self.execs: list[ExecRequest] = []
        self.tokens: set[str] = {"good"}
        self.rights: Rights = lambda verb, target: True
        self.admission: Admission = lambda pod, container: ""
        self.on_attach: Callable[[Object, Mapping[str, Any]], None] = lambda pod, container: None
        """Plays the kubelet: called with the pod and a newly admitted ephemeral container."""
        self.on_exec: Callable[[ExecRequest], Behaviour] = lambda request: prints()
        self.subprotocols: tuple[str, ...] = ("v5.channel.k8s.io", "v4.channel.k8s.io")
        self.version = {"major": "1", "minor": "34", "gitVersion": "v1.34.4"}
        self.discovery: dict[str, list[dict[str, Any]]] = {}
        """Resource lists by group and version, such as `argoproj.io/v1alpha1`."""
        self.logs: dict[tuple[str, str, str], bytes] = {}
        """Text of pods/log by namespace, pod and container."""
        self.page_size = 0
        """Where set, lists come in pages no larger than this."""
        self.half_open = False
        """Watches send nothing any more, as over a dead link."""
        self.watches = 0
        """Watches that are open now."""
        self.stopping = threading.Event()
        self._watch_epoch = 0
        self._planned: list[Planned] = []
        self._lock = threading.Lock()
        self._connections: set[ssl.SSLSocket] = set()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FakeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every connection and every thread."""
        self.stopping.set()
        self.end_watches()
        self._server.shutdown()
        with self._lock:
            for connection in self._connections:
                _shut(connection)
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Base address."""
        return f"https://127.0.0.1:{self.port}"

    def plan(self, method: str, path: str, answer: Answer, *, times: int = 1) -> None:
        """Give this answer to the next requests with exactly this method and path (`*` for any path)."""
        with self._lock:
            self._planned.append(Planned(method, path, answer, times))

    def planned(self, method: str, path: str) -> Answer | None:
        """Take one planned answer, if there is one."""
        with self._lock:
            for plan in self._planned:
                if plan.times and plan.method == method and plan.path in ("*", path):
                    plan.times -= 1
                    return plan.answer
        return None

    def end_watches(self) -> None:
        """Let every open watch end as if its time was up."""
        with self.store.changed:
            self._watch_epoch += 1
            self.store.changed.notify_all()

    @property
    def watch_epoch(self) -> int:
        """A watch lasts as long as this stays what it was."""
        return self._watch_epoch

    def drop_connections(self) -> None:
        """Cut every connection, as a restarting API server does."""
        self.end_watches()
        with self._lock:
            for connection in self._connections:
                _shut(connection)

    def kubeconfig(self, directory: Path, *, token: str = "good", namespace: str = "") -> Path:
        """Write a kubeconfig that leads here; JSON, which every YAML reader takes."""
        context = {"cluster": "fake", "user": "tester"} | ({"namespace": namespace} if namespace else {})
        path = directory / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "fake",
                    "contexts": [{"name": "fake", "context": context}],
                    "clusters": [
                        {
                            "name": "fake",
                            "cluster": {
                                "server": self.url,
                                "certificate-authority": str(self.certificate.certificate),
                            },
                        }
                    ],
                    "users": [{"name": "tester", "user": {"token": token}}],
                }
            )
        )
        return path

    def wait_for(self, condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
        """Wait until something about the server holds; true when it does."""
        with self.store.changed:
            return self.store.changed.wait_for(condition, seconds)

    def note(self, received: Received) -> None:
        """Remember a request."""
        with self.store.changed:
            self.received.append(received)
            self.store.changed.notify_all()

    def opened(self, connection: ssl.SSLSocket) -> None:
        """Remember a connection, to be able to end it; one that comes while all are ended ends at once."""
        with self._lock:
            self._connections.add(connection)
            if self.stopping.is_set():
                _shut(connection)

    def closed(self, connection: ssl.SSLSocket) -> None:
        """Forget it."""
        with self._lock:
            self._connections.discard(connection)


def _shut(connection: ssl.SSLSocket) -> None:
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return


class _Server(ThreadingHTTPServer):
    """Threads that are waited for, and a TLS handshake that holds nobody up."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(api.certificate.certificate, api.certificate.key)
        super().__init__(("127.0.0.1", 0), Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Runs in the connection's own thread."""
        try:
            connection = self.context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        self.api.opened(connection)
        try:
            super().finish_request(connection, client_address)
        except (ssl.SSLError, OSError):
            return
        finally:
            self.api.closed(connection)
            connection.close()
