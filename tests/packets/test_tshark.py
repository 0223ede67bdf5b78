from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from kubectl_netpolgen.model.finding import Severity
from kubectl_netpolgen.packets.tshark import (
    TsharkFailed,
    empty_surroundings,
    find_tshark,
    limited_command,
    stream_fields,
    tshark_absent,
)
from tests.components import needs
from tests.packets.factories import a_pcap, udp


def a_program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def the_tshark() -> Path:
    found = find_tshark(os.environ)
    assert found is not None
    return found


def test_tshark_is_found_on_the_path_but_never_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = a_program(tmp_path / "bin" / "tshark", "exit 0")
    monkeypatch.chdir(program.parent)
    assert find_tshark({"PATH": f"/nowhere:{program.parent}"}) == program
    assert find_tshark({"PATH": ":.:bin:/nowhere"}) is None


def test_what_cannot_be_run_is_not_tshark(tmp_path: Path) -> None:
    (tmp_path / "tshark").write_text("")
    assert find_tshark({"PATH": str(tmp_path)}) is None
    (tmp_path / "directory" / "tshark").mkdir(parents=True)
    assert find_tshark({"PATH": str(tmp_path / "directory")}) is None


def test_its_absence_is_a_note_with_a_way_out() -> None:
    finding = tshark_absent("3 frames", "not read")
    assert (finding.code, finding.severity) == ("tshark-absent", Severity.NOTE)
    assert "install tshark" in finding.way_out


def test_nothing_of_our_own_surroundings_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIRESHARK_EXTCAP_DIR", "/evil")
    monkeypatch.setenv("LD_PRELOAD_OF_OURS", "/evil.so")
    with empty_surroundings() as (directory, variables):
        assert not any("evil" in value for value in variables.values())
        assert Path(variables["HOME"]).is_relative_to(directory)
        assert list(Path(variables["WIRESHARK_CONFIG_DIR"]).iterdir()) == []
    assert not directory.exists()


def test_limits_are_set_before_the_program_starts(tmp_path: Path) -> None:
    program = a_program(tmp_path / "tshark", 'echo "$(ulimit -c) $(ulimit -f) $(ulimit -t) $(ulimit -v)"')
    rows = list(stream_fields(program, tmp_path / "x.pcap", ["frame.len"], seconds=7))
    assert rows == [[f"0 0 7 {4 << 20}"]]
    assert limited_command(program, ["-v"], seconds=7)[-2:] == [str(program), "-v"]


def test_a_program_that_does_not_end_is_killed(tmp_path: Path) -> None:
    program = a_program(tmp_path / "tshark", "echo 1; exec sleep 60")
    rows = stream_fields(program, tmp_path / "x.pcap", ["frame.len"], seconds=1)
    assert next(rows) == ["1"]
    with pytest.raises(TsharkFailed, match="signal 9"):
        next(rows)


def test_a_program_that_fails_is_an_error_behind_what_it_told(tmp_path: Path) -> None:
    program = a_program(tmp_path / "tshark", "printf '1\\t2\\n\\377\\n'; exit 2")
    rows = stream_fields(program, tmp_path / "x.pcap", ["frame.len"], seconds=5)
    assert [next(rows), next(rows)] == [["1", "2"], ["\ufffd"]]
    with pytest.raises(TsharkFailed, match="ended with 2"):
        next(rows)


def test_reading_may_be_given_up_at_any_time(tmp_path: Path) -> None:
    program = a_program(tmp_path / "tshark", "while echo 1; do :; done")
    rows = stream_fields(program, tmp_path / "x.pcap", ["frame.len"], seconds=30)
    assert next(rows) == ["1"]
    rows.close()


@needs("tshark")
def test_fields_are_streamed_packet_by_packet(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(a_pcap([udp(), udp(source_port=1)]))
    rows = stream_fields(the_tshark(), path, ["frame.len", "udp.srcport"], seconds=30, display_filter="udp")
    assert list(rows) == [["52", "40000"], ["52", "1"]]


@needs("tshark")
def test_scripts_in_the_users_configuration_and_the_current_directory_do_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    script = f'io.open("{marker}", "w"):close()\n'
    home = tmp_path / "home"
    for place in (
        tmp_path,
        home / ".config" / "wireshark",
        home / ".config" / "wireshark" / "plugins",
        home / ".local" / "lib" / "wireshark" / "plugins",
    ):
        place.mkdir(parents=True, exist_ok=True)
        (place / "init.lua").write_text(script)
    extcap = a_program(home / ".config" / "wireshark" / "extcap" / "planted", f"touch {marker}")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(home / ".config" / "wireshark"))
    monkeypatch.setenv("WIRESHARK_EXTCAP_DIR", str(extcap.parent))
    monkeypatch.chdir(tmp_path)
    Path("a.pcap").write_bytes(a_pcap([udp()]))
    assert len(list(stream_fields(the_tshark(), Path("a.pcap"), ["frame.len"], seconds=30))) == 1
    assert not marker.exists()
    assert shutil.which("tshark") is not None
