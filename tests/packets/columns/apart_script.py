"""Reads a capture here and in another process, and compares: `python -m ... same|cut|killed|refused`."""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import threading
from pathlib import Path

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.columns.apart import read_apart
from kubectl_netpolgen.packets.columns.batches import Batch
from kubectl_netpolgen.packets.columns.counter import FastCounter
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.source import open_source
from tests.packets.columns.captures import some_traffic
from tests.packets.factories import ETHERNET, a_pcap


def outcome(path: Path, *, apart: bool, calls: bool = True) -> tuple[object, ...]:
    """All that is known of the capture in the end."""
    told: list[None] = []
    with open_source(path) as source:
        header = read_header(source, path)
        records = Records(source, header)
        counter = FastCounter(
            Tally(), inner=False, apart=source if apart else None, told=lambda: told.append(None)
        )
        counter.count_records(records, header, LINKS[ETHERNET])
        with Reading(str(path), counter.tally, counter.finish()) as reading:
            assert bool(told) == (apart and calls)
            return (
                list(reading.conversations()),
                list(reading.flows()),
                reading.names,
                records.count,
                source.explain(records.truncated),
                source.position,
            )


def kill(path: Path) -> None:
    """End the other process from outside, and look at what is said."""

    def take(batch: Batch) -> None:
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
        os.kill(int(children), signal.SIGKILL)

    with open_source(path) as source:
        header = read_header(source, path)
        try:
            read_apart(
                Records(source, header),
                header,
                LINKS[ETHERNET],
                source=source,
                take=take,
                told=lambda: None,
            )
        except NetpolgenError as error:
            assert str(path) in error.message
            assert "ended by itself" in error.message
            assert "--workers 1" in error.way_out
        else:
            raise AssertionError("nobody noticed")


def refuse(path: Path) -> None:
    """Let the system give nothing for another process; everything is read here then."""
    before = outcome(path, apart=False)
    # room for the file itself, and none for what two processes tell each other by
    resource.setrlimit(resource.RLIMIT_NOFILE, (5, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        assert outcome(path, apart=True, calls=False) == before
    finally:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main(case: str) -> None:
    """Compare, and say that all was well."""
    content = a_pcap([packet for seed in range(6) for packet in some_traffic(seed, 200)])
    # more than one chunk, or the other process has told its end before it is killed
    content += content[24:] * (12_000_000 // len(content) + 1)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "a.pcap")
        path.write_bytes(content if case != "cut" else content[:-30])
        if case == "killed":
            kill(path)
        elif case == "refused":
            refuse(path)
        else:
            assert outcome(path, apart=True) == outcome(path, apart=False)
    sys.stdout.write(f"ok {case}\n")


if __name__ == "__main__":
    main(sys.argv[1])
