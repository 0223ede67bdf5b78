"""`flows` among terminals, pipes, other processes and hostile names: the same bytes wherever it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import ExitStatus
from tests.commands.captures import a_quic_initial, flows, rows, some_packets, write_capture
from tests.packets.factories import CLIENT, SERVER, a_pcap, udp

ROOT = Path(__file__).resolve().parents[3]


def a_day(directory: Path, packets: int = 5000) -> Path:
    """A directory of three captures of many conversations."""
    many = [udp(CLIENT, port, SERVER, 53) for port in range(1024, 1024 + packets)]
    for name in "abc":
        write_capture(directory / "day" / f"{name}.pcap", many)
    return directory / "day"


def a_process(*words: str) -> subprocess.Popen[bytes]:
    """`flows` as a process, with others of its own in its group."""
    return subprocess.Popen(
        [sys.executable, "-m", "kubectl_netpolgen", "flows", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # who runs the tests in the background of a shell has it ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_files_are_named_as_given_and_below_a_directory_joined(tmp_path: Path) -> None:
    write_capture(tmp_path / "day" / "a.pcap", [udp()])
    write_capture(tmp_path / "day" / "b" / "c.pcap", [udp()])
    given = [row["file"] for row in rows(tmp_path, "day/b/c.pcap", "./day/", str(tmp_path / "day/a.pcap"))]
    assert given == ["day/b/c.pcap", "./day/a.pcap", "./day/b/c.pcap", str(tmp_path / "day/a.pcap")]


def test_standard_input_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    status, heard = flows(tmp_path, "-", stdin=b"", stdin_is_terminal=True)
    assert (status, heard.stderr.splitlines()[0]) == (ExitStatus.USAGE, "error: standard input is a terminal")
    assert flows(tmp_path, "-", stdin=b"")[0] == ExitStatus.ERROR
    # a standard input that has no bytes below its text
    status, heard = flows(tmp_path, "-")
    assert (status, heard.stdout) == (ExitStatus.ERROR, "")
    assert heard.stderr.startswith("error: ")
    assert "Traceback" not in heard.stderr


@pytest.mark.parametrize("kind", ["--conversations", "--names", "--inner"])
@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "table"])
def test_workers_change_neither_rows_nor_findings(tmp_path: Path, kind: str, form: str) -> None:
    for number in range(4):
        packets = [*some_packets()[number:], *([a_quic_initial()] if number == 2 else [])]
        write_capture(tmp_path / "day" / f"{number}.pcap", packets)
    (tmp_path / "day" / "1.txt").write_text("hello\n")
    (one, alone), (two, together) = (
        flows(tmp_path, "day", "-", kind, "-o", form, "--workers", workers, stdin=a_pcap([udp()]))
        for workers in ("1", "2")
    )
    assert one == two == ExitStatus.DONE
    assert alone.stdout == together.stdout != ""
    assert alone.stderr == together.stderr != ""


def test_a_terminal_gets_a_table_for_people(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", [udp(payload=bytes(1400)) for _ in range(9)])
    status, heard = flows(tmp_path, "a.pcap", stdout_is_terminal=True, width=120)
    head, line = heard.stdout.splitlines()
    assert status == ExitStatus.DONE
    assert "FILE" not in head
    assert "VLAN" not in head
    assert "13 KiB" in line


def test_hostile_file_names_steer_nothing(tmp_path: Path) -> None:
    name = "a\x1b[2J\n,\udcff.pcap"
    write_capture(tmp_path / name, [udp()])
    for form in ("jsonl", "json", "csv", "table"):
        status, heard = flows(tmp_path, name, "-o", form)
        assert status == ExitStatus.DONE, heard.stderr
        assert "\x1b" not in heard.stdout
        heard.stdout.encode()
    assert rows(tmp_path, name)[0]["file"] == name


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    process = a_process(str(a_day(tmp_path)), "--conversations", "-o", "jsonl")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b'{"file"')
    process.stdout.close()
    with process.stderr as said:
        assert said.read() == b""
    assert process.wait(60) == ExitStatus.ERROR


def test_a_closed_pipe_is_quiet_with_other_processes_too(tmp_path: Path) -> None:
    process = a_process(str(a_day(tmp_path)), "--conversations", "-o", "jsonl", "--workers", "2")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b'{"file"')
    process.stdout.close()
    with process.stderr as said:
        assert said.read() == b""
    assert process.wait(60) == ExitStatus.ERROR


def test_an_interrupt_ends_all_processes_and_is_told_once(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    process = a_process(str(day), str(day), "--conversations", "-o", "jsonl", "--workers", "2")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b'{"file"')
    # as a terminal does at ^C: everyone in the group hears it
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert b"Traceback" not in said
    assert said.count(b"\n") <= 1


@pytest.mark.parametrize(
    ("seed", "zone", "locale"), [("1", "Pacific/Chatham", "tr_TR.UTF-8"), ("2", "America/St_Johns", "C")]
)
def test_the_same_capture_is_the_same_bytes_under_any_seed_zone_and_locale(
    tmp_path: Path, seed: str, zone: str, locale: str
) -> None:
    write_capture(tmp_path / "day" / "a.pcap")
    (tmp_path / "day" / "notes.txt").write_text("hello\n")
    for words in ("-o=jsonl", "--names", "--conversations"):
        _, here = flows(tmp_path, "day", "nowhere", words)
        assert str(tmp_path) not in here.stdout + here.stderr
        done = subprocess.run(
            [sys.executable, "-m", "kubectl_netpolgen", "flows", "day", "nowhere", words],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONHASHSEED": seed,
                "TZ": zone,
                "LC_ALL": locale,
                "PYTHONWARNINGS": "error",
            },
            capture_output=True,
            check=False,
        )
        assert (done.stdout.decode(), done.stderr.decode()) == (here.stdout, here.stderr)
