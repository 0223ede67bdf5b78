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

from kubectl_netpolgen.packets.columns.apart import (
    Slots,
    can_read_apart,
    decode_all,
    make_memory,
    read_slot,
)
from kubectl_netpolgen.packets.columns.batches import Batch, columns_of
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.source import open_source
from tests.packets.columns.captures import mutated, some_traffic
from tests.packets.factories import ETHERNET, a_pcap

SCRIPT = Path(__file__).with_name("apart_script.py")


def batches_of(path: Path, most: int, *, pipe: bool = False) -> list[tuple[int, int, list[list[int]], bytes]]:
    """What comes out of the slots: first record, records, arrays and the bytes, of every batch."""
    found = []
    memory = make_memory()
    stdin = io.BytesIO(path.read_bytes()) if pipe else None
    with open_source(None if pipe else path, stdin=stdin) as source:
        header = read_header(source, Path("x.pcap"))
        records = Records(source, header)

        def send(message: dict[str, Any]) -> None:
            message = json.loads(json.dumps(message))
            if "slot" in message:
                found.append(told(read_slot(memory[message["slot"]], LINKS[ETHERNET], message)))

        slots = Slots(memory, send, lambda: 1)
        decode_all(records, header, LINKS[ETHERNET], source, slots, most)
    return found


def told(batch: Batch) -> tuple[int, int, list[list[int]], bytes]:
    columns = [column.tolist() for column in columns_of(batch)]
    begin, end = int(batch.records.start[0]) - 16, int(batch.records.stop[-1])
    return batch.first, batch.records.start.size, columns, batch.buffer[begin:end]


@pytest.mark.parametrize("pipe", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_batches_of_any_size_hold_the_same_packets(tmp_path: Path, seed: int, pipe: bool) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(mutated(some_traffic(seed, 80), seed))
    (whole,) = batches_of(path, 1 << 15, pipe=pipe)
    parts = batches_of(path, 7, pipe=pipe)
    assert sum(part[1] for part in parts) == whole[1]
    assert [part[0] for part in parts] == [whole[0] + 7 * number for number in range(len(parts))]
    # the times of the records are in the third column, and no batch moves them
    assert [time for part in parts for time in part[2][2]] == whole[2][2]
    assert b"".join(part[3] for part in parts) in path.read_bytes()


def test_a_capture_of_many_windows_comes_in_batches_behind_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    content = a_pcap(some_traffic(1, 400))
    path.write_bytes(content + content[24:] * (9_000_000 // len(content)))
    windows, pieces = batches_of(path, 1 << 15), batches_of(path, 1 << 15, pipe=True)
    assert len(windows) > 2
    for batches in (windows, pieces):
        assert [batch[0] for batch in batches[1:]] == [batch[0] + batch[1] for batch in batches[:-1]]
    assert sum(batch[1] for batch in windows) == sum(batch[1] for batch in pieces)
    times = [[time for batch in batches for time in batch[2][2]] for batches in (windows, pieces)]
    assert times[0] == times[1]


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
@pytest.mark.parametrize("case", ["same", "cut", "killed", "refused"])
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
