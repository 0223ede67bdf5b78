from __future__ import annotations

from pathlib import Path

import pytest

from kubectl_netpolgen.model.flow import Tunnel
from kubectl_netpolgen.packets.reading import read
from kubectl_netpolgen.packets.tshark import find_tshark
from kubectl_netpolgen.packets.verification import Count
from kubectl_netpolgen.runs.count_check import MOST_DIFFERENCES, compare_counts, our_counts
from tests.components import needs
from tests.factories import a_conversation
from tests.packets.factories import a_pcap, tcp_handshake, udp


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
