"""Runs inside of pods: serves a few ports on both families, or tries others' and says what came of each.

Its source is handed to the pod's python3 on the command line, followed by a role as JSON, so it uses the
standard library only and imports nothing of this repository.
"""

from __future__ import annotations

import json
import socket
import sys
from threading import Thread
from typing import Any

# Long enough for two repetitions of a lost first packet, short enough for the patience of a test run.
TIMEOUT_S = 4.0
UDP_TRIES = 4


def serve(tcp: list[int], udp: list[int]) -> None:
    """Accept and close, and echo datagrams, until the pod ends."""
    threads = [Thread(target=_accept, args=(port,)) for port in tcp]
    threads += [Thread(target=_echo, args=(port,)) for port in udp]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _bound(kind: socket.SocketKind, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6, kind)
    bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    bound.bind(("::", port))
    return bound


def _accept(port: int) -> None:
    listening = _bound(socket.SOCK_STREAM, port)
    listening.listen(256)
    while True:
        listening.accept()[0].close()


def _echo(port: int) -> None:
    bound = _bound(socket.SOCK_DGRAM, port)
    while True:
        data, peer = bound.recvfrom(64)
        bound.sendto(data, peer)


def attempt(host: str, port: int, protocol: str, timeout: float = TIMEOUT_S) -> str:
    """Name the outcome of one attempt: connected, timeout, or an error."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if protocol == "UDP":
            return _ask(host, port, family, timeout)
        with socket.socket(family, socket.SOCK_STREAM) as opened:
            opened.settimeout(timeout)
            opened.connect((host, port))
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return "connected"


def _ask(host: str, port: int, family: int, timeout: float) -> str:
    """A datagram may get lost, so it is sent again, from the same socket."""
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.connect((host, port))
        opened.settimeout(timeout / UDP_TRIES)
        for _ in range(UDP_TRIES):
            opened.send(b"there?")
            try:
                opened.recv(64)
            except TimeoutError:
                continue
            return "connected"
    return "timeout"


def attempt_all(targets: list[Any]) -> list[str]:
    """Try all at once, so that the whole takes no longer than the slowest."""
    outcomes = [""] * len(targets)

    def one(position: int) -> None:
        host, port, protocol = targets[position]
        outcomes[position] = attempt(host, port, protocol)

    threads = [Thread(target=one, args=(position,)) for position in range(len(targets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


if __name__ == "__main__":
    role = json.loads(sys.argv[1])
    if "targets" in role:
        print(json.dumps(attempt_all(role["targets"])))
    else:
        serve(role["tcp"], role["udp"])
