"""Ends reads that wait for a server which may never speak again."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

# How late a cut may come: short against what a person notices, long against the cost of waking up.
_TICK = 0.1


class Cutter:
    """Shuts a connection down once an event is set, which wakes the thread that reads from it.

    A watch blocks in `recv` for as long as nothing happens in the cluster; there is no portable way to wait
    for a TLS socket and a `threading.Event` at once. One thread serves all connections, and only while
    there are any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Event] = {}
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def cutting(self, connection: socket.socket | None, stop: threading.Event) -> Iterator[None]:
        """Guard one connection for the length of the block; None is guarded by its own timeout only."""
        if connection is None:
            yield
            return
        with self._lock:
            self._open[connection] = stop
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="netpolgen-cutter", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._open.pop(connection, None)

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._open:
                    self._thread = None
                    return
                waiting = dict(self._open)
                for connection, stop in waiting.items():
                    if stop.is_set():
                        del self._open[connection]
                        # The base class's shutdown: SSLSocket's own would pull the TLS state from under
                        # the thread that is reading.
                        with contextlib.suppress(OSError):
                            socket.socket.shutdown(connection, socket.SHUT_RDWR)
            next(iter(waiting.values())).wait(_TICK)
