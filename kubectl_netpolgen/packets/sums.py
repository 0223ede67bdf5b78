"""Conversations added up to flows, without keeping them: one sum for each client, server and server port."""

from __future__ import annotations

from heapq import nsmallest
from typing import Any

from kubectl_netpolgen.model.flow import (
    DIRECTION_ORDER,
    OUTCOME_ORDER,
    Flow,
    PeerName,
    Tunnel,
)
from kubectl_netpolgen.packets.addresses import Addresses, halve
from kubectl_netpolgen.packets.conversations import PROTOCOLS, Pair, connection_numbers
from kubectl_netpolgen.packets.halves import MOST_NAMES, Half, names_in_order
from kubectl_netpolgen.packets.signals import ASKS, REPLIES
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.verdicts import Verdict

DIRECTION_RANKS = {direction: rank for rank, direction in enumerate(DIRECTION_ORDER)}
OUTCOME_RANKS = {outcome: rank for rank, outcome in enumerate(OUTCOME_ORDER)}

# an enumeration's own hash is a call into Python, its value's is not
_DIRECTION_RANKS = {direction.value: rank for direction, rank in DIRECTION_RANKS.items()}
_OUTCOME_RANKS = {outcome.value: rank for outcome, rank in OUTCOME_RANKS.items()}

FlowOrder = tuple[str, int, bytes, int, str]
"""Like the order of conversations, without the client's port."""


class FlowSum:
    """What the conversations of one flow add up to; sums of the same flow add, in any order."""

    __slots__ = (
        "bytes_to_client",
        "bytes_to_server",
        "client_ports",
        "connections",
        "direction",
        "dns",
        "duplicates",
        "first",
        "fragment_bytes",
        "fragments",
        "last",
        "names",
        "outcome",
        "packets_to_client",
        "packets_to_server",
    )

    def __init__(self, values: tuple[Any, ...]) -> None:
        (
            self.client_ports,
            self.packets_to_server,
            self.packets_to_client,
            self.bytes_to_server,
            self.bytes_to_client,
            self.first,
            self.last,
            self.direction,
            self.outcome,
            self.connections,
            self.dns,
            self.duplicates,
            self.fragments,
            self.fragment_bytes,
            self.names,
        ) = values

    def add(self, other: FlowSum) -> FlowSum:
        """Take another sum of the same flow in."""
        self.client_ports += other.client_ports
        self.packets_to_server += other.packets_to_server
        self.packets_to_client += other.packets_to_client
        self.bytes_to_server += other.bytes_to_server
        self.bytes_to_client += other.bytes_to_client
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.direction = min(self.direction, other.direction)
        self.outcome = min(self.outcome, other.outcome)
        self.connections += other.connections
        self.dns |= other.dns
        self.duplicates += other.duplicates
        self.fragments += other.fragments
        self.fragment_bytes += other.fragment_bytes
        if other.names:
            self.names = tuple(nsmallest(MOST_NAMES, {*self.names, *other.names}))
        return self

    def add_halves(self, client: Half, server: Half, verdict: Verdict) -> None:
        """Take a conversation of the same flow in."""
        if (
            client.extra is not None
            or server.extra is not None
            or (client.opened != server.accepted and client.opened >= 0 and server.accepted >= 0)
        ):
            self.add(sum_halves(client, server, verdict))
            return
        # most conversations have nothing beside counts and times
        self.client_ports += 1
        self.connections += 1
        if client.packets:
            self.packets_to_server += client.packets
            self.bytes_to_server += client.bytes
            if client.first < self.first:
                self.first = client.first
            if client.last > self.last:
                self.last = client.last
        if server.packets:
            self.packets_to_client += server.packets
            self.bytes_to_client += server.bytes
            if server.first < self.first:
                self.first = server.first
            if server.last > self.last:
                self.last = server.last
        if self.direction:
            self.direction = min(self.direction, _DIRECTION_RANKS[verdict.direction._value_])
        if self.outcome:
            self.outcome = min(self.outcome, _OUTCOME_RANKS[verdict.outcome._value_])
        if not self.dns and (client.signals | server.signals) & (ASKS | REPLIES):
            self.dns = True
        if client.names or server.names:
            for name in (*client.names, *server.names):
                if name not in self.names:
                    self.names = tuple(nsmallest(MOST_NAMES, {*self.names, name}))

    def as_row(self) -> tuple[Any, ...]:
        """The sum as plain values; `FlowSum` reads them back."""
        return tuple(getattr(self, name) for name in _FIELDS)


