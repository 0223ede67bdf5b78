from __future__ import annotations

import io
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.model.errors import ExitStatus, NetpolgenError, UsageError
from kubectl_netpolgen.model.rows import RowKind
from kubectl_netpolgen.packets.reading import NotACapture, UnreadableCapture
from kubectl_netpolgen.runs.capture_rows import Format, Plan
from kubectl_netpolgen.runs.flows import Request, Tshark, show_flows
from kubectl_netpolgen.runs.inputs import find_inputs
from tests.cli.factories import Heard, an_environment
from tests.commands.captures import a_quic_initial, write_capture
from tests.packets.factories import CLIENT, SERVER, a_pcap, tcp_handshake, udp

NOWHERE = {"PATH": "/nonexistent"}


def shown(directory: Path, *operands: str, terminal: bool = False, plan: Plan | None = None) -> Heard:
    world = Heard(
        an_environment(
            directory=directory,
            variables={"PATH": os.environ["PATH"]},
            stderr_is_terminal=terminal,
            ticks=iter(range(10**6)).__next__,
        )
    )
    request = Request(find_inputs(operands, directory), plan or Plan(format=Format.JSONL), Tshark.NEVER)
    assert show_flows(request, world.environment) is ExitStatus.DONE
    return world


def a_request(root: Path, *operands: str, **changes: Any) -> Request:
    plan = Plan(kind=changes.pop("kind", RowKind.FLOWS), format=Format.JSONL)
    return Request(find_inputs(operands, root), plan)._replace(**changes)


def asked(request: Request, **world: Any) -> tuple[ExitStatus, Heard]:
    """What a request is answered, on a machine without tshark unless the variables say otherwise."""
    heard = Heard(an_environment(**{"variables": NOWHERE, **world}))
    return show_flows(request, heard.environment), heard


def a_tshark(root: Path, script: str) -> dict[str, str]:
    """The variables of a machine whose tshark is this script."""
    program = root / "bin" / "tshark"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(program.parent)}


def test_rows_go_to_stdout_and_the_bar_to_a_terminal_only(tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(a_pcap(tcp_handshake()))
    world = shown(tmp_path, "x.pcap")
    assert (world.stdout.count("\n"), world.stderr) == (1, "")
    assert "x.pcap" in shown(tmp_path, "x.pcap", terminal=True).stderr


def test_a_person_at_the_keyboard_is_not_waited_for(tmp_path: Path) -> None:
    world = an_environment(stdin_is_terminal=True)
    with pytest.raises(UsageError, match="terminal"):
        show_flows(Request(find_inputs(["-"], tmp_path), Plan()), world)


def test_a_directory_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NetpolgenError, match="no capture file"):
        show_flows(Request(find_inputs(["."], tmp_path), Plan()), an_environment())


def test_rows_are_on_stdout_and_findings_on_stderr(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", [udp()])
    write_capture(tmp_path / "b.pcap", [])
    status, heard = asked(a_request(tmp_path, "a.pcap", "b.pcap"))
    assert status is ExitStatus.DONE
    assert [json.loads(line)["file"] for line in heard.stdout.splitlines()] == ["a.pcap"]
    assert heard.stderr == "1 warning:\n  b.pcap: holds no packets [capture-empty]\n      capture again\n"


def test_the_error_of_the_only_input_is_told_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(NotACapture):
        asked(a_request(tmp_path, "a.txt"))
    with pytest.raises(UnreadableCapture):
        asked(a_request(tmp_path, "nowhere"))
    with pytest.raises(NetpolgenError, match="none of 2 files"):
        asked(a_request(tmp_path, "a.txt", "nowhere"))


def test_findings_about_a_directory_are_told_among_the_others(tmp_path: Path) -> None:
    write_capture(tmp_path / "d" / "a.pcap", [udp()])
    (tmp_path / "d" / "far").symlink_to("/")
    status, heard = asked(a_request(tmp_path, "d"))
    assert status is ExitStatus.DONE
    assert "[link-not-followed]" in heard.stderr


def test_programs_that_a_wish_needs_are_looked_for_first(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", [udp()])
    for changes, flag in (({"verify": True}, "--verify"), ({"tshark": Tshark.ALWAYS}, "--tshark")):
        with pytest.raises(NetpolgenError, match=f"{flag} needs tshark"):
            asked(a_request(tmp_path, "a.pcap", **changes))


def test_counts_that_differ_are_told_and_end_with_an_error(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", [udp(CLIENT, 40000, SERVER, 53)])
    row = f"printf '99\\teth:ip:udp\\t{CLIENT}\\t{SERVER}\\t\\t\\t\\t\\t40000\\t53\\t\\t\\n'"
    variables = a_tshark(tmp_path, row)
    status, heard = asked(a_request(tmp_path, "a.pcap", verify=True), variables=variables)
    assert status is ExitStatus.ERROR
    assert len(heard.stdout.splitlines()) == 1
    assert heard.stderr.startswith("1 error:\n  a.pcap: UDP between")


def test_standard_input_cannot_be_compared(tmp_path: Path) -> None:
    content = write_capture(tmp_path / "a.pcap", [udp()]).read_bytes()
    variables = a_tshark(tmp_path, "exit 0")
    status, heard = asked(a_request(tmp_path, "-", verify=True), variables=variables, piped=content)
    assert status is ExitStatus.DONE
    assert "[counts-uncompared]" in heard.stderr


@pytest.mark.parametrize("kind", list(RowKind))
def test_tshark_is_never_started_for_what_nobody_wants(tmp_path: Path, kind: RowKind) -> None:
    write_capture(tmp_path / "a.pcap", [a_quic_initial()])
    variables = a_tshark(tmp_path, f"touch {tmp_path}/started; exit 1")
    _, heard = asked(a_request(tmp_path, "a.pcap", kind=kind, tshark=Tshark.NEVER), variables=variables)
    assert (heard.stderr, (tmp_path / "started").exists()) == ("", False)
    _, heard = asked(a_request(tmp_path, "a.pcap", kind=kind), variables=variables)
    assert "[names-incomplete]" in heard.stderr
    assert (tmp_path / "started").exists()


def test_a_bar_is_on_a_terminals_stderr_only_and_is_gone_at_the_end(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", [udp()])
    seconds = iter(range(0, 10_000, 3))
    request = a_request(tmp_path, "a.pcap", "a.pcap")
    _, plain = asked(request, ticks=lambda: float(next(seconds)))
    assert plain.stderr == ""
    _, heard = asked(request, ticks=lambda: float(next(seconds)), stderr_is_terminal=True)
    assert "a.pcap" in heard.stderr
    assert heard.stdout == plain.stdout
    _, both = asked(
        request, ticks=lambda: float(next(seconds)), stderr_is_terminal=True, stdout_is_terminal=True
    )
    assert both.stdout == plain.stdout


class Closed(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_has_left_ends_the_reading(tmp_path: Path) -> None:
    for name in "abc":
        write_capture(tmp_path / name, [udp()])
    world = replace(an_environment(variables=NOWHERE), stdout=Closed())
    for workers in (1, 2):
        with pytest.raises(BrokenPipeError):
            show_flows(a_request(tmp_path, "a", "b", "c", workers=workers), world)
