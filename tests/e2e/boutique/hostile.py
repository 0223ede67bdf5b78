"""Asks the cluster's DNS, from inside a pod, for a name made to confuse terminals and markup.

Its source is handed to the pod's python3 on the command line, followed by an address, a port and a number of
rounds, so it uses the standard library only. No object of a cluster can have such a name, any packet can.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path

LABELS = (b"[red]x[/red]\x1b[2J", b"example", b"test")


def question(number: int) -> bytes:
    """Build a DNS question for the hostile name's A record, byte by byte: no resolver would send it."""
    header = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0)
    name = b"".join(bytes([len(label)]) + label for label in LABELS) + b"\0"
    return header + name + struct.pack("!2H", 1, 1)


def nameserver(resolv_conf: str) -> str:
    """Return the first name server that the pod was given."""
    return next(line.split()[1] for line in resolv_conf.splitlines() if line.startswith("nameserver"))


def main() -> None:
    """Ask and connect once a second; nobody needs to answer for it to be in the packets."""
    address, port, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    server = nameserver(Path("/etc/resolv.conf").read_text())
    for number in range(rounds):
        with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1)
            with suppress(OSError):
                asking.sendto(question(number), (server, 53))
                asking.recv(4096)
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            pass
        time.sleep(1)


if __name__ == "__main__":
    main()
