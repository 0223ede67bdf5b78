"""What a made capture holds, counted while it is made."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bench.exchanges import Exchanges, Kind
from bench.hosts import CLIENTS, DNS_PORT, SERVERS, STATSD_PORT, Hosts, Integers
from bench.packets import Packets

TCP, DNS, STATSD = range(3)
SHAPE = (2, CLIENTS, SERVERS + 1, 3)
"""Family, client, server, what it is: a row of the truth."""


def empty() -> Integers:
    """Nothing counted yet."""
    return np.zeros(int(np.prod(SHAPE)), np.int64)


@dataclass
class Truth:
    """Packets (later fragments too), bytes on the wire with link header, and connections of each row."""

    packets: Integers = field(default_factory=empty)
    bytes: Integers = field(default_factory=empty)
    connections: Integers = field(default_factory=empty)

    def add(self, exchanges: Exchanges, packets: Packets, lengths: Integers) -> None:
        """Count a slice; ICMP and ARP are no flows."""
        counted = exchanges.kind <= Kind.STATSD
        what = np.maximum(exchanges.kind, Kind.BINARY) - Kind.BINARY
        row = np.ravel_multi_index(
            (exchanges.ipv6.astype(np.int64), exchanges.client, exchanges.server, np.minimum(what, STATSD)),
            SHAPE,
        )
        size = len(self.packets)
        self.connections += np.bincount(row[counted], minlength=size)
        flow = counted[packets.exchange]
        rows = row[packets.exchange][flow]
        self.packets += np.bincount(rows, minlength=size)
        self.bytes += np.bincount(rows, weights=lengths[flow], minlength=size).astype(np.int64)

    def lines(self, hosts: Hosts) -> Iterator[str]:
        """JSON lines: client, server, protocol, port, packets, bytes, connections."""
        for row in np.flatnonzero(self.packets).tolist():
            ipv6, client, server, what = (int(part) for part in np.unravel_index(row, SHAPE))
            clients, servers = (hosts.clients6, hosts.servers6) if ipv6 else (hosts.clients4, hosts.servers4)
            yield json.dumps(
                {
                    "client": str(ipaddress.ip_address(clients[client].tobytes())),
                    "server": str(ipaddress.ip_address(servers[server].tobytes())),
                    "protocol": "TCP" if what == TCP else "UDP",
                    "port": (DNS_PORT, STATSD_PORT)[what - 1] if what else int(hosts.ports[server]),
                    "packets": int(self.packets[row]),
                    "bytes": int(self.bytes[row]),
                    "connections": int(self.connections[row]),
                }
            )
