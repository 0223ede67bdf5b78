"""Captures of any size, realistic and seeded, with what they hold: `python -m bench.traffic OUT --packets N`.

Memory does not grow with the size: exchanges are made in slices of time, and what a slice's long connections
send later waits for the next.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.exchanges import plan, window
from bench.files import FileFormat, Framing
from bench.frames import Slice, frame
from bench.hosts import CLIENTS, the_hosts
from bench.packets import unfold
from bench.payloads import the_pool
from bench.scans import FLOOD, PORTSCAN, one_way
from bench.truth import Truth

MIX = "mix"
MOST_PACKETS = 15_000_000
"""Beyond it client ports would repeat, and the truth would not be so simple."""


@dataclass(frozen=True)
class Traffic:
    """What to make."""

    packets: int
    seed: int = 1
    format: FileFormat = field(default_factory=FileFormat)


def made(traffic: Traffic, truth: Truth) -> Iterator[bytes]:
    """The bytes of the capture, piece by piece; `truth` counts along."""
    hosts = the_hosts()
    pool = the_pool(hosts, traffic.seed)
    ports_used = np.zeros(2 * CLIENTS, np.int64)
    ethernet, arp = traffic.format.framing is Framing.ETHERNET, traffic.format.framing is not Framing.RAW
    waiting: list[bytes] = []
    waiting_times: NDArray[np.int64] = np.zeros(0, np.int64)
    missing, index = traffic.packets, 0
    yield traffic.format.heading()
    while missing:
        exchanges = plan(hosts, traffic.seed, index, ports_used, ethernet=ethernet, arp=arp).up_to(missing)
        packets = unfold(exchanges, pool, traffic.seed, index)
        randomness = np.random.default_rng([traffic.seed, 4, index])
        records, lengths = frame(Slice(hosts, pool, exchanges, packets, traffic.format, randomness))
        truth.add(exchanges, packets, lengths)
        missing -= len(records)
        records = waiting + records
        times = np.concatenate([waiting_times, packets.time])
        order = np.argsort(times, kind="stable")
        due = len(order) if not missing else int(np.searchsorted(times[order], window(index)[1]))
        yield b"".join([records[row] for row in order[:due].tolist()])
        waiting = [records[row] for row in order[due:].tolist()]
        waiting_times = times[order[due:]]
        index += 1


def write_traffic(path: Path, traffic: Traffic) -> Truth:
    """Write the capture; what it holds."""
    truth = Truth()
    with path.open("wb") as file:
        for piece in made(traffic, truth):
            file.write(piece)
    return truth


def options(arguments: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.traffic", description="Write a made capture.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", choices=(MIX, PORTSCAN, FLOOD), default=MIX)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--link", choices=[framing.name.lower() for framing in Framing], default="ethernet")
    parser.add_argument("--snap", type=int, default=262_144, help="bytes kept of each frame")
    parser.add_argument("--nanoseconds", action="store_true")
    parser.add_argument("--pcapng", action="store_true")
    parser.add_argument("--truth", type=Path, help="write JSON lines: client, server, protocol, port, counts")
    chosen = parser.parse_args(arguments)
    if chosen.kind == MIX and chosen.packets > MOST_PACKETS:
        parser.error(f"--packets: at most {MOST_PACKETS:,}, beyond it client ports would repeat")
    if chosen.kind != MIX and chosen.truth:
        parser.error("--truth: only for --kind mix; the others are one row a packet or a client")
    return chosen


def main(arguments: list[str]) -> int:
    """Write what was asked for."""
    chosen = options(arguments)
    file = FileFormat(Framing[chosen.link.upper()], chosen.snap, chosen.nanoseconds, chosen.pcapng)
    if chosen.kind != MIX:
        with chosen.out.open("wb") as out:
            out.write(file.heading())
            out.writelines(one_way(chosen.kind, chosen.packets, file))
        return 0
    truth = write_traffic(chosen.out, Traffic(chosen.packets, chosen.seed, file))
    if chosen.truth:
        with chosen.truth.open("w", encoding="ascii") as lines:
            lines.writelines(line + "\n" for line in truth.lines(the_hosts()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
