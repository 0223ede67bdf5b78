"""5-tuples, packets and bytes of a capture with dpkt."""

from __future__ import annotations

import sys
from pathlib import Path

import dpkt

tuples: dict[tuple[bytes, bytes, int, int, int], list[int]] = {}
with Path(sys.argv[1]).open("rb") as file:
    for _, frame in dpkt.pcap.Reader(file):
        ip = dpkt.ethernet.Ethernet(frame).data
        if not isinstance(ip, dpkt.ip.IP | dpkt.ip6.IP6):
            continue
        above = ip.data
        if not isinstance(above, dpkt.tcp.TCP | dpkt.udp.UDP):
            continue
        key = (ip.src, ip.dst, above.sport, above.dport, ip.p)
        counts = tuples.setdefault(key, [0, 0])
        counts[0] += 1
        counts[1] += len(frame)
sys.stdout.write(f"{len(tuples)}\n")
