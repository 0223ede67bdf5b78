"""A way to the API server that can be cut: a proxy of plain bytes, to see what broken connections cost.

It knows nothing of TLS, HTTP or exec, so what it breaks is broken as a network breaks it.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.harness.kubectl import Kubectl

CHUNK = 65536


@dataclass(frozen=True)
class CuttableWay:
    """Forwards every connection to one address until the moment when it is told to cut them all."""

    target: tuple[str, int]
    listening: socket.socket
    open_ends: set[socket.socket] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        """Return the local port that leads to the target."""
        port: int = self.listening.getsockname()[1]
        return port

    def cut(self) -> int:
        """Break every connection that is open now and return how many ends that were; new ones are served."""
        with self.lock:
            ends = list(self.open_ends)
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        return len(ends)

    def serve(self) -> None:
        """Accept until the listening socket is shut down."""
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        """Carry bytes both ways between a client and the target, for as long as either lives."""
        with near, suppress(OSError), socket.create_connection(self.target, timeout=10) as far:
            far.settimeout(None)
            with self.lock:
                self.open_ends.update((near, far))
            back = threading.Thread(target=_carry, args=(far, near), daemon=True)
            back.start()
            _carry(near, far)
            back.join()
            with self.lock:
                self.open_ends.difference_update((near, far))


def _carry(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until one side ends, then end both: half-open ways would hide a cut."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cuttable_way(target: tuple[str, int]) -> Iterator[CuttableWay]:
    """Open a local port that leads to the target, and close it with everything that went through it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        way = CuttableWay(target, listening)
        accepting = threading.Thread(target=way.serve, daemon=True)
        accepting.start()
        try:
            yield way
        finally:
            # Closing alone would leave the thread waiting in accept.
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
            way.cut()


def api_address(kubectl: Kubectl) -> tuple[str, int]:
    """Return where the API server of this kubectl's cluster is."""
    view = kubectl.json("config", "view", "--minify")
    server = urlsplit(view["clusters"][0]["cluster"]["server"])
    assert server.hostname is not None
    return server.hostname, server.port or 443


def kubeconfig_through(kubectl: Kubectl, way: CuttableWay, file: Path) -> Path:
    """Write a kubeconfig that leads through the way, with the same certificates and the same user."""
    view = kubectl.json("config", "view", "--minify", "--flatten")
    cluster = view["clusters"][0]["cluster"]
    # The certificate is judged by the real server's name, not by the local end of the way.
    cluster.setdefault("tls-server-name", urlsplit(cluster["server"]).hostname)
    cluster["server"] = f"https://127.0.0.1:{way.port}"
    file.touch(mode=0o600)
    file.write_text(json.dumps(view), encoding="utf-8")
    return file
