"""A slice of a made capture before it has packets: who speaks with whom, how, and how long."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from bench.hosts import (
    BINARY_PORTS,
    CLIENTS,
    DNS_PORT,
    DNS_SERVER,
    STATSD_PORT,
    TLS_PORTS,
    Hosts,
    Integers,
    Truths,
)
from bench.payloads import ANSWERS, CLASSIC, HELLOS, REQUESTS

SLICE = 8192
"""Exchanges made at a time, about 88,000 packets and 31 MB."""
EXCHANGES_A_SECOND = 150
FIRST_PORT, CLIENT_PORTS, PORT_STEP = 32768, 28232, 7919
"""Linux' ephemeral range; a step coprime to its size visits every port once before it repeats one."""
LONGEST_DATA = 3000
KIND_SHARES = np.array([0.45, 0.45, 0.45, 0.93, 0.97, 0.99])
"""Cumulative, of `Kind`; which connections are TLS or binary is the server port's to say."""


class Kind(IntEnum):
    """What an exchange is."""

    HTTP = 0
    TLS = 1
    BINARY = 2
    DNS = 3
    STATSD = 4
    PING = 5
    ARP = 6


@dataclass(frozen=True)
class Exchanges:
    """One row an exchange: a TCP connection, a lookup, a few datagrams."""

    number: Integers
    """Counted over the whole capture; initial sequence numbers and identifiers are made of it."""
    kind: Integers
    start: Integers
    """Nanoseconds behind the start of the capture."""
    client: Integers
    peer: Integers
    """The server that is meant: the one asked for, when the packets go to the DNS server."""
    server: Integers
    """The server that the packets go to."""
    client_port: Integers
    server_port: Integers
    variant: Integers
    """Which request, answer or ClientHello."""
    data_packets: Integers
    packets: Integers
    ipv6: Truths
    tagged: Truths
    """In a VLAN."""
    midway: Truths
    """The capture began after the handshake."""
    retried: Truths
    """The SYN was sent twice."""
    refused: Truths
    reset: Truths
    """Ends by RST instead of FIN."""
    fragmented: Truths

    def up_to(self, packets: int) -> Exchanges:
        """The first exchanges that hold so many packets together; the last may be cut."""
        total = np.cumsum(self.packets)
        last = int(np.searchsorted(total, packets))
        if last == len(total):
            return self
        kept = {field.name: getattr(self, field.name)[: last + 1] for field in fields(self)}
        kept["packets"] = kept["packets"].copy()
        kept["packets"][-1] -= total[last] - packets
        return Exchanges(**kept)

    @property
    def tcp(self) -> Truths:
        """Which are TCP."""
        return self.kind <= Kind.BINARY


def window(index: int) -> tuple[int, int]:
    """When the exchanges of slice `index` begin: from and up to, in nanoseconds."""
    width = SLICE * 1_000_000_000 // EXCHANGES_A_SECOND
    return index * width, (index + 1) * width


def next_ports(ports_used: Integers, client: Integers) -> Integers:
    """The next port of each client's walk through the ephemeral range; `ports_used` is brought forward."""
    order = np.argsort(client, kind="stable")
    counts = np.bincount(client, minlength=len(ports_used))
    firsts = np.cumsum(counts) - counts
    rank = np.empty(len(client), np.int64)
    rank[order] = np.arange(len(client)) - firsts[client[order]]
    used = ports_used[client] + rank
    ports_used += counts
    return FIRST_PORT + used * PORT_STEP % CLIENT_PORTS


def plan(
    hosts: Hosts, seed: int, index: int, ports_used: Integers, *, ethernet: bool, arp: bool
) -> Exchanges:
    """The exchanges of slice `index`.

    Each client has a walk of ports for either family, so a 5-tuple is used once in the 15 M packets that a
    capture may have, and the truth's connections are simply counted.
    """
    rng = np.random.default_rng([seed, 2, index])
    begin, end = window(index)
    draw = rng.random(SLICE)
    client = rng.integers(0, CLIENTS, SLICE)
    peer = np.minimum(np.searchsorted(hosts.weights, rng.random(SLICE)), len(hosts.names) - 1)
    kind = np.searchsorted(KIND_SHARES, draw, side="right").astype(np.int64)
    wanted = hosts.ports[peer]
    kind[(kind == Kind.HTTP) & np.isin(wanted, TLS_PORTS)] = Kind.TLS
    kind[(kind == Kind.HTTP) & np.isin(wanted, BINARY_PORTS)] = Kind.BINARY
    if not arp:
        kind[kind == Kind.ARP] = Kind.PING
    tcp, dns, statsd = kind <= Kind.BINARY, kind == Kind.DNS, kind == Kind.STATSD
    ipv6 = (rng.random(SLICE) < 0.10) & (kind != Kind.ARP)
    tagged = (rng.random(SLICE) < 0.01) & ethernet
    midway = tcp & (rng.random(SLICE) < 0.02)
    retried = tcp & ~midway & (rng.random(SLICE) < 0.03)
    refused = tcp & ~midway & ~retried & (rng.random(SLICE) < 0.01)
    reset = tcp & (rng.random(SLICE) < 0.05)
    fragmented = statsd & ~ipv6 & (rng.random(SLICE) < 0.5)
    tls_variant = np.where(rng.random(SLICE) < 0.6, CLASSIC, rng.integers(1, HELLOS, SLICE))
    variant = np.where(dns, rng.integers(0, ANSWERS, SLICE), rng.integers(0, REQUESTS, SLICE))
    variant[kind == Kind.TLS] = tls_variant[kind == Kind.TLS]
    lengths = np.exp(1.9 + 1.1 * rng.standard_normal(SLICE)).astype(np.int64) + 3
    data_packets = np.where(tcp & ~refused, np.minimum(lengths, LONGEST_DATA), 0)
    packets = np.where(midway, 0, 3 + retried) + data_packets + np.where(reset, 1, 3)
    packets = np.where(refused, 2, packets)
    packets = np.where(tcp, packets, np.array([0, 0, 0, 4, 3, 2, 1])[kind])
    return Exchanges(
        number=np.arange(index * SLICE, (index + 1) * SLICE),
        kind=kind,
        start=rng.integers(begin, end, SLICE),
        client=client,
        peer=peer,
        server=np.where(dns, DNS_SERVER, peer),
        client_port=next_ports(ports_used, np.where(ipv6, CLIENTS, 0) + client),
        server_port=np.where(dns, DNS_PORT, np.where(statsd, STATSD_PORT, wanted)),
        variant=variant,
        data_packets=data_packets,
        packets=packets,
        ipv6=ipv6,
        tagged=tagged,
        midway=midway,
        retried=retried,
        refused=refused,
        reset=reset,
        fragmented=fragmented,
    )
