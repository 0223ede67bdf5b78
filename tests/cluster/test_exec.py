"""Every way in which an exec can go wrong must show, and none may hang or pass for success."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_netpolgen.cluster.api import Api, ApiError
from kubectl_netpolgen.cluster.exec import ConnectionLost, ExecFailed, ExecResult, execute
from kubectl_netpolgen.model.errors import ClusterError, ExitStatus
from tests.cluster.fake_api import FakeApi, open_api, refusal
from tests.cluster.fake_api import exec_wire as wire

PATH = "/api/v1/namespaces/shop/pods/web-1/exec"
BYTES = bytes(range(256)) * 1024


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def run(api: Api, *command: str, **arguments: Any) -> ExecResult:
    return execute(api, "shop", "web-1", container="npg-1", command=command or ("cat", "f"), **arguments)


def play(server: FakeApi, behaviour: wire.Behaviour) -> None:
    server.on_exec = lambda request: behaviour


def test_binary_output_comes_whole(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(BYTES))
    assert run(api) == ExecResult(len(BYTES), "", 0, BYTES)


def test_the_request_names_container_and_words_and_opens_stdin(server: FakeApi, api: Api) -> None:
    run(api, "sh", "-c", 'echo "$1" & ?', "näme")
    (request,) = server.execs
    assert request.command == ("sh", "-c", 'echo "$1" & ?', "näme")
    assert (request.container, request.namespace, request.pod) == ("npg-1", "shop", "web-1")
    assert request.query["stdin"] == request.query["stdout"] == request.query["stderr"] == ["true"]


def test_a_sink_takes_the_output_piece_by_piece(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(BYTES))
    pieces: list[bytes] = []
    result = run(api, sink=pieces.append)
    assert (b"".join(pieces), result.bytes, result.stdout) == (BYTES, len(BYTES), b"")
    assert len(pieces) > 1


@pytest.mark.parametrize("version", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_both_protocol_versions_work(server: FakeApi, api: Api, version: str) -> None:
    server.subprotocols = (version,)
    play(server, wire.prints(b"hello"))
    assert run(api).stdout == b"hello"
    assert server.execs[0].subprotocol == version


def test_many_frames_in_one_tls_record_are_all_read_at_once(server: FakeApi, api: Api) -> None:
    lines = [b"line%03d\n" % number for number in range(50)]
    play(server, wire.prints_in_one_record(lines))
    started = time.monotonic()
    assert run(api, idle_timeout=5.0).stdout == b"".join(lines)
    assert time.monotonic() - started < 4.0


def test_frames_of_one_byte_come_whole(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(BYTES[:2000], size=1))
    assert run(api).stdout == BYTES[:2000]


def test_fragmented_messages_are_joined(server: FakeApi, api: Api) -> None:
    parts = (
        lambda sent: sent.frame(b"\x01abc", final=False),
        lambda sent: sent.frame(b"def", opcode=0),
        lambda sent: sent.status(),
        lambda sent: sent.close(),
    )
    play(server, wire.sends(*parts))
    assert run(api).stdout == b"abcdef"


def test_the_close_signals_of_v5_are_no_output(server: FakeApi, api: Api) -> None:
    parts = (
        lambda sent: sent.message(wire.STDOUT, b"abc"),
        lambda sent: sent.frame(b"\xff\x01"),
        lambda sent: sent.frame(b"\xff\x02"),
        lambda sent: sent.frame(b""),
        lambda sent: sent.status(),
        lambda sent: sent.frame(b"\xff\x03"),
        lambda sent: sent.close(),
    )
    play(server, wire.sends(*parts))
    assert run(api).stdout == b"abc"


def test_a_ping_is_answered_and_is_no_output(server: FakeApi, api: Api) -> None:
    def behave(sent: wire.Wire) -> None:
        sent.send(sent.frame(b"are you there", opcode=9))
        pong = sent.connection.recv(6 + 13)
        sent.output(bytes([pong[0]]))
        sent.send(sent.status(), sent.close())

    play(server, behave)
    assert run(api).stdout == b"\x8a"


def test_a_server_that_never_closes_after_the_status_costs_two_seconds(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(b"hello", closes=False))
    started = time.monotonic()
    assert run(api).stdout == b"hello"
    assert time.monotonic() - started < 5.0


def test_stderr_is_kept_apart_and_bounded(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(b"out", stderr=b"noise\xff" * 100_000))
    result = run(api)
    assert result.stdout == b"out"
    assert result.stderr.startswith("noise\N{REPLACEMENT CHARACTER}noise")
    assert len(result.stderr) <= 64 * 2**10


def test_a_nonzero_exit_is_an_error_with_its_status_and_last_words(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(b"part", stderr=b"tail: cap.pcap:\n  no such file\n", exit_code=7))
    with pytest.raises(ExecFailed, match="exit status 7:   no such file") as caught:
        run(api)
    assert caught.value.exit_code == 7
    assert caught.value.status is ExitStatus.ERROR


def test_a_nonzero_exit_is_a_result_where_nobody_checks(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(b"part", exit_code=7))
    assert run(api, check=False) == ExecResult(4, "", 7, b"part")


def test_an_internal_error_is_the_servers_and_no_exit_status(server: FakeApi, api: Api) -> None:
    status = {
        "status": "Failure",
        "message": "Internal error occurred: OCI runtime exec failed",
        "reason": "InternalError",
        "details": {"causes": [{"message": "OCI runtime exec failed"}]},
        "code": 500,
    }
    play(server, wire.fails(status))
    with pytest.raises(ApiError, match="OCI runtime exec failed") as caught:
        run(api, check=False)
    assert caught.value.code == 500


@pytest.mark.parametrize("message", ["", "-1", "seven", "²"])
def test_an_exit_status_that_is_no_number_is_no_success(server: FakeApi, api: Api, message: str) -> None:
    cause = {"reason": "ExitCode", "message": message}
    play(
        server, wire.fails({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}})
    )
    with pytest.raises(ApiError):
        run(api, check=False)


@pytest.mark.parametrize("politely", [True, False])
def test_a_close_without_a_status_is_a_lost_connection(server: FakeApi, api: Api, politely: bool) -> None:
    play(server, wire.closes_early(BYTES, politely=politely))
    pieces: list[bytes] = []
    with pytest.raises(ConnectionLost):
        run(api, sink=pieces.append)
    assert b"".join(pieces) == BYTES


def test_a_reset_is_a_lost_connection(server: FakeApi, api: Api) -> None:
    play(server, wire.resets(b"some"))
    with pytest.raises(ConnectionLost):
        run(api)


def test_a_stall_within_a_frame_ends_after_the_idle_timeout(server: FakeApi, api: Api) -> None:
    play(server, wire.stalls(b"some"))
    started = time.monotonic()
    with pytest.raises(ConnectionLost, match=r"nothing came for 0\.3 s"):
        run(api, idle_timeout=0.3)
    assert time.monotonic() - started < 3.0


def test_a_dripping_server_ends_at_the_deadline(server: FakeApi, api: Api) -> None:
    play(server, wire.drips(interval=0.05))
    started = time.monotonic()
    with pytest.raises(ConnectionLost, match="deadline"):
        run(api, idle_timeout=5.0, deadline=0.5)
    assert time.monotonic() - started < 3.0


def test_output_beyond_the_limit_is_an_error(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(b"x" * 1001))
    with pytest.raises(ClusterError, match="more output than the 1000 bytes"):
        run(api, limit=1000)


def test_a_frame_of_any_announced_length_is_not_collected(server: FakeApi, api: Api) -> None:
    def behave(sent: wire.Wire) -> None:
        sent.send(bytes([0x82, 127]) + (2**60).to_bytes(8, "big"))
        for _ in range(64):
            sent.send(b"\x01" + b"x" * 2**16)

    play(server, behave)
    with pytest.raises(ConnectionLost, match="far more bytes"):
        run(api, limit=1000)


def test_output_after_the_status_is_an_error(server: FakeApi, api: Api) -> None:
    parts = (lambda sent: sent.status(), lambda sent: sent.message(wire.STDOUT, b"late"))
    play(server, wire.sends(*parts, lambda sent: sent.close()))
    with pytest.raises(ConnectionLost, match="4 bytes came after the status"):
        run(api)


@pytest.mark.parametrize(
    "part",
    [
        lambda sent: sent.message(7, b"what"),
        lambda sent: sent.message(wire.STATUS, b"[]"),
        lambda sent: sent.message(wire.STATUS, b"no json") + sent.close(),
        lambda sent: b"\xf3\x00",
    ],
)
def test_nonsense_is_a_lost_connection(server: FakeApi, api: Api, part: Any) -> None:
    play(server, wire.sends(part))
    with pytest.raises(ConnectionLost):
        run(api)


def test_a_sink_that_fails_fails_as_itself(server: FakeApi, api: Api) -> None:
    play(server, wire.prints(BYTES))

    def full(piece: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run(api, sink=full)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (400, "container npg-1 is not valid for pod web-1"),
        (403, 'pods "web-1" is forbidden: User "tester" cannot create resource "pods/exec"'),
        (404, 'pods "web-1" not found'),
        (500, "error dialing backend: dial tcp 10.0.0.5:10250: connect: no route to host"),
    ],
)
def test_a_refused_upgrade_says_why(server: FakeApi, api: Api, code: int, message: str) -> None:
    server.plan("GET", PATH, refusal(code, "Some", message))
    with pytest.raises(ApiError) as caught:
        run(api)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_server_that_asks_to_wait_is_asked_again(server: FakeApi, api: Api) -> None:
    busy = refusal(429, "TooManyRequests", "too many requests")
    server.plan("GET", PATH, type(busy)(429, busy.body, {"Retry-After": "0"}), times=2)
    play(server, wire.prints(b"hello"))
    assert run(api).stdout == b"hello"


def test_refused_credentials_are_renewed_once(server: FakeApi) -> None:
    server.tokens = {"new"}
    play(server, wire.prints(b"hello"))
    with open_api(server, tokens=iter(["old", "new"])) as api:
        assert run(api).stdout == b"hello"


def test_credentials_that_stay_refused_are_an_error(server: FakeApi) -> None:
    server.tokens = {"other"}
    with open_api(server, tokens=iter(["old", "new"])) as api, pytest.raises(ApiError) as caught:
        run(api)
    assert caught.value.code == 401


def test_a_server_that_does_not_answer_is_a_lost_connection(server: FakeApi) -> None:
    with open_api(server) as api:
        server.stop()
        with pytest.raises(ConnectionLost):
            run(api, connect_timeout=2.0)
