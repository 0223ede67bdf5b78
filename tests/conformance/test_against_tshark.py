"""The same captures read by tshark: a dissector that shares no line with ours must count the same packets."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from kubectl_netpolgen.packets.reading import read_capture
from tests.components import needs
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    LINUX_SLL,
    LINUX_SLL2,
    MILLISECOND,
    SERVER,
    SERVER6,
    START,
    Packet,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_unreachable,
    tcp_close,
    tcp_handshake,
    tcp_refusal,
    tcp_syn,
    udp,
)

pytestmark = needs("tshark")

FIELDS = (
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
)
Row = tuple[str, str, int, str, int]


def some_traffic(seed: int) -> list[Packet]:
    chance = random.Random(seed)
    packets: list[Packet] = []
    for number in range(200):
        client, server = chance.choice([(CLIENT, SERVER), (CLIENT6, SERVER6), (SERVER, "203.0.113.10")])
        ends = (client, chance.randrange(1024, 65536), server, chance.choice([80, 443, 50051]))
        isn, time = chance.randrange(2**32), START + number * MILLISECOND
        packets += chance.choice(
            [
                tcp_handshake(*ends, isn=isn, time=time) + tcp_close(*ends, time=time + 5 * MILLISECOND),
                [tcp_syn(*ends, isn=isn, time=time), tcp_refusal(*ends, isn=isn, time=time + MILLISECOND)],
                [udp(*ends, time=time), icmp_unreachable(udp(*ends), time=time + MILLISECOND)],
                [
                    dns_query("api.example.test", client_port=ends[1], transaction=isn & 0xFFFF, time=time),
                    dns_answer("api.example.test", client_port=ends[1], transaction=isn & 0xFFFF, time=time),
                ],
            ]
        )
    return packets


def dissect(path: Path) -> tuple[Counter[Row], Counter[Row], set[tuple[str, str]]]:
    """Packets and bytes by sender and receiver, and names by address, as tshark tells them."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f", "-e", "frame.len"]
    command += ["-e", "dns.qry.name", "-e", "dns.a"]
    for field in FIELDS:
        command += ["-e", field]
    output = subprocess.run(
        [*command, "-Y", "(tcp or udp) and not icmp and not icmpv6"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    packets: Counter[Row] = Counter()
    sizes: Counter[Row] = Counter()
    names = set()
    for line in output.splitlines():
        length, name, address, *cells = line.split("\t")
        source, destination = cells[0] or cells[2], cells[1] or cells[3]
        protocol = "TCP" if cells[4] else "UDP"
        row = (protocol, source, int(cells[4] or cells[6]), destination, int(cells[5] or cells[7]))
        packets[row] += 1
        sizes[row] += int(length)
        if address:
            names.add((name, address))
    return packets, sizes, names


@pytest.mark.parametrize("link", [ETHERNET, LINUX_SLL, LINUX_SLL2])
@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_tshark_counts_the_same_packets_bytes_and_names(tmp_path: Path, link: int, byte_order: str) -> None:
    path = tmp_path / "pod.pcap"
    path.write_bytes(
        a_pcap(some_traffic(link), link=link, byte_order=byte_order, nanoseconds=link == ETHERNET)
    )
    packets: Counter[Row] = Counter()
    sizes: Counter[Row] = Counter()
    contents = read_capture(path)
    for item in contents.conversations:
        there = (item.protocol.value, item.client, item.client_port, item.server, item.server_port)
        back = (item.protocol.value, item.server, item.server_port, item.client, item.client_port)
        packets[there] += item.packets_to_server
        packets[back] += item.packets_to_client
        sizes[there] += item.bytes_to_server
        sizes[back] += item.bytes_to_client
    names = {(name.name, str(name.address)) for name in contents.names}
    assert (+packets, +sizes, names) == dissect(path)
