"""Plays any workload of the sample application inside a pod: it listens, it calls, and it keeps score.

It runs under the plain python3 of the tool image, mounted from a ConfigMap, so it uses the standard library
only and imports nothing of this repository.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

CALLS = Path("/tmp/calls")
CERTIFICATE = Path("/tls")
TIMEOUT_S = 4.0
HOLD_EVERY_S = 5.0
HTTP_ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


@dataclass(frozen=True)
class Listen:
    """One port that this workload serves, on both families or, as some programs do, on IPv4 alone."""

    port: int
    protocol: str = "tcp"
    families: str = "dual"
    tls: bool = False


@dataclass(frozen=True)
class Call:
    """One peer that this workload calls for as long as it lives."""

    name: str
    host: str
    port: int
    protocol: str = "tcp"
    family: str = "any"
    tls: bool = False
    every: float = 4.0
    mode: str = "connect"


class Score:
    """The counters of one call in a small file, so that a test can ask whether an edge works by `cat`."""

    def __init__(self, name: str, directory: Path = CALLS) -> None:
        """Start from nothing: a new pod must prove every edge anew."""
        self.name = name
        self.file = directory / name
        self.counts: dict[str, Any] = {"successes": 0, "failures": 0, "lastSuccess": None, "opened": 0}

    def opened(self) -> None:
        """Count a new connection, which shows whether a held one was really held."""
        self.counts["opened"] += 1

    def record(self, error: str | None) -> None:
        """Count one result, say it as a JSON line, and replace the file in one step for its readers."""
        now = time.time()
        if error is None:
            self.counts["successes"] += 1
            self.counts["lastSuccess"] = now
        else:
            self.counts["failures"] += 1
            self.counts["lastError"] = error
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_name(f".{self.name}.new")
        fresh.write_text(json.dumps(self.counts))
        fresh.replace(self.file)
        print(json.dumps({"time": now, "call": self.name, "error": error}), flush=True)


def bound_socket(listen: Listen) -> socket.socket:
    """Bind as the workload asks: one IPv6 socket that takes IPv4 as well, or an IPv4 socket."""
    dual = listen.families == "dual"
    kind = socket.SOCK_DGRAM if listen.protocol == "udp" else socket.SOCK_STREAM
    bound = socket.socket(socket.AF_INET6 if dual else socket.AF_INET, kind)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if dual:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    bound.bind(("::" if dual else "0.0.0.0", listen.port))
    if kind == socket.SOCK_STREAM:
        bound.listen(64)
    return bound


def answer_stream(peer: socket.socket) -> None:
    """Answer HTTP with 200 and close; echo anything else until the peer closes."""
    with peer:
        try:
            while chunk := peer.recv(4096):
                if chunk.startswith((b"GET ", b"HEAD ")):
                    peer.sendall(HTTP_ANSWER)
                    return
                if chunk.startswith(b"POST "):
                    peer.sendall(admission(chunk, peer))
                    return
                peer.sendall(chunk)
        except OSError:
            return


def admission(begun: bytes, peer: socket.socket) -> bytes:
    """Read the rest of an AdmissionReview and allow what it asks, as a webhook that only looks does."""
    head, _, body = begun.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    length = next(int(value) for name, _, value in lines if name.lower() == b"content-length")
    while len(body) < length and (chunk := peer.recv(65536)):
        body += chunk
    review = json.loads(body)
    review["response"] = {"uid": review.pop("request")["uid"], "allowed": True}
    said = json.dumps(review).encode()
    headers = f"Content-Type: application/json\r\nContent-Length: {len(said)}\r\nConnection: close"
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + said


def answer_secured(peer: socket.socket, context: ssl.SSLContext) -> None:
    """Answer over TLS; who speaks none, as a probe that only connects, is left alone."""
    try:
        secured_peer = context.wrap_socket(peer, server_side=True)
    except OSError:
        peer.close()
        return
    answer_stream(secured_peer)


def server_context(directory: Path = CERTIFICATE) -> ssl.SSLContext:
    """Load the certificate as a mounted TLS secret has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    return context


def serve_stream(bound: socket.socket, context: ssl.SSLContext | None = None) -> NoReturn:
    """Give every accepted connection its own thread: there are never more than a handful."""
    while True:
        peer, _ = bound.accept()
        if context is None:
            threading.Thread(target=answer_stream, args=(peer,), daemon=True).start()
        else:
            threading.Thread(target=answer_secured, args=(peer, context), daemon=True).start()


