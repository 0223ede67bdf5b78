from __future__ import annotations

import os
import stat
import tempfile
import time
from pathlib import Path

import pytest

from kubectl_netpolgen.packets.pyshark_capture import SharkCapture
from kubectl_netpolgen.packets.tshark import find_tshark
from tests.components import needs
from tests.packets.factories import Packet, a_pcap, dns_query, udp

CONFIGURATION = """\
[tshark]
tshark_path = {program}
[dumpcap]
dumpcap_path = {program}
"""


def a_program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def a_file(directory: Path, *packets: Packet) -> Path:
    path = directory / "a.pcap"
    path.write_bytes(a_pcap(packets or (udp(), dns_query())))
    return path


def capture(path: Path, *, program: Path | None = None, seconds: int = 30) -> SharkCapture:
    program = program or find_tshark(os.environ)
    assert program is not None
    return SharkCapture(path, program=program, seconds=seconds, layers=("udp", "dns"), children=True)


@needs("tshark")
def test_packets_come_in_order_with_the_layers_asked_for(tmp_path: Path) -> None:
    with capture(a_file(tmp_path)) as shark:
        packets = list(shark.packets())
    assert [(int(packet.number), packet.udp.srcport) for packet in packets] == [(1, "40000"), (2, "41000")]
    assert packets[1].layers[-1].layer_name == "dns"
    assert (shark.status, shark.timed_out) == (0, False)


@needs("tshark")
def test_a_planted_configuration_names_no_program_that_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    planted = a_program(tmp_path / "planted", f"touch {marker}")
    (tmp_path / "config.ini").write_text(CONFIGURATION.format(program=planted))
    a_program(tmp_path / "tshark", f"touch {marker}")
    path = a_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    with capture(Path(path.name)) as shark:
        assert len(list(shark.packets())) == 2
    assert not marker.exists()


@needs("tshark")
def test_a_broken_configuration_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.ini").write_bytes(b"no configuration\xff\0")
    monkeypatch.chdir(tmp_path)
    with capture(a_file(tmp_path)) as shark:
        assert len(list(shark.packets())) == 2


@needs("tshark")
def test_the_planted_configuration_would_be_obeyed_by_pyshark_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # without this the tests above could pass for another reason
    from pyshark.tshark.tshark import get_process_path

    planted = a_program(tmp_path / "planted", "exit 1")
    (tmp_path / "config.ini").write_text(CONFIGURATION.format(program=planted))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyshark.config.fp_config_path", tmp_path / "config.ini")
    assert get_process_path() == str(planted)


@needs("tshark")
def test_reading_may_be_given_up_after_a_packet(tmp_path: Path) -> None:
    with capture(a_file(tmp_path, *[udp()] * 2000)) as shark:
        next(shark.packets())
    assert shark.status is not None


def test_a_program_that_does_not_end_is_killed(tmp_path: Path) -> None:
    program = a_program(tmp_path / "tshark", "exec sleep 60")
    begun = time.monotonic()
    with capture(a_file(tmp_path), program=program, seconds=1) as shark:
        assert list(shark.packets()) == []
    assert shark.timed_out
    assert shark.status == -9
    assert time.monotonic() - begun < 20


def test_a_capture_that_is_never_read_starts_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    program = a_program(tmp_path / "tshark", f"touch {marker}")
    with capture(a_file(tmp_path), program=program):
        pass
    assert not marker.exists()


@pytest.mark.parametrize("script", ["exit 3", "echo noise >&2; exit 3", "printf '\\377' >&2; exit 3"])
def test_how_a_program_failed_is_known(tmp_path: Path, script: str) -> None:
    with capture(a_file(tmp_path), program=a_program(tmp_path / "tshark", script)) as shark:
        assert list(shark.packets()) == []
    assert shark.status == 3


def test_a_capture_that_is_not_there_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(FileNotFoundError) as caught:
        SharkCapture(
            tmp_path / "gone.pcap", program=tmp_path / "tshark", seconds=1, layers=("ip",), children=False
        )
    # while the error is still on its way to whoever tells it
    assert caught.value
    assert list(tmp_path.iterdir()) == []
