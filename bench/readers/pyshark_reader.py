"""5-tuples of a capture with pyshark, in its fastest mode: JSON, no packet kept."""

from __future__ import annotations

import sys
from collections import Counter

import pyshark

capture = pyshark.FileCapture(sys.argv[1], use_json=True, keep_packets=False)
tuples: Counter[tuple[str, ...]] = Counter()
for packet in capture:
    ip = getattr(packet, "ip", None) or getattr(packet, "ipv6", None)
    above = getattr(packet, "tcp", None) or getattr(packet, "udp", None)
    if ip is not None and above is not None:
        tuples[ip.src, ip.dst, above.srcport, above.dstport, packet.transport_layer] += 1
capture.close()
sys.stdout.write(f"{len(tuples)}\n")
