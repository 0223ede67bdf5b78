"""The program in the pods, on loopback: it serves both families, and names what came of each attempt."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sets import ends


def a_free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET6, kind) as bound:
        bound.bind(("::", 0))
        found: int = bound.getsockname()[1]
        return found


@pytest.fixture
def served() -> Iterator[tuple[int, int]]:
    """A TCP and a UDP port of a server as a pod runs it."""
    tcp, udp = a_free_port(socket.SOCK_STREAM), a_free_port(socket.SOCK_DGRAM)
    source = Path(ends.__file__).read_text()
    role = json.dumps({"tcp": [tcp], "udp": [udp]})
    with subprocess.Popen([sys.executable, "-c", source, role]) as process:
        deadline = time.monotonic() + 30
        while ends.attempt("127.0.0.1", tcp, "TCP") != "connected" and time.monotonic() < deadline:
            time.sleep(0.05)
        yield tcp, udp
        process.kill()


def test_both_families_and_both_protocols_answer(served: tuple[int, int]) -> None:
    tcp, udp = served
    targets = [
        (host, port, protocol)
        for host in ("127.0.0.1", "::1")
        for port, protocol in ((tcp, "TCP"), (udp, "UDP"))
    ]
    said = subprocess.run(
        [sys.executable, "-c", Path(ends.__file__).read_text(), json.dumps({"targets": targets})],
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(said.stdout) == ["connected"] * 4


def test_nobody_there_is_no_connection() -> None:
    assert ends.attempt("127.0.0.1", a_free_port(socket.SOCK_STREAM), "TCP").startswith("ConnectionRefused")


def test_a_datagram_that_nobody_answers_is_a_timeout() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert ends.attempt("127.0.0.1", silent.getsockname()[1], "UDP", 0.2) == "timeout"
