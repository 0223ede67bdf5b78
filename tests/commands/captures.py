"""Captures on disk for the tests of `flows`, and the command run on them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from kubectl_netpolgen.cli.main import main
from tests.cli.factories import Heard, an_environment
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    SECOND,
    SERVER,
    SERVER6,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_unreachable,
    sctp,
    tcp_close,
    tcp_handshake,
    tcp_refusal,
    tcp_syn,
    udp,
)
from tests.packets.factories_names import SERVER_NAME, a_client_hello
from tests.packets.factories_tunnels import fragments_of, in_vxlan, said_over_tcp
from tests.packets.quic_datagrams import INITIAL

OUTSIDE = "203.0.113.10"
PPP = 9
WITH_TSHARK = {"PATH": os.environ["PATH"]}
"""The variables of a machine that has tshark, where this one has."""


def flows(directory: Path, *words: str, stdin: bytes | None = None, **world: Any) -> tuple[int, Heard]:
    """`kubectl netpolgen flows` in a directory, on a machine that has no tshark unless PATH is given."""
    world.setdefault("variables", {"PATH": "/nonexistent"})
    heard = Heard(an_environment(directory=directory, piped=stdin, **world))
    return main(["kubectl-netpolgen", "flows", *words], heard.environment), heard


def rows(directory: Path, *words: str, **world: Any) -> list[dict[str, Any]]:
    """The rows of a run in which nothing went wrong."""
    status, heard = flows(directory, *words, "-o", "jsonl", **world)
    assert status == 0, heard.stderr
    return [json.loads(line) for line in heard.stdout.splitlines()]


def some_packets() -> list[Packet]:
    """A little of everything that makes a row."""
    return [
        dns_query(SERVER_NAME),
        dns_answer(SERVER_NAME, [OUTSIDE]),
        *tcp_handshake(CLIENT, 40001, OUTSIDE, 443, time=START + SECOND),
        *said_over_tcp(a_client_hello(), client_port=40001, server=OUTSIDE, time=START + SECOND),
        *tcp_handshake(CLIENT, 40002, OUTSIDE, 443, isn=7, time=START + 2 * SECOND),
        tcp_syn(CLIENT, 40003, SERVER, 9),
        tcp_refusal(CLIENT, 40003, SERVER, 9),
        *tcp_close(CLIENT, 40004, SERVER, 8080),
        udp(CLIENT6, 50000, SERVER6, 6000),
        *fragments_of(udp(CLIENT, 50001, SERVER, 6001, payload=bytes(40)), 24),
        icmp_unreachable(udp(CLIENT, 50002, SERVER, 6002)),
        udp(CLIENT, 50002, SERVER, 6002),
        sctp(chunk=1),
        Packet(udp(CLIENT, 50003, SERVER, 6003).ip, time=START + 1, vlans=(7,)),
        in_vxlan(udp(CLIENT, 50004, SERVER, 6004)),
    ]


def write_capture(path: Path, packets: list[Packet] | None = None, **parts: Any) -> Path:
    """A capture of these packets, or of a little of everything."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(a_pcap(some_packets() if packets is None else packets, **parts))
    return path


def a_quic_initial(server: str = OUTSIDE) -> Packet:
    """What a QUIC client sends first, to `quic.example.test`."""
    return udp(CLIENT, 40000, server, 443, payload=INITIAL)