def serve_datagrams(bound: socket.socket) -> NoReturn:
    """Send every datagram back to where it came from."""
    while True:
        chunk, sender = bound.recvfrom(4096)
        bound.sendto(chunk, sender)


def serve(listen: Listen) -> None:
    """Start serving one port in the background, once it is bound, so that no bind error is lost."""
    bound = bound_socket(listen)
    if listen.tls:
        threading.Thread(target=serve_stream, args=(bound, server_context()), daemon=True).start()
        return
    loop = serve_datagrams if listen.protocol == "udp" else serve_stream
    threading.Thread(target=loop, args=(bound,), daemon=True).start()


def opened_socket(call: Call) -> socket.socket:
    """Resolve the name anew, as a program does after a restart, and open the first address that answers."""
    kind = socket.SOCK_DGRAM if call.protocol == "udp" else socket.SOCK_STREAM
    family = {"any": socket.AF_UNSPEC, "4": socket.AF_INET, "6": socket.AF_INET6}[call.family]
    failure: OSError = OSError(f"{call.host} has no address")
    for found_family, found_kind, _, _, address in socket.getaddrinfo(call.host, call.port, family, kind):
        opened = socket.socket(found_family, found_kind)
        opened.settimeout(TIMEOUT_S)
        try:
            opened.connect(address)
        except OSError as error:
            opened.close()
            failure = error
        else:
            return secured(opened, call) if call.tls else opened
    raise failure


def secured(plain: socket.socket, call: Call) -> socket.socket:
    """Make the connection TLS without judging the certificate: the tests are about packets, not trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=call.host)
    except OSError:
        plain.close()
        raise


def exchange(opened: socket.socket, request: bytes) -> None:
    """Send a few bytes and demand some back: an edge works only when both directions do."""
    opened.sendall(request)
    if not opened.recv(4096):
        raise ConnectionError("closed without an answer")


def request_of(call: Call) -> bytes:
    """Speak HTTP to web servers and a line of text to everything else."""
    if call.protocol == "http":
        return f"GET /{call.name} HTTP/1.0\r\nHost: {call.host}\r\n\r\n".encode()
    return f"hello from {call.name}\n".encode()


def call_once(call: Call, score: Score) -> None:
    """Open, exchange a few bytes and close, as short-lived clients do."""
    with opened_socket(call) as opened:
        score.opened()
        exchange(opened, request_of(call))


def hold(call: Call, score: Score) -> NoReturn:
    """Keep one connection open and use it now and then, as database clients do; returns only by an error."""
    with opened_socket(call) as opened:
        score.opened()
        while True:
            exchange(opened, request_of(call))
            score.record(None)
            time.sleep(HOLD_EVERY_S)


def keep_calling(call: Call, score: Score, rounds: int = 0) -> None:
    """Repeat the call until it worked so many times, or for ever; what fails is counted and tried again."""
    while not rounds or score.counts["successes"] < rounds:
        try:
            if call.mode == "hold":
                hold(call, score)
            else:
                call_once(call, score)
        except OSError as error:
            score.record(f"{type(error).__name__}: {error}")
        else:
            score.record(None)
        time.sleep(call.every)


def main() -> NoReturn:
    """Play what $PLAYER says, and end at once when asked: PID 1 has no default signal handlers.

    With `rounds` it ends by itself, when every call has worked so many times, as a job does.
    """
    ending = {signal.SIGTERM, signal.SIGINT}
    # Blocked, and before any thread starts: a handler could run just before the wait, which then never ends.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    role = json.loads(os.environ["PLAYER"])
    for listen in role["listen"]:
        serve(Listen(**listen))
    rounds, directory = role.get("rounds", 0), Path(role.get("scores", CALLS))
    callers = []
    for call in role["call"]:
        arguments = (Call(**call), Score(call["name"], directory), rounds)
        callers.append(threading.Thread(target=keep_calling, args=arguments, daemon=True))
        callers[-1].start()
    print(json.dumps({"time": time.time(), "listening": len(role["listen"])}), file=sys.stderr, flush=True)
    while not rounds or any(caller.is_alive() for caller in callers):
        if signal.sigtimedwait(ending, 1.0) is not None:
            os._exit(1 if rounds else 0)
    os._exit(0)


if __name__ == "__main__":
    main()
