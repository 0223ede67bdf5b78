"""What another process decodes is what this one would have."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.packets.columns.apart import can_read_apart, decode_all, make_slots, read_slot
from kubectl_netpolgen.packets.columns.batches import Batch, columns_of
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.source import open_source
from tests.packets.columns.captures import mutated, some_traffic
from tests.packets.factories import ETHERNET, a_pcap

SCRIPT = Path(__file__).with_name("apart_script.py")


def batches_of(content: bytes, most: int) -> list[tuple[int, int, list[list[int]], bytes]]:
    """What comes out of the slots: first record, records, arrays and the bytes, of every batch."""
    found = []
    slots = make_slots()
    with open_source(None, stdin=io.BytesIO(content)) as source:
        header = read_header(source, Path("x.pcap"))
        records = Records(source, header)

        def send(message: dict[str, Any]) -> None:
            message = json.loads(json.dumps(message))
            if "slot" in message:
                found.append(told(read_slot(slots[message["slot"]], LINKS[ETHERNET], message)))

        decode_all(records, header, LINKS[ETHERNET], source, slots, send, lambda: 1, most)
    return found


def told(batch: Batch) -> tuple[int, int, list[list[int]], bytes]:
    columns = [column.tolist() for column in columns_of(batch)]
    end = int(batch.records.stop[-1])
    return batch.first, batch.records.start.size, columns, batch.buffer[:end]


@pytest.mark.parametrize("seed", range(4))
def test_batches_of_any_size_hold_the_same_packets(seed: int) -> None:
    content = mutated(some_traffic(seed, 80), seed)
    (whole,) = batches_of(content, 1 << 15)
    parts = batches_of(content, 7)
    assert sum(part[1] for part in parts) == whole[1]
    assert [part[0] for part in parts] == [whole[0] + 7 * number for number in range(len(parts))]
    # the times of the records are in the third column, and no batch moves them
    assert [time for part in parts for time in part[2][2]] == whole[2][2]
    assert b"".join(part[3] for part in parts) == whole[3]


def test_a_slot_keeps_what_lies_behind_the_last_record_readable() -> None:
    content = a_pcap(some_traffic(1, 3))
    ((_, count, columns, content_read),) = batches_of(content, 1 << 15)
    assert count == len(columns[0])
    assert content[24:] == content_read


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
@pytest.mark.parametrize("case", ["same", "cut", "killed"])
def test_another_process_reads_the_same_or_its_end_is_told(case: str) -> None:
    # a process of its own, because only one without other threads may fork
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.packets.columns.apart_script", case],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["ok", case]


def test_a_process_with_other_threads_does_not_fork() -> None:
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    try:
        assert not can_read_apart()
    finally:
        ending.set()
        thread.join()
