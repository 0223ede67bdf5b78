"""A scan is as many rows as packets, a flood as many 5-tuples of one service."""

from __future__ import annotations

import struct

import pytest

from bench.files import FileFormat
from bench.scans import FLOOD, PIECE, PORTSCAN, one_way
from tests.bench.records import records

COUNT = PIECE + 50_000


def tuples(kind: str) -> list[tuple[bytes, bytes, int, int]]:
    """Addresses and ports of all the packets, none of which says anything but SYN."""
    file = FileFormat()
    frames = [record.frame for record in records(file.heading() + b"".join(one_way(kind, COUNT, file)))]
    assert {frame[14 + 20 + 13] for frame in frames} == {2}
    return [(frame[26:30], frame[30:34], *struct.unpack_from(">HH", frame, 34)) for frame in frames]


@pytest.mark.parametrize("kind", [PORTSCAN, FLOOD])
def test_every_packet_has_its_own_tuple(kind: str) -> None:
    assert len(set(tuples(kind))) == COUNT


def test_a_scan_has_one_client_and_a_row_for_each_port() -> None:
    found = tuples(PORTSCAN)
    assert len({client for client, _, _, _ in found}) == 1
    assert len({(server, port) for _, server, _, port in found}) == COUNT


def test_a_flood_has_one_server_and_port() -> None:
    assert len({(server, port) for _, server, _, port in tuples(FLOOD)}) == 1
