"""Made captures are the same for the same words, and hold what their truth says, as tshark counts."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from bench.files import FileFormat, Framing
from bench.hosts import STATSD_PORT, the_hosts
from bench.traffic import Traffic, main, options, write_traffic
from bench.truth import Truth
from tests.bench.records import records
from tests.components import needs

ENDS = (
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
)
FIELDS = (*ENDS, "frame.len")
Row = tuple[str, str, str, int]


def rows(truth: Truth) -> dict[Row, tuple[int, int, int]]:
    """Packets, bytes and connections by client, server, protocol and port."""
    lines = map(json.loads, truth.lines(the_hosts()))
    return {
        (line["client"], line["server"], line["protocol"], line["port"]): (
            line["packets"],
            line["bytes"],
            line["connections"],
        )
        for line in lines
    }


def counted_by_tshark(path: Path, truth: dict[Row, tuple[int, int, int]]) -> dict[Row, tuple[int, int, int]]:
    """The same, from what tshark prints of each frame; the truth says which end is the server."""
    fields = [word for name in FIELDS for word in ("-e", name)]
    command = ["tshark", "-n", "-o", "ip.defragment:FALSE", "-r", str(path), "-Y", "not icmp and not icmpv6"]
    printed = subprocess.run([*command, "-T", "fields", *fields], capture_output=True, text=True, check=True)
    packets: dict[Row, int] = defaultdict(int)
    octets: dict[Row, int] = defaultdict(int)
    ports: dict[Row, set[str]] = defaultdict(set)
    for line in printed.stdout.splitlines():
        source4, source6, target4, target6, tcp_from, tcp_to, udp_from, udp_to, length = line.split("\t")
        source, target = source4 or source6, target4 or target6
        if not source:
            continue
        name = "TCP" if tcp_from else "UDP"
        sender, receiver = tcp_from or udp_from, tcp_to or udp_to or str(STATSD_PORT)
        row, client_port = (source, target, name, int(receiver)), sender
        if row not in truth:
            row, client_port = (target, source, name, int(sender)), receiver
        packets[row] += 1
        octets[row] += int(length)
        if sender:
            ports[row].add(client_port)
    return {row: (packets[row], octets[row], len(ports[row])) for row in packets}


@needs("tshark")
@pytest.mark.parametrize("framing", list(Framing))
@pytest.mark.parametrize("pcapng", [False, True])
def test_truth_is_what_tshark_counts(tmp_path: Path, framing: Framing, pcapng: bool) -> None:
    path = tmp_path / "made"
    truth = rows(write_traffic(path, Traffic(2000, 3, FileFormat(framing, pcapng=pcapng))))
    assert len(truth) > 100
    assert counted_by_tshark(path, truth) == truth


@needs("tshark")
def test_no_packet_is_malformed(tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    write_traffic(path, Traffic(5000))
    command = ["tshark", "-n", "-r", str(path), "-Y", "_ws.malformed or tcp.analysis.lost_segment"]
    assert not subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs("tshark")
def test_client_hellos_hold_their_names_in_one_segment_or_two(tmp_path: Path) -> None:
    path = tmp_path / "made.pcap"
    write_traffic(path, Traffic(5000))
    command = ["tshark", "-n", "-r", str(path), "-Y", "tls.handshake.type == 1", "-T", "fields"]
    command += ["-e", "tls.handshake.extensions_server_name", "-e", "tcp.segment.count"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    hellos = [line.split("\t") for line in lines]
    assert {name for name, _ in hellos} <= set(the_hosts().names)
    assert {segments for _, segments in hellos} == {"", "2"}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in "abc")
    for path, seed in ((first, 1), (second, 1), (other, 2)):
        write_traffic(path, Traffic(1000, seed))
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (first, second, other)]
    assert digests[0] == digests[1] != digests[2]


def test_slices_join_in_order_of_time_and_hold_every_packet(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    truth = write_traffic(path, Traffic(100_000))
    times = [record.time for record in records(path.read_bytes())]
    assert len(times) == 100_000
    assert times == sorted(times)
    assert 0.97 < truth.packets.sum() / 100_000 < 1
    assert 300 < truth.bytes.sum() / truth.packets.sum() < 400


def test_snap_length_cuts_frames_but_not_their_lengths(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    truth = write_traffic(whole, Traffic(1000)), write_traffic(cut, Traffic(1000, format=FileFormat(snap=60)))
    assert rows(truth[0]) == rows(truth[1])
    assert max(len(record.frame) for record in records(cut.read_bytes())) == 60
    assert max(record.length for record in records(cut.read_bytes())) > 1500


def test_the_command_writes_capture_and_truth(tmp_path: Path) -> None:
    out, truth = tmp_path / "o.pcap", tmp_path / "o.jsonl"
    words = ["--packets", "300", "--truth", str(truth), "--link", "sll2", "--nanoseconds"]
    assert main([str(out), *words]) == 0
    assert out.read_bytes()[:4] == b"\x4d\x3c\xb2\xa1"
    assert all(set(json.loads(line)) >= {"client", "connections"} for line in truth.read_text().splitlines())


def test_more_packets_than_ports_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["o.pcap", "--packets", "15000001"])
    assert "at most 15,000,000" in capsys.readouterr().err
