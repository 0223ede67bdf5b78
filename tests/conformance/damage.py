"""Damaged captures, and what must hold of the reading of each."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from kubectl_netpolgen.packets.foreign import NotACapture
from kubectl_netpolgen.packets.reading import Engine, Reading, ReadingOptions, read

LONGEST = 2.0
"""Seconds that the reading of any damaged file may take."""


class Hung(AssertionError):
    """A file took too long."""


def prefixes(content: bytes, *, seed: int, most: int = 1000) -> Iterator[bytes]:
    """Every prefix of a small file; of a larger one so many, a third of them at the borders of records."""
    if len(content) <= 8 << 10:
        sizes: list[int] = list(range(len(content)))
    else:
        chance = random.Random(seed)
        borders = _borders(content)
        sizes = [chance.randrange(len(content)) for _ in range(most - most // 3)]
        sizes += [chance.choice(borders) for _ in range(most // 3)] if borders else []
    for size in sizes:
        yield content[:size]


def mutations(content: bytes, *, seed: int, count: int) -> Iterator[bytes]:
    """The file with a few bytes changed, taken out, or put in twice; small files have it worst."""
    chance = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            if not damaged:
                break
            at = chance.randrange(len(damaged))
            way = chance.randrange(6)
            if way < 3:
                damaged[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            elif way == 3:
                damaged[at : at + 4] = struct.pack(
                    "<I", chance.choice((0, 0xFFFFFFFF, 1 << 31, chance.getrandbits(32)))
                )
            elif way == 4:
                del damaged[at : at + chance.randrange(1, 64)]
            else:
                damaged[at:at] = damaged[at : at + chance.randrange(1, 64)]
        yield bytes(damaged)


def _borders(content: bytes) -> list[int]:
    """Where the records of a classic capture begin; nothing for other files."""
    if content[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1"):
        return []
    order = "<" if content[:1] != b"\xa1" else ">"
    found, position = [], 24
    while position + 16 <= len(content):
        found.append(position)
        position += 16 + struct.unpack_from(f"{order}I", content, position + 8)[0]
    return found


def survive(content: bytes, path: Path, engine: Engine = Engine.EXACT) -> None:
    """Read a file of this content; it is a capture that adds up, or is said to be none, in good time."""
    path.write_bytes(content)
    begun = time.monotonic()
    try:
        with read(path, options=ReadingOptions(engine=engine, inner=True)) as reading:
            check_sums(reading)
    except NotACapture as refusal:
        assert path.name in refusal.message
        assert refusal.way_out
    if time.monotonic() - begun > LONGEST:
        raise Hung(f"took {time.monotonic() - begun:.1f} s")


def check_sums(reading: Reading) -> None:
    """Every packet is in one row, left out, or unread; and flows are the conversations added up."""
    contents = reading.contents()
    outer = [item for item in reading.conversations() if item.tunnel is None]
    told = sum(item.packets_to_server + item.packets_to_client for item in outer)
    kept = sum(
        item.packets_to_server + item.packets_to_client
        for item in contents.conversations
        if item.tunnel is None
    )
    assert reading.packets == kept + contents.left_out_packets + contents.unread_packets
    assert told <= reading.packets
    flows = list(reading.flows())
    assert sum(flow.client_ports for flow in flows) == len(list(reading.conversations()))
    assert sum(flow.packets for flow in flows if flow.tunnel is None) == told
    assert len(reading.findings) == len(set(reading.findings))