_FIELDS = (
    *("client_ports", "packets_to_server", "packets_to_client", "bytes_to_server", "bytes_to_client"),
    *("first", "last", "direction", "outcome", "connections", "dns"),
    *("duplicates", "fragments", "fragment_bytes", "names"),
)


def begin_sum(pair: Pair) -> FlowSum:
    """The sum of one conversation."""
    return sum_halves(pair.client, pair.server, pair.verdict)


def sum_halves(client: Half, server: Half, verdict: Verdict) -> FlowSum:
    """The same, of its halves."""
    both, spoken = client.packets and server.packets, client if client.packets else server
    signals = client.signals | server.signals
    duplicates = fragments = fragment_bytes = 0
    connections = max(1, len(connection_numbers(client, server)))
    names: tuple[tuple[str, str], ...] = ()
    if client.names or server.names:
        names = tuple(nsmallest(MOST_NAMES, {*client.names, *server.names}))
    for extra in (client.extra, server.extra):
        if extra is not None:
            duplicates += extra.duplicates
            fragments += extra.fragments
            fragment_bytes += extra.fragment_bytes
    return FlowSum(
        (
            1,
            client.packets,
            server.packets,
            client.bytes,
            server.bytes,
            min(client.first, server.first) if both else spoken.first,
            max(client.last, server.last) if both else spoken.last,
            DIRECTION_RANKS[verdict.direction],
            OUTCOME_RANKS[verdict.outcome],
            connections,
            bool(signals & (ASKS | REPLIES)),
            duplicates,
            fragments,
            fragment_bytes,
            names,
        )
    )


def flow_order(pair: Pair) -> FlowOrder:
    """The place of a conversation's flow among the others; also what tells it apart."""
    return order_of_flow(pair.context, pair.key[:-4] + pair.key[-2:])


def order_of_flow(context: Context, ends: bytes) -> FlowOrder:
    """`flow_order` by client, server and server port, as they lie in a packet."""
    return (
        PROTOCOLS[context.protocol].value,
        len(ends) + 2,
        ends,
        -1 if context.vlan is None else context.vlan,
        context.tunnel.value if context.tunnel else "",
    )


def make_flow(
    order: FlowOrder, total: FlowSum, addresses: Addresses, *, file: str, known: tuple[PeerName, ...]
) -> Flow:
    """The flow of a sum; `known` are names of its server from elsewhere."""
    protocol, _, ends, vlan, tunnel = order
    client, server = map(addresses.spell, halve(ends[:-2]))
    names = names_in_order({*total.names, *((name.name, name.source.value) for name in known)})
    return Flow(
        capture=file,
        pod_uid="",
        protocol=_PROTOCOLS[protocol],
        client=client,
        server=server,
        server_port=int.from_bytes(ends[-2:], "big"),
        client_ports=total.client_ports,
        packets_to_server=total.packets_to_server,
        packets_to_client=total.packets_to_client,
        bytes_to_server=total.bytes_to_server,
        bytes_to_client=total.bytes_to_client,
        first=total.first,
        last=total.last,
        direction=DIRECTION_ORDER[total.direction],
        outcome=OUTCOME_ORDER[total.outcome],
        connections=total.connections,
        keys=(),
        dns=total.dns,
        names=names,
        duplicates=total.duplicates,
        later_fragments=total.fragments,
        later_fragment_bytes=total.fragment_bytes,
        vlan=None if vlan < 0 else vlan,
        tunnel=Tunnel(tunnel) if tunnel else None,
    )


_PROTOCOLS = {protocol.value: protocol for protocol in PROTOCOLS.values()}
