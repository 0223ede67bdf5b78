from __future__ import annotations

import json
import os
import signal
import stat
import tempfile
import time
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import pytest

from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.packets.reading import NotACapture, UnreadableCapture
from kubectl_netpolgen.runs.capture_rows import Format, Held, Plan, Remarks
from kubectl_netpolgen.runs.group_rows import (
    Failure,
    Piece,
    _begin_worker,
    _pieces_of,
    _read_to_file,
    read_group,
    read_groups,
)
from kubectl_netpolgen.runs.inputs import Group, Input, find_inputs
from tests.bundles import a_bundle
from tests.commands.captures import a_quic_initial, some_packets, write_capture
from tests.packets.factories import CLIENT, SERVER, a_pcap, tcp_close, tcp_handshake, udp

PLAN = Plan(format=Format.JSONL)
DISSECTS = PLAN._replace(dissects=True)


def groups(directory: Path, count: int) -> tuple[Group, ...]:
    for number in range(count):
        content = a_pcap(tcp_handshake(client_port=number + 1)) if number % 3 != 2 else b"no capture"
        (directory / f"{number:02d}").write_bytes(content)
    return find_inputs(["."], directory).groups


def told(pieces: list[Piece]) -> list[str]:
    return [piece.input.label if isinstance(piece, Failure) else str(piece) for piece in pieces]


def words(pieces: Iterable[Piece]) -> list[str]:
    """Each piece in a word or two."""
    told = []
    for piece in pieces:
        if isinstance(piece, str):
            rows = [json.loads(line) for line in piece.splitlines()]
            told += [f"{row['file']} {row['server']}:{row['serverPort']} {row['direction']}" for row in rows]
        elif isinstance(piece, Held):
            told.append(f"{piece.file} held {len(piece.rows)}")
        elif isinstance(piece, Failure):
            told.append(f"{piece.input.label} {type(piece.error).__name__}")
        else:
            told.append(f"remarks {piece.captures}")
    return told


def a_day(root: Path, *, files: int = 4) -> tuple[Group, ...]:
    """Groups of several kinds: captures, one with a frame for a dissector, a text, a bundle."""
    for number in range(files):
        write_capture(root / "day" / f"{number}.pcap", some_packets()[number:])
    write_capture(root / "day" / "1.pcap", [a_quic_initial(), *some_packets()])
    (root / "day" / "2.txt").write_text("hello")
    a_bundle(root / "day" / "bundle")
    return find_inputs(["day", "nowhere"], root).groups


def joined(pieces: Iterable[Piece]) -> list[object]:
    """The same, whatever text came in one piece, and with errors as their words."""
    found: list[object] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif isinstance(piece, Failure):
            error = piece.error
            found.append((piece.input, type(error), error.message, error.way_out))
        else:
            found.append(piece)
    return found


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


