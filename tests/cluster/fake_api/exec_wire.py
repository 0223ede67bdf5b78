"""The server's end of an exec WebSocket, and the ways in which it behaves or misbehaves.

A behaviour is a function that is handed the wire after the upgrade; what it sends is all that is sent.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STDOUT, STDERR, STATUS = 1, 2, 3
_CLOSE = 8
_BINARY = 2


@dataclass
class Wire:
    """Writes frames."""

    connection: ssl.SSLSocket
    subprotocol: str
    gate: threading.Event
    """Set when the server stops."""

    def frame(self, payload: bytes, *, opcode: int = _BINARY, final: bool = True) -> bytes:
        """One unmasked frame (RFC 6455, section 5.2)."""
        head = bytes([(0x80 if final else 0) | opcode])
        size = len(payload)
        if size < 126:
            head += bytes([size])
        elif size < 2**16:
            head += bytes([126]) + struct.pack("!H", size)
        else:
            head += bytes([127]) + struct.pack("!Q", size)
        return head + payload

    def send(self, *frames: bytes) -> None:
        """Write frames as they are, all in one TLS record where they fit into 16 KiB."""
        self.connection.sendall(b"".join(frames))

    def message(self, channel: int, payload: bytes) -> bytes:
        """The frame of one channel's message."""
        return self.frame(bytes([channel]) + payload)

    def output(self, payload: bytes, *, channel: int = STDOUT, size: int = 32768) -> None:
        """Send a stream in messages of at most `size` bytes, as runtimes do."""
        for start in range(0, len(payload), size):
            self.send(self.message(channel, payload[start : start + size]))

    def status(self, exit_code: int = 0) -> bytes:
        """The frame of a command's end."""
        return self.message(STATUS, json.dumps(exit_status(exit_code)).encode())

    def close(self, reason: bytes = b"") -> bytes:
        """The frame that ends the WebSocket."""
        return self.frame(struct.pack("!H", 1000) + reason, opcode=_CLOSE)

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


Behaviour = Callable[[Wire], None]


def exit_status(exit_code: int) -> dict[str, Any]:
    """The Status of a command that ran (apimachinery, kubelet remotecommand)."""
    if exit_code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {exit_code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(exit_code)}]},
    }


def prints(
    stdout: bytes = b"", *, stderr: bytes = b"", exit_code: int = 0, size: int = 32768, closes: bool = True
) -> Behaviour:
    """A command that ends as it should."""

    def behave(wire: Wire) -> None:
        wire.send(*(wire.message(channel, b"") for channel in (STDOUT, STDERR, STATUS)))
        wire.output(stderr, channel=STDERR)
        wire.output(stdout, size=size)
        wire.send(wire.status(exit_code))
        if closes:
            wire.send(wire.close())
        else:
            wire.gate.wait(30)

    return behave


def prints_in_one_record(lines: Sequence[bytes]) -> Behaviour:
    """All messages, the status and the close in one TLS record."""

    def behave(wire: Wire) -> None:
        wire.send(*(wire.message(STDOUT, line) for line in lines), wire.status(), wire.close())

    return behave


def fails(status: Mapping[str, Any]) -> Behaviour:
    """The runtime answers with a Status that is no exit status."""

    def behave(wire: Wire) -> None:
        wire.send(wire.message(STATUS, json.dumps(status).encode()), wire.close())

    return behave


def closes_early(stdout: bytes, *, politely: bool = True) -> Behaviour:
    """The stream ends without a status, with a close frame or with the end of TCP alone."""

    def behave(wire: Wire) -> None:
        wire.output(stdout)
        if politely:
            wire.send(wire.close(b"going away"))
        else:
            socket.socket.shutdown(wire.connection, socket.SHUT_RDWR)

    return behave


def resets(stdout: bytes) -> Behaviour:
    """The connection is reset after some output."""

    def behave(wire: Wire) -> None:
        wire.output(stdout)
        wire.reset()

    return behave


def stalls(stdout: bytes) -> Behaviour:
    """Half a frame, then silence until the server stops."""

    def behave(wire: Wire) -> None:
        wire.output(stdout)
        wire.send(wire.message(STDOUT, b"x" * 1000)[:500])
        wire.gate.wait(60)

    return behave


def drips(*, interval: float) -> Behaviour:
    """One byte of an endless frame at a time."""

    def behave(wire: Wire) -> None:
        frame = wire.message(STDOUT, b"x" * 60000)
        for offset in range(len(frame)):
            wire.send(frame[offset : offset + 1])
            if wire.gate.wait(interval):
                return

    return behave


def sends(*parts: bytes | Callable[[Wire], bytes]) -> Behaviour:
    """Exactly these bytes."""

    def behave(wire: Wire) -> None:
        wire.send(*(part(wire) if callable(part) else part for part in parts))

    return behave
