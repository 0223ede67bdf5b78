"""Who talks in a made capture: clients, servers with their ports and names, and the DNS server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Octets = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

CLIENTS, SERVERS, OUTSIDE = 60, 40, 8
"""The last `OUTSIDE` servers are hosts on the internet, the others are Services."""

TLS_PORTS = (443, 8443)
BINARY_PORTS = (5432, 50051, 3306, 7000)
"""50051 lies among the ephemeral ports, so the lower port is not always the server's."""
PORT_CYCLE = (80, 443, 8080, 5432, 443, 50051, 9090, 8443, 3306, 9200, 443, 7000)
DNS_PORT, STATSD_PORT = 53, 8125


@dataclass(frozen=True)
class Hosts:
    """Addresses as rows of octets, so that a column of indices picks a column of addresses."""

    clients4: Octets
    clients6: Octets
    servers4: Octets
    servers6: Octets
    """The row behind the last server is the DNS server's."""
    ports: Integers
    names: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    """Cumulative share of the exchanges with each server; a few get most (Zipf, exponent 1.1)."""


DNS_SERVER = SERVERS
"""The DNS server's row in `servers4` and `servers6`."""


def packed(addresses: list[str]) -> Octets:
    """One row of octets for each address; all of one family."""
    rows = [np.frombuffer(ipaddress.ip_address(address).packed, np.uint8) for address in addresses]
    return np.stack(rows)


def the_hosts() -> Hosts:
    """The same hosts for every capture."""
    inside = SERVERS - OUTSIDE
    servers4 = [f"10.96.{1 + i}.{7 + i}" for i in range(inside)]
    servers4 += [f"198.51.100.{1 + i}" for i in range(OUTSIDE)] + ["10.96.0.10"]
    servers6 = [f"fd00:10:96::{0x100 + i:x}" for i in range(inside)]
    servers6 += [f"2001:db8:5::{1 + i:x}" for i in range(OUTSIDE)] + ["fd00:10:96::a"]
    names = [f"svc{i}.ns{i % 5}.svc.cluster.local" for i in range(inside)]
    names += [f"api{i}.vendor{i}.example.com" for i in range(OUTSIDE)]
    ports = [PORT_CYCLE[i % len(PORT_CYCLE)] for i in range(inside)] + [443] * OUTSIDE
    shares = 1 / np.arange(1, SERVERS + 1) ** 1.1
    return Hosts(
        clients4=packed([f"10.244.{i % 4}.{10 + i}" for i in range(CLIENTS)]),
        clients6=packed([f"fd00:10:244:{i % 4}::{10 + i:x}" for i in range(CLIENTS)]),
        servers4=packed(servers4),
        servers6=packed(servers6),
        ports=np.array(ports, np.int64),
        names=tuple(names),
        weights=np.cumsum(shares / shares.sum()),
    )