def test_a_file_is_its_rows_and_then_what_is_to_be_said_of_it(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", [udp(), *tcp_handshake()])
    (group,) = find_inputs(["a.pcap"], tmp_path).groups
    assert words(read_group(group, DISSECTS)) == [
        f"a.pcap {SERVER}:8080 syn",
        f"a.pcap {SERVER}:8125 heuristic",
        "remarks 1",
    ]


def test_what_is_no_capture_is_a_failure_between_the_others(tmp_path: Path) -> None:
    (tmp_path / "x.pcap1").write_text("hello")
    write_capture(tmp_path / "x.pcap", [udp()])
    (group,) = find_inputs(["x.pcap", "x.pcap1", "x.pcap2"], tmp_path).groups
    found = list(read_group(group, DISSECTS))
    assert words(found) == [
        "x.pcap1 NotACapture",
        "x.pcap2 UnreadableCapture",
        f"x.pcap {SERVER}:8125 heuristic",
        "remarks 1",
    ]
    assert [type(item.error) for item in found if isinstance(item, Failure)] == [
        NotACapture,
        UnreadableCapture,
    ]


def test_a_group_shares_what_its_files_prove(tmp_path: Path) -> None:
    write_capture(tmp_path / "x.pcap", tcp_close(CLIENT, 5000, SERVER, 6000))
    write_capture(tmp_path / "x.pcap1", tcp_handshake(CLIENT, 5001, SERVER, 6000))
    (group,) = find_inputs(["x.pcap", "x.pcap1"], tmp_path).groups
    assert words(read_group(group, DISSECTS))[0] == f"x.pcap {SERVER}:6000 proven"


def test_a_bundles_objects_speak_before_its_files(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "b", captures={"web-1": tcp_close("10.244.1.5", 70, "10.96.0.10", 80)})
    (group,) = find_inputs(["b"], tmp_path).groups
    assert words(read_group(group, DISSECTS)) == [
        "remarks 0",
        "b/captures/uid-web-1/1a2b3c4d.pcap 10.96.0.10:80 declared",
        "remarks 1",
    ]
    plain = find_inputs(["b/captures/uid-web-1/1a2b3c4d.pcap"], tmp_path).groups
    assert "10.244.1.5:70 heuristic" in words(read_group(plain[0], DISSECTS))[0]
    assert root.is_dir()


@pytest.mark.parametrize("kind", list(RowKind))
@pytest.mark.parametrize("text", [None, "host == 203.0.113.0/24"])
def test_groups_of_every_kind_come_through_other_processes_unchanged(
    tmp_path: Path, kind: RowKind, text: str | None
) -> None:
    plan = DISSECTS._replace(kind=kind, filter=None if text is None else parse_filter(text, kind))
    found = (*a_day(tmp_path), Group((Input(None, "-"),)), *find_inputs(["day/0.pcap"], tmp_path).groups)
    piped = a_pcap([udp()])

    def read_all(workers: int) -> list[Piece]:
        stdin = BytesIO(piped)
        return list(read_groups(found, plan, workers=workers, stdin=stdin, begin=lambda item: None))

    here, apart = read_all(1), read_all(2)
    assert joined(here) == joined(apart)
    assert any(isinstance(piece, Held) for piece in here)


def test_text_of_megabytes_comes_in_whole_lines(tmp_path: Path) -> None:
    plan = PLAN._replace(kind=RowKind.CONVERSATIONS)
    for number in range(2):
        packets = [udp(CLIENT, 1024 + port, SERVER, 53 + number) for port in range(6000)]
        write_capture(tmp_path / f"{number}.pcap", packets)
    found = find_inputs(["0.pcap", "1.pcap"], tmp_path).groups
    here, apart = (
        list(read_groups(found, plan, workers=workers, stdin=None, begin=lambda item: None))
        for workers in (1, 2)
    )
    texts = [piece for piece in apart if isinstance(piece, str)]
    assert all(text.endswith("\n") for text in texts)
    assert 2 < len(texts) < sum(isinstance(piece, str) for piece in here)
    assert joined(here) == joined(apart)


def test_what_goes_through_a_file_comes_back_in_its_place_and_the_file_is_gone(tmp_path: Path) -> None:
    write_capture(tmp_path / "x.pcap", [udp(CLIENT, 1, "10.0.0.1", 53), a_quic_initial(), udp(CLIENT, 1)])
    (tmp_path / "x.pcap1").write_text("hello")
    write_capture(tmp_path / "x.pcap2", [])
    (group,) = find_inputs(["x.pcap", "x.pcap1", "x.pcap2"], tmp_path).groups
    spool = tmp_path / "spool"
    found = _read_to_file(group, DISSECTS, spool)
    assert spool.is_file()
    assert joined(_pieces_of(spool, found)) == joined(read_group(group, DISSECTS))
    assert not spool.exists()


def test_an_interrupt_is_left_to_the_process_that_a_person_sees(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        _begin_worker(tmp_path)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_rows_may_be_left_unread(tmp_path: Path) -> None:
    pieces = read_groups(a_day(tmp_path), DISSECTS, workers=2, stdin=None, begin=lambda item: None)
    assert isinstance(next(iter(pieces)), str)
    pieces.close()  # type: ignore[attr-defined]


def test_a_process_that_ends_by_itself_is_an_error_that_names_its_file(tmp_path: Path) -> None:
    # a stand-in for tshark that kills whoever started it, as a kernel short of memory would
    program = tmp_path / "tshark"
    program.write_text(f"#!/bin/sh\n[ $PPID = {os.getpid()} ] || kill -9 $PPID\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for name in ("a.pcap", "b.pcap"):
        write_capture(tmp_path / name, [udp()])
    groups = find_inputs(["a.pcap", "b.pcap"], tmp_path).groups
    with pytest.raises(
        NetpolgenError, match=r"^a\.pcap: a process that read captures ended by itself"
    ) as caught:
        list(
            read_groups(
                groups, PLAN._replace(verifier=program), workers=2, stdin=None, begin=lambda item: None
            )
        )
    assert "--workers 1" in caught.value.way_out


def test_remarks_of_a_file_come_from_other_processes_too(tmp_path: Path) -> None:
    for name in ("a.pcap", "b.pcap"):
        write_capture(tmp_path / name, [])
    found = find_inputs(["a.pcap", "b.pcap"], tmp_path).groups
    pieces = read_groups(found, PLAN, workers=2, stdin=None, begin=lambda item: None)
    assert [
        finding.subject for piece in pieces if isinstance(piece, Remarks) for finding in piece.findings
    ] == ["a.pcap", "b.pcap"]


def test_rows_left_unread_leave_no_files_while_others_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        packets = [udp(CLIENT, 1024 + port, SERVER, 53) for port in range(3000)]
        write_capture(tmp_path / "day" / f"{number:02}.pcap", packets)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    remove = os.rmdir

    def remove_slowly(path: str, *, dir_fd: int | None = None) -> None:
        # a slow disk: between the look into the directory and its removal others write on
        time.sleep(0.5)
        remove(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", remove_slowly)
    plan = PLAN._replace(kind=RowKind.CONVERSATIONS)
    found = find_inputs(["day"], tmp_path).groups
    pieces = read_groups(found, plan, workers=2, stdin=None, begin=lambda item: None)
    assert isinstance(next(iter(pieces)), str)
    pieces.close()  # type: ignore[attr-defined]
    assert list((tmp_path / "temporary").iterdir()) == []
