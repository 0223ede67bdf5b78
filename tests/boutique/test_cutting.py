"""The cuttable way on loopback: it carries bytes, breaks when told, and serves again at once."""

from __future__ import annotations

import socket
import threading

from tests.e2e.boutique.cutting import cuttable_way


def echo_for_ever(listening: socket.socket) -> None:
    """Serve echoes, one connection at a time, until the listening socket ends."""
    while True:
        try:
            peer, _ = listening.accept()
        except OSError:
            return
        with peer:
            while chunk := peer.recv(1000):
                peer.sendall(chunk)


def test_it_carries_breaks_and_serves_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=echo_for_ever, args=(listening,), daemon=True)
        server.start()
        with cuttable_way(listening.getsockname()) as way:
            for _ in range(2):
                with socket.create_connection(("127.0.0.1", way.port), timeout=5) as client:
                    client.sendall(b"there and back")
                    assert client.recv(1000) == b"there and back"
                    assert way.cut() == 2
                    assert client.recv(1000) == b""
        listening.shutdown(socket.SHUT_RDWR)
        server.join()
