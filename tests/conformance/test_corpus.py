"""What once broke the reader, or was made to: a few files, read in every run by both engines."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from kubectl_netpolgen.packets.reading import Engine
from tests.conformance.damage import survive
from tests.packets.factories import ETHERNET, a_pcap, dns_answer, tcp_handshake, udp
from tests.packets.factories_pcapng import a_section, an_interface

CORPUS = Path(__file__).parent / "corpus"

_HEADER = a_pcap([])[:24]
MADE = {
    "a frame of four gigabytes": _HEADER + struct.pack("<IIII", 1, 0, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(100),
    "frames of nothing": _HEADER + struct.pack("<IIII", 1, 0, 0, 0) * 10_000,
    "records that go backwards": a_pcap(
        [udp(time=1_700_000_000_000_000_000 - number) for number in range(200)]
    ),
    "a length on the wire shorter than captured": _HEADER + struct.pack("<IIII", 1, 0, 60, 1) + bytes(60),
    "a block of sixteen megabytes": a_section() + struct.pack("<II", 9, 16 << 20) + bytes(64),
    "a thousand interfaces": a_section() + an_interface() * 1000,
    "a thousand answers": a_pcap([dns_answer("a.test", [f"10.0.{n >> 8}.{n & 255}" for n in range(1000)])]),
    "one packet of every length": a_pcap([bytes(size) for size in range(200)], link=ETHERNET),
    "zeros that were compressed": gzip.compress(bytes(50 << 20), mtime=0),
    "a compressed capture that is cut": gzip.compress(a_pcap(tcp_handshake() * 100), mtime=0)[:-20],
    "a handshake ten thousand times": a_pcap(tcp_handshake() * 10_000),
}


@pytest.mark.parametrize("engine", [Engine.EXACT, Engine.FAST])
@pytest.mark.parametrize("name", MADE)
def test_what_was_made_to_break_it_does_not(name: str, engine: Engine, tmp_path: Path) -> None:
    survive(MADE[name], tmp_path / "made.pcap", engine)


def test_what_once_broke_it_does_not_again(tmp_path: Path) -> None:
    for path in sorted(CORPUS.glob("*.pcap")) if CORPUS.is_dir() else []:
        for engine in (Engine.EXACT, Engine.FAST):
            survive(path.read_bytes(), tmp_path / "again.pcap", engine)
