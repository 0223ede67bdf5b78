from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.runs import group_rows
from kubectl_netpolgen.runs.capture_rows import Format, Plan, Remarks
from kubectl_netpolgen.runs.group_rows import Failure, Piece, read_groups
from kubectl_netpolgen.runs.inputs import Group, Input, find_inputs
from tests.packets.factories import a_pcap, tcp_handshake

PLAN = Plan(format=Format.JSONL)


def groups(directory: Path, count: int) -> tuple[Group, ...]:
    for number in range(count):
        content = a_pcap(tcp_handshake(client_port=number + 1)) if number % 3 != 2 else b"no capture"
        (directory / f"{number:02d}").write_bytes(content)
    return find_inputs(["."], directory).groups


def told(pieces: list[Piece]) -> list[str]:
    return [piece.input.label if isinstance(piece, Failure) else str(piece) for piece in pieces]


def test_other_processes_give_the_same_pieces_in_the_same_order(tmp_path: Path) -> None:
    found = groups(tmp_path, 20)
    begun: list[str] = []

    def begin(item: Input) -> None:
        begun.append(item.label)

    alone = list(read_groups(found, PLAN, workers=1, stdin=None, begin=begin))
    together = list(read_groups(found, PLAN, workers=2, stdin=None, begin=begin))
    assert told(alone) == told(together)
    assert sum(isinstance(piece, Failure) for piece in alone) == 6
    assert sum(isinstance(piece, Remarks) for piece in alone) == 14
    assert begun == [item.label for group in found for item in group.inputs] * 2


def _end(*_: object) -> None:
    os._exit(9)


def test_a_process_that_ends_by_itself_is_an_error_that_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what the other process runs is replaced, not our code: the kernel may end it at any place
    monkeypatch.setattr(group_rows, "_read_to_file", _end)
    with pytest.raises(NetpolgenError, match="00: a process") as caught:
        list(read_groups(groups(tmp_path, 3), PLAN, workers=2, stdin=None, begin=lambda item: None))
    assert "--workers 1" in caught.value.way_out
