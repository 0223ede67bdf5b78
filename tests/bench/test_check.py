"""The truth and what was found are compared row by row."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.check import main
from bench.hosts import the_hosts
from bench.traffic import Traffic, write_traffic

TRUTH = {
    "client": "10.244.0.10",
    "server": "10.96.1.7",
    "protocol": "UDP",
    "port": 8125,
    "packets": 7,
    "bytes": 700,
    "connections": 2,
}


def found(**changed: Any) -> dict[str, Any]:
    """A row of `flows` that agrees with the truth."""
    row = {name: TRUTH[name] for name in ("client", "server", "protocol")}
    row |= {"serverPort": 8125, "packetsToServer": 6, "packetsToClient": 0, "laterFragments": 1}
    row |= {"bytesToServer": 500, "bytesToClient": 0, "laterFragmentBytes": 200}
    row |= {"connections": 2, "vlan": None}
    return row | changed


def check(tmp_path: Path, *rows: dict[str, Any]) -> int:
    """The status when `flows` prints these rows."""
    truth, printer = tmp_path / "truth.jsonl", tmp_path / "printer.py"
    truth.write_text(json.dumps(TRUTH) + "\n")
    printer.write_text(f"print({chr(10).join(map(json.dumps, rows))!r})")
    return main([str(tmp_path), str(truth), "--program", f"{sys.executable} {printer}"])


def test_equal_rows_are_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, found()) == 0
    assert capsys.readouterr().out == "1 rows, 0 differ\n"


def test_rows_of_several_vlans_are_one(tmp_path: Path) -> None:
    parts = (
        found(packetsToServer=2, bytesToServer=100, connections=1),
        found(
            packetsToServer=4,
            bytesToServer=400,
            laterFragments=0,
            laterFragmentBytes=0,
            connections=1,
            vlan=100,
        ),
    )
    assert check(tmp_path, *parts) == 0


def test_a_difference_shows_both_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, found(connections=3)) == 1
    printed = capsys.readouterr().out
    assert "10.244.0.10 10.96.1.7 UDP 8125: 7 packets, 700 bytes, 3 connections instead of 7" in printed


def test_missing_and_added_rows_are_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, found(serverPort=53)) == 1
    assert capsys.readouterr().out.count("no row") == 2


def test_the_generator_writes_what_is_read_here(tmp_path: Path) -> None:
    truth = write_traffic(tmp_path / "made.pcap", Traffic(200))
    assert all(json.loads(line).keys() == TRUTH.keys() for line in truth.lines(the_hosts()))
