"""The probe on loopback: a connection, a refusal, a silence and a name that nobody knows are told apart."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

from tests.e2e.boutique import reach


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port: int = opened.getsockname()[1]
    return port


def test_the_outcomes_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        open_port = listening.getsockname()[1]
        assert reach.reach("127.0.0.1", open_port, 4) == "connected"
    assert reach.reach("127.0.0.1", free_port(), 4) == "refused"
    assert reach.reach("127.0.0.1", 1, 6).startswith("gaierror")


def test_silence_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        # A full queue of connections drops the next ones without a word, as a policy does.
        waiting = [socket.socket() for _ in range(4)]
        for opened in waiting:
            opened.setblocking(False)
            opened.connect_ex(("127.0.0.1", port))
        assert reach.reach("127.0.0.1", port, 4, timeout=0.3) == "timeout"
        for opened in waiting:
            opened.close()


def test_it_runs_from_the_command_line_and_keeps_the_order() -> None:
    source = Path(reach.__file__).read_text(encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        targets = [("127.0.0.1", free_port(), 4), ("127.0.0.1", listening.getsockname()[1], 4)]
        command = [sys.executable, "-I", "-c", source, json.dumps(targets)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert json.loads(said) == ["refused", "connected"]
