"""Makes a node give the next pod an address that another pod has just had."""

from __future__ import annotations

import fcntl
import ipaddress
import time
from collections.abc import Iterable
from pathlib import Path

from tests.harness import layout
from tests.harness.layout import Layout, Node


def ledger(where: Layout, node: Node) -> Path:
    """Where the node's host-local plugin keeps one file for each address in use."""
    return where.node(node) / "ipam" / layout.CNI_NETWORK


def give_again(directory: Path, addresses: Iterable[str], timeout: float = 20.0) -> None:
    """Wait until these addresses are free and make them the next ones.

    The plugin goes on behind the last address it gave: about 250 pods would come before a used one again.
    """
    deadline = time.monotonic() + timeout
    wanted = sorted(map(ipaddress.ip_address, addresses), key=lambda address: address.version)
    while taken := [str(address) for address in wanted if (directory / str(address)).exists()]:
        assert time.monotonic() < deadline, f"still in use after {timeout} s: {taken}"
        time.sleep(0.1)
    with (directory / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for number, address in enumerate(wanted):
            (directory / f"last_reserved_ip.{number}").write_text(str(address - 1))
