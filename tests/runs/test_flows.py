from __future__ import annotations

import os
from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import ExitStatus, NetpolgenError, UsageError
from kubectl_netpolgen.runs.capture_rows import Format, Plan
from kubectl_netpolgen.runs.flows import Request, Tshark, show_flows
from kubectl_netpolgen.runs.inputs import find_inputs
from tests.cli.factories import Heard, an_environment
from tests.packets.factories import a_pcap, tcp_handshake


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
