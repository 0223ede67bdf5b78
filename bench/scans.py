"""One-way TCP attempts without end: what makes tables of conversations grow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.files import FileFormat
from bench.layouts import IPV4, LINKS, SYN_OPTIONS, TCP
from bench.packets import SYN
from bench.payloads import Place

PORTSCAN = "portscan"
"""One client tries every port of one host after another: as many rows as packets."""
FLOOD = "flood"
"""Clients try one port of one server from every port of theirs: as many 5-tuples, a row a client."""
PIECE = 100_000
PORTS = 65_535
GAP = 10_000
"""Nanoseconds between two attempts."""


def one_way(kind: str, packets: int, file: FileFormat) -> Iterator[bytes]:
    """The records of so many SYN packets, each with its own 5-tuple up to 16 million."""
    layout = np.dtype(
        [
            ("record", file.fields),
            ("link", LINKS[file.framing]),
            ("ip", IPV4),
            ("tcp", TCP),
            ("options", SYN_OPTIONS),
        ]
    )
    for begin in range(0, packets, PIECE):
        number = np.arange(begin, min(begin + PIECE, packets))
        headers = np.zeros(len(number), layout)
        host, port = number // PORTS, 1 + number % PORTS
        link, ip, tcp = headers["link"], headers["ip"], headers["tcp"]
        if "ethertype" in (link.dtype.names or ()):
            link["ethertype"] = 0x0800
        ip["version"], ip["length"], ip["ttl"], ip["protocol"] = 0x45, 60, 64, 6
        ip["id"], ip["fragment"] = number & 0xFFFF, 0x4000
        tcp["offset"], tcp["flags"], tcp["window"], tcp["sequence"] = (
            0xA0,
            SYN,
            64240,
            number * 2_654_435_761 & 0xFFFFFFFF,
        )
        many, one = np.zeros((2, len(number), 4), np.uint8)
        many[:, :2], many[:, 2], many[:, 3] = (10, 245), host // 250, 1 + host % 250
        one[:] = (10, 244, 0, 99)
        scanned = kind == PORTSCAN
        ip["source"], ip["destination"] = (one, many) if scanned else (many, one)
        tcp["from"], tcp["to"] = (40_000, port) if scanned else (port, 8080)
        options = headers["options"]
        options["mss"], options["sack"], options["scale"] = 0x020405B4, 0x0402, 0x01030307
        options["stamp_kind"], options["stamp"] = 0x080A, number // 100
        length = layout.itemsize - headers["record"].dtype.itemsize
        file.stamp(headers["record"], number * GAP, np.full(len(number), length))
        nothing = np.zeros(len(number), np.int64)
        yield b"".join(file.records(headers, Place(nothing, nothing), b""))
