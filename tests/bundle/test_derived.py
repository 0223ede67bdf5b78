"""Derived rows as lines that programs read."""

from __future__ import annotations

import json

from kubectl_netpolgen.bundle.derived import finding_lines, flow_lines
from kubectl_netpolgen.model.finding import Finding, Severity
from tests.factories import a_flow


def test_flow_is_a_line_with_its_counts_and_times() -> None:
    (line,) = flow_lines([a_flow()])
    assert line.endswith("}\n")
    assert json.loads(line) == {
        "capture": "captures/uid-web-1/run.pcap",
        "podUID": "uid-web-1",
        "protocol": "TCP",
        "client": "10.244.1.5",
        "server": "10.244.1.6",
        "serverPort": 8080,
        "clientPorts": 1,
        "packetsToServer": 6,
        "packetsToClient": 4,
        "bytesToServer": 600,
        "bytesToClient": 4000,
        "first": "2026-01-03T12:00:00.000000Z",
        "last": "2026-01-03T12:00:01.000000Z",
        "direction": "syn",
        "outcome": "established",
        "connections": 1,
        "keys": ["t00009c40"],
    }


def test_finding_is_a_line_whatever_its_words_hold() -> None:
    finding = Finding("code", Severity.WARNING, "pod \x1b[2J\nx", 'say "no"', "way\u2028out")
    text = "".join(finding_lines([finding, finding]))
    assert text.isascii()
    assert text.count("\n") == 2
    assert json.loads(text.splitlines()[0]) == {
        "code": "code",
        "severity": "warning",
        "subject": finding.subject,
        "message": finding.message,
        "wayOut": finding.way_out,
    }


def test_nothing_is_no_line() -> None:
    assert list(flow_lines([])) == list(finding_lines([])) == []
