from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubectl_netpolgen.model.flow import Conversation, Tunnel
from kubectl_netpolgen.packets.reading import read
from kubectl_netpolgen.packets.tshark import find_tshark
from kubectl_netpolgen.packets.verification import Count
from kubectl_netpolgen.runs.count_check import MOST_DIFFERENCES, compare_counts, our_counts
from tests.commands.captures import some_packets, write_capture
from tests.components import needs
from tests.factories import a_conversation
from tests.packets.factories import a_pcap, tcp_handshake, udp

WEB, API = "10.244.1.5", "10.244.1.6"


def a_tshark(directory: Path, *lines: str, status: int = 0) -> Path:
    """A program that answers with these rows of fields, separated by spaces here."""
    (directory / "answer").write_text("".join(line.replace(" ", "\t") + "\n" for line in lines))
    program = directory / "tshark"
    program.write_text(f"#!/bin/sh\ncat {directory}/answer\nexit {status}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def a_line(size: int, client_port: int = 40000) -> str:
    return f"{size} eth:ip:tcp {WEB} {API}   {client_port} 8080    "


def one() -> Conversation:
    """Two packets of 120 bytes together, in one direction."""
    return a_conversation(
        WEB, API, packets_to_server=2, packets_to_client=0, bytes_to_server=120, bytes_to_client=0
    )


def test_both_directions_and_vlans_count_together_and_tunnels_apart() -> None:
    item = a_conversation()
    turned = a_conversation(item.server, item.client, item.client_port, client_port=item.server_port)
    counts, vague = our_counts([item, turned._replace(vlan=7), item._replace(tunnel=Tunnel.GRE)])
    assert list(counts.values()) == [Count(20, 9200)]
    assert vague == frozenset()
    counts, vague = our_counts([item._replace(duplicates=3)])
    assert [count.frames for count in counts.values()] == [13]
    assert len(vague) == 1


@pytest.fixture
def tshark() -> Path:
    found = find_tshark({"PATH": "/usr/bin:/usr/local/bin:/bin"})
    assert found is not None
    return found


@needs("tshark")
def test_the_same_counts_are_no_finding_and_others_are(tmp_path: Path, tshark: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(a_pcap([*tcp_handshake(), *(udp(source_port=port) for port in range(1, 40))]))
    with read(path) as reading:
        ours = list(reading.conversations())
    assert compare_counts("x", ours, tshark, path) == ((), False)
    findings, differs = compare_counts("x", [ours[0]._replace(packets_to_server=9), *ours[1:]], tshark, path)
    assert differs
    assert "10 packets" in findings[0].message
    assert "3 and" in findings[0].message
    findings, _ = compare_counts("x", [], tshark, path)
    assert len(findings) == MOST_DIFFERENCES + 1
    assert "20 more" in findings[-1].message


def test_what_can_be_read_once_only_is_not_compared() -> None:
    (finding,), differs = compare_counts("-", [], Path("tshark"), None)
    assert (finding.code, differs) == ("counts-uncompared", False)


def test_equal_counts_are_nothing_to_tell(tmp_path: Path) -> None:
    program = a_tshark(tmp_path, a_line(60), a_line(60))
    assert compare_counts("x", [one()], program, write_capture(tmp_path / "x", [])) == ((), False)


def test_a_difference_is_an_error_that_says_both_counts(tmp_path: Path) -> None:
    program = a_tshark(tmp_path, a_line(60))
    (finding,), differs = compare_counts("x", [one()], program, write_capture(tmp_path / "x", []))
    assert differs
    assert (finding.code, finding.severity.value, finding.subject) == ("counts-differ", "error", "x")
    assert finding.message == (
        "TCP between 10.244.1.5 port 40000 and 10.244.1.6 port 8080: "
        "2 packets and 120 bytes here, 1 and 60 in tshark"
    )


def test_what_only_one_of_them_has_differs(tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "x", [])
    assert compare_counts("x", [], a_tshark(tmp_path, a_line(60)), capture)[1]
    assert compare_counts("x", [one()], a_tshark(tmp_path), capture)[1]


def test_bytes_of_duplicates_are_not_compared_and_their_number_is(tmp_path: Path) -> None:
    capture = write_capture(tmp_path / "x", [])
    sent_twice = one()._replace(duplicates=1)
    program = a_tshark(tmp_path, *[a_line(60)] * 3)
    assert compare_counts("x", [sent_twice], program, capture) == ((), False)
    assert compare_counts("x", [sent_twice._replace(duplicates=2)], program, capture)[1]


def test_many_differences_are_cut_short(tmp_path: Path) -> None:
    lines = (a_line(60, 40000 + number) for number in range(MOST_DIFFERENCES + 5))
    capture = write_capture(tmp_path / "x", [])
    findings, differs = compare_counts("x", [], a_tshark(tmp_path, *lines), capture)
    assert (len(findings), differs) == (MOST_DIFFERENCES + 1, True)
    assert findings[-1].message == "5 more conversations differ"


def test_what_tshark_cannot_read_is_a_warning_and_no_difference(tmp_path: Path) -> None:
    program = a_tshark(tmp_path, status=2)
    for capture in (tmp_path / "gone.pcap", write_capture(tmp_path / "x", [])):
        (finding,), differs = compare_counts("x", [one()], program, capture)
        assert (finding.code, differs) == ("counts-uncompared", False)
        assert str(tmp_path) not in finding.message


@needs("tshark")
def test_the_real_tshark_counts_a_little_of_everything_as_we_do(tmp_path: Path) -> None:
    program = find_tshark(os.environ)
    assert program is not None
    path = write_capture(tmp_path / "a.pcap", some_packets())
    with read(path) as reading:
        assert compare_counts("a.pcap", reading.conversations(), program, path) == ((), False)
