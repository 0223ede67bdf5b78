"""The player on loopback: what it serves, what it calls, and how it keeps score."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.components import needs
from tests.e2e.boutique import player
from tests.e2e.boutique.player import Call, Listen, Score


def loopbacks() -> list[str]:
    """Return the loopback addresses of this machine: some containers have no IPv6 at all."""
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return ["127.0.0.1", "::1"]
    return ["127.0.0.1"]


LOOPBACKS = loopbacks()


def serve_somewhere(protocol: str = "tcp", families: str = "dual") -> int:
    """Serve on a free port in the background, for as long as the tests run."""
    bound = player.bound_socket(Listen(0, protocol, families))
    loop = player.serve_datagrams if protocol == "udp" else player.serve_stream
    threading.Thread(target=loop, args=(bound,), daemon=True).start()
    port: int = bound.getsockname()[1]
    return port


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http"])
@pytest.mark.parametrize("host", LOOPBACKS)
def test_a_call_gets_an_answer_over_both_families(protocol: str, host: str, tmp_path: Path) -> None:
    call = Call("edge", host, serve_somewhere(protocol), protocol)
    score = Score("edge", tmp_path)

    player.call_once(call, score)

    assert score.counts["opened"] == 1


def test_a_server_of_one_family_is_not_there_for_the_other(tmp_path: Path) -> None:
    call = Call("edge", "::1", serve_somewhere(families="4"))

    with pytest.raises(ConnectionRefusedError):
        player.call_once(call, Score("edge", tmp_path))


def test_a_held_connection_is_used_again_and_its_loss_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "HOLD_EVERY_S", 0.01)
    listening = socket.create_server(("127.0.0.1", 0))

    def answer_twice() -> None:
        peer, _ = listening.accept()
        with peer:
            for _ in range(2):
                peer.sendall(peer.recv(100))

    server = threading.Thread(target=answer_twice)
    server.start()
    score = Score("held", tmp_path)
    with listening, pytest.raises(OSError):
        player.hold(Call("held", "127.0.0.1", listening.getsockname()[1], mode="hold"), score)
    server.join()

    assert (score.counts["opened"], score.counts["successes"]) == (1, 2)


def test_the_score_is_a_file_that_is_always_whole(tmp_path: Path) -> None:
    score = Score("edge", tmp_path)
    score.record(None)
    score.record("ConnectionRefusedError: refused")

    kept = json.loads((tmp_path / "edge").read_text())
    assert (kept["successes"], kept["failures"]) == (1, 1)
    assert kept["lastError"].startswith("ConnectionRefused")
    assert [file.name for file in tmp_path.iterdir()] == ["edge"]


def run_alone(role: dict[str, object]) -> subprocess.Popen[str]:
    """Start the player as its pod does."""
    return subprocess.Popen(
        [sys.executable, "-I", str(Path(player.__file__))],
        env=os.environ | {"PLAYER": json.dumps(role)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_a_job_ends_once_each_of_its_calls_has_worked_so_many_times(tmp_path: Path) -> None:
    calls = [{"name": name, "host": "127.0.0.1", "port": serve_somewhere(), "every": 0.01} for name in "ab"]
    role = {"listen": [], "call": calls, "rounds": 3, "scores": str(tmp_path)}
    with run_alone(role) as alone:
        assert alone.wait(timeout=20) == 0

    assert [json.loads((tmp_path / name).read_text())["successes"] for name in "ab"] == [3, 3]


def test_a_job_that_is_ended_before_has_failed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    call = {"name": "a", "host": "127.0.0.1", "port": port, "every": 0.01}
    with run_alone({"listen": [], "call": [call], "rounds": 1, "scores": str(tmp_path)}) as alone:
        while not (tmp_path / "a").exists():
            time.sleep(0.01)
        alone.send_signal(signal.SIGTERM)
        assert alone.wait(timeout=20) == 1


@needs("openssl")
def test_a_webhook_allows_what_it_is_asked_over_tls(tmp_path: Path) -> None:
    made = (
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    )
    files = (
        "-keyout",
        str(tmp_path / "tls.key"),
        "-out",
        str(tmp_path / "tls.crt"),
        "-subj",
        "/CN=localhost",
    )
    subprocess.run(["openssl", *made, *files], check=True, capture_output=True)
    bound = player.bound_socket(Listen(0, families="4"))
    arguments = (bound, player.server_context(tmp_path))
    threading.Thread(target=player.serve_stream, args=arguments, daemon=True).start()
    where = ("127.0.0.1", bound.getsockname()[1])
    # A probe that only connects must not take the server down.
    socket.create_connection(where).close()
    review = {"kind": "AdmissionReview", "request": {"uid": "u1", "object": {"data": "x" * 9000}}}
    body = json.dumps(review).encode()
    head = f"POST /?timeout=5s HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    with player.secured(socket.create_connection(where), Call("ask", "localhost", where[1])) as asking:
        asking.sendall(head + body)
        said = b""
        while chunk := asking.recv(4096):
            said += chunk

    status, _, answer = said.partition(b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer) == {
        "kind": "AdmissionReview",
        "response": {"uid": "u1", "allowed": True},
    }


def test_it_runs_alone_and_ends_at_once_when_asked(tmp_path: Path) -> None:
    role = {"listen": [{"port": 0}], "call": []}
    alone = subprocess.Popen(
        [sys.executable, "-I", str(Path(player.__file__))],
        env=os.environ | {"PLAYER": json.dumps(role)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with alone:
        try:
            assert alone.stderr is not None
            assert json.loads(alone.stderr.readline())["listening"] == 1
            asked = time.monotonic()
            alone.send_signal(signal.SIGTERM)
            assert alone.wait(timeout=10) == 0
        finally:
            alone.kill()
    assert time.monotonic() - asked < 2
