"""Commands in containers, over a WebSocket of our own.

`kubernetes.stream` can return truncated output without an error, hides a non-zero exit and hangs past its
timeout; a file transfer can rest on none of that. Here output counts only once a Status said so.

Protocol (KEP-4006, apimachinery remotecommand): the first byte of each binary message is its channel; v5 adds
the close signal `[255, channel]`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import websocket

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.channel import open_channel
from kubectl_netpolgen.cluster.status import ConnectionLost, failure_of_status
from kubectl_netpolgen.model.errors import ClusterError

__all__ = ["ConnectionLost", "ExecFailed", "ExecResult", "execute"]

STDOUT, STDERR, STATUS, CLOSE = 1, 2, 3, 255

STDERR_LIMIT = 64 * 2**10
_STATUS_LIMIT = 2**20
# Seconds to wait for the server's close after the status, which is authoritative by itself.
_FAREWELL = 2.0

# `bytes` is a field's name below.
_Octets = bytes


class ExecFailed(ClusterError):
    """The command ran and exited with a status other than 0."""

    def __init__(self, message: str, *, exit_code: int, stderr: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.stderr = stderr


@dataclass(frozen=True)
class ExecResult:
    """What a finished command left."""

    bytes: int
    """Length of stdout."""
    stderr: str
    """At most STDERR_LIMIT bytes of it; what is no UTF-8 is replaced."""
    exit_code: int
    stdout: _Octets = b""
    """Empty when a sink took it."""


def execute(
    api: Api,
    namespace: str,
    pod: str,
    *,
    container: str,
    command: Sequence[str],
    sink: Callable[[bytes], None] | None = None,
    limit: int = 64 * 2**20,
    connect_timeout: float = 10.0,
    idle_timeout: float = 30.0,
    deadline: float = 120.0,
    check: bool = True,
) -> ExecResult:
    """Run a command in a container and take its whole stdout, or raise.

    `limit` in bytes ends a command that says more; `idle_timeout` in seconds bounds every wait for bytes,
    `deadline` the whole. Standard input is open and never written: Kata ends a command without one after
    its first output, with success (kata-containers#13640).

    Raises ConnectionLost (what came before it has reached the sink, and may be a part only), ExecFailed
    when `check` is true, ApiError when the server refuses, ClusterError beyond `limit`.
    """
    what = f"exec in {namespace}/{pod} ({container})"
    until = time.monotonic() + deadline
    words = [("container", container), *(("command", word) for word in command)]
    streams = [("stdin", "true"), ("stdout", "true"), ("stderr", "true")]
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/exec"
    channel = open_channel(
        api, f"{path}?{urlencode(words + streams)}", what=what, connect_timeout=connect_timeout
    )
    output = Output(what, sink=sink, limit=limit)
    try:
        channel.bound(idle=idle_timeout, until=until, size=limit)
        while True:
            try:
                opcode, message = channel.recv_data()
            except (websocket.WebSocketException, OSError) as error:
                if output.status is not None:
                    break
                raise ConnectionLost(f"{what}: the connection was lost: {error}") from error
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            output.take(message)
            if output.status is not None:
                channel.bound(idle=_FAREWELL, until=time.monotonic() + _FAREWELL, size=0)
    finally:
        channel.hang_up()
    return output.result(check=check)


@dataclass
class Output:
    """What the channels brought so far."""

    what: str
    sink: Callable[[bytes], None] | None
    limit: int
    size: int = 0
    status: Mapping[str, Any] | None = None
    _parts: list[bytes] = field(default_factory=list)
    _errors: bytearray = field(default_factory=bytearray)
    _status: bytearray = field(default_factory=bytearray)

    def take(self, message: bytes) -> None:
        """Sort one message by its channel."""
        if not message:
            return
        channel, payload = message[0], message[1:]
        if channel == CLOSE or (not payload and channel in (STDOUT, STDERR, STATUS)):
            # v5 announces the end of a stream; both versions open each stream with an empty message.
            return
        if self.status is not None:
            raise ConnectionLost(f"{self.what}: {len(payload)} bytes came after the status")
        if channel == STDOUT:
            self._take_output(payload)
        elif channel == STDERR:
            self._errors += payload[: STDERR_LIMIT - len(self._errors)]
        elif channel == STATUS:
            self._take_status(payload)
        else:
            raise ConnectionLost(f"{self.what}: a message on channel {channel}, which no server sends")

    def result(self, *, check: bool) -> ExecResult:
        """Read the status; only here does output become a result."""
        if self.status is None:
            raise ConnectionLost(f"{self.what}: the server closed before the command's status came")
        exit_code = 0 if self.status.get("status") == "Success" else _exit_code(self.status)
        stderr = self._errors.decode("utf-8", "replace")
        if exit_code is None:
            raise failure_of_status(self.status, code=500, subject=self.what)
        if check and exit_code != 0:
            last = stderr.strip().rsplit("\n", 1)[-1]
            raise ExecFailed(
                f"{self.what}: exit status {exit_code}" + (f": {last}" if last else ""),
                exit_code=exit_code,
                stderr=stderr,
            )
        return ExecResult(self.size, stderr, exit_code, b"".join(self._parts))

    def _take_output(self, payload: bytes) -> None:
        self.size += len(payload)
        if self.size > self.limit:
            raise ClusterError(f"{self.what}: more output than the {self.limit} bytes asked for")
        if self.sink is not None:
            self.sink(payload)
        else:
            self._parts.append(payload)

    def _take_status(self, payload: bytes) -> None:
        self._status += payload
        if len(self._status) > _STATUS_LIMIT:
            raise ConnectionLost(f"{self.what}: a status longer than {_STATUS_LIMIT} bytes")
        try:
            status = json.loads(self._status)
        except ValueError:
            return
        if not isinstance(status, dict):
            raise ConnectionLost(f"{self.what}: the status is no object")
        self.status = status


def _exit_code(status: Mapping[str, Any]) -> int | None:
    """The exit status in a failed Status (kubelet remotecommand `NonZeroExitCode`), None in any other."""
    if status.get("reason") != "NonZeroExitCode":
        return None
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else ():
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            text = str(cause.get("message", ""))
            return int(text) if text.isascii() and text.isdigit() else None
    return None
