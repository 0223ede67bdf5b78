"""Whether `flows` finds what a made capture holds: `python -m bench.check FILE TRUTH`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from shlex import split
from typing import Any, NamedTuple

SHOWN = 10
"""Differing rows that are printed."""


class Row(NamedTuple):
    """Whose counts."""

    client: str
    server: str
    protocol: str
    port: int


class Counts(NamedTuple):
    """What is compared; packets and bytes with those of later fragments."""

    packets: int = 0
    bytes: int = 0
    connections: int = 0

    def plus(self, other: Counts) -> Counts:
        """The sum."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


def summed(rows: Iterable[tuple[Row, Counts]]) -> dict[Row, Counts]:
    """The counts of each row; `flows` has one for every VLAN, the truth one for all."""
    sums: dict[Row, Counts] = {}
    for row, counts in rows:
        sums[row] = sums.get(row, Counts()).plus(counts)
    return sums


def true_row(line: dict[str, Any]) -> tuple[Row, Counts]:
    """A line of the truth."""
    row = Row(line["client"], line["server"], line["protocol"], line["port"])
    return row, Counts(line["packets"], line["bytes"], line["connections"])


def found_row(line: dict[str, Any]) -> tuple[Row, Counts]:
    """A line of `flows -o jsonl`."""
    packets = line["packetsToServer"] + line["packetsToClient"] + line["laterFragments"]
    octets = line["bytesToServer"] + line["bytesToClient"] + line["laterFragmentBytes"]
    row = Row(line["client"], line["server"], line["protocol"], line["serverPort"])
    return row, Counts(packets, octets, line["connections"])


def differences(truth: dict[Row, Counts], found: dict[Row, Counts]) -> list[str]:
    """What is missing, added or counted otherwise, in the rows' order."""
    words = []
    for row in sorted(truth.keys() | found.keys()):
        expected, counted = truth.get(row), found.get(row)
        if expected != counted:
            words.append(f"{' '.join(map(str, row))}: {spelled(counted)} instead of {spelled(expected)}")
    return words


def spelled(counts: Counts | None) -> str:
    """Counts as text."""
    if counts is None:
        return "no row"
    return f"{counts.packets} packets, {counts.bytes} bytes, {counts.connections} connections"


def main(arguments: list[str]) -> int:
    """Compare, say what differs; 1 when something does."""
    beside = Path(sys.executable).with_name("kubectl-netpolgen")
    parser = argparse.ArgumentParser(prog="python -m bench.check", description="Compare with the truth.")
    parser.add_argument("file", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--program", type=split, default=[str(beside)], help="our command, without `flows`")
    parser.add_argument("words", nargs="*", help="more words for `flows`, behind `--`")
    chosen = parser.parse_args(arguments)
    command = [*chosen.program, "flows", str(chosen.file), "-o", "jsonl", *chosen.words]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    found = summed(found_row(json.loads(line)) for line in printed.splitlines())
    with chosen.truth.open(encoding="ascii") as lines:
        truth = summed(true_row(json.loads(line)) for line in lines)
    wrong = differences(truth, found)
    sys.stdout.write(f"{len(truth):,} rows, {len(wrong):,} differ\n")
    sys.stdout.writelines(line + "\n" for line in wrong[:SHOWN])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
