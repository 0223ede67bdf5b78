"""Halves to conversations and flows: which end asked, what became of it, what both vantage points share."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubectl_netpolgen.analysis.flows import smallest_keys
from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome, Reach, Tunnel
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.packets.addresses import Addresses, halve
from kubectl_netpolgen.packets.halves import Half, Row, half_of, names_in_order, smallest_numbers
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import ASKS, BROADCAST, HANDSHAKE, REPLIES
from kubectl_netpolgen.packets.table import (
    Context,
    End,
    Halves,
    Rows,
)
from kubectl_netpolgen.packets.verdicts import EPHEMERAL, JUDGED, Verdict, judge_packed

PROTOCOLS = {SCTP: Protocol.SCTP, TCP: Protocol.TCP, UDP: Protocol.UDP}
_KEY_PREFIX = {Protocol.TCP: "t", Protocol.SCTP: "s"}
_PORTS = struct.Struct(">HH")
_FOUR, _SIX = struct.Struct("4s4s2s2s"), struct.Struct("16s16s2s2s")
"""The parts of a half's key: two addresses, two ports."""
_EPHEMERAL = EPHEMERAL.to_bytes(2, "big")
_SILENT = Half()
"""Stands for an end that sent nothing; never counted into."""

Order = tuple[str, int, bytes, int, str]
"""How conversations are sorted: by protocol, IPv4 before IPv6, by the numbers of addresses and ports (client
before server), VLAN and tunnel, none before any."""


class Pair(NamedTuple):
    """Both halves of a conversation, oriented."""

    context: Context
    key: bytes
    """Addresses and ports from client to server."""
    client: Half
    server: Half
    verdict: Verdict


Joined = tuple[bytes, bytes, Half, Half, Verdict]
"""A conversation's key from client to server, the same without the client's port, client, server, verdict."""


def pair_halves(rows: Rows, proven: frozenset[End]) -> Iterator[Pair]:
    """Each conversation of a part of the table once, in no order."""
    for context, halves in rows.items():
        for key, _, client, server, verdict in join_halves(context.protocol, halves, proven):
            yield Pair(context, key, client, server, verdict)


def join_halves(protocol: int, halves: Halves, proven: frozenset[End]) -> Iterator[Joined]:
    """The same of one context as plain tuples: whoever only adds up needs no more, and there are many.

    What the rules look at is packed here as `verdicts.pack_halves` packs it, without making the values first.
    """
    if protocol not in PROTOCOLS:
        return
    find, four, six = halves.get, _FOUR.unpack, _SIX.unpack
    for key, there in halves.items():
        source, destination, source_port, destination_port = four(key) if len(key) == 12 else six(key)
        opposite = destination + source + destination_port + source_port
        here = find(opposite)
        if here is None or opposite == key:
            here = _SILENT
        elif opposite < key:
            continue
        if opposite < key:
            # the half with the smaller key is silent and has no row
            key, opposite, there, here = opposite, key, here, there
            source, destination = destination, source
            source_port, destination_port = destination_port, source_port
        ours, theirs = there.signals & JUDGED, here.signals & JUDGED
        number = ((protocol << 8 | ours) << 8 | theirs) << 8
        if there.packets:
            number |= 0xA0 if not here.packets or there.first <= here.first else 0x80
        elif not here.packets:
            continue
        if here.packets:
            number |= 0x40
        if source_port < destination_port:
            number |= 0x10
        elif source_port > destination_port:
            number |= 0x08
        if source_port >= _EPHEMERAL and destination_port >= _EPHEMERAL:
            number |= 0x04
        # whoever opened or accepted is known by that
        if not (ours | theirs) & HANDSHAKE:
            if (protocol, source + source_port) in proven:
                number |= 0x02
            if (protocol, destination + destination_port) in proven:
                number |= 0x01
        verdict = judge_packed(number)
        if verdict.turned:
            yield opposite, destination + source + source_port, here, there, verdict
        else:
            yield key, source + destination + destination_port, there, here, verdict


def order_of(pair: Pair) -> Order:
    """The place of a conversation among the others."""
    context = pair.context
    return (
        PROTOCOLS[context.protocol].value,
        len(pair.key),
        pair.key,
        -1 if context.vlan is None else context.vlan,
        context.tunnel.value if context.tunnel else "",
    )


def encode_pair(pair: Pair) -> Row:
    """A pair as plain values, for a temporary file."""
    context, key, client, server, verdict = pair
    where = (context.protocol, context.vlan, context.tunnel and context.tunnel.value)
    told = (verdict.direction.value, verdict.turned, verdict.outcome.value)
    return where, key, client.as_row(), server.as_row(), told


def decode_pair(row: Row) -> Pair:
    """The pair that `encode_pair` wrote."""
    (protocol, vlan, tunnel), key, client, server, (direction, turned, outcome) = row
    context = Context(protocol, vlan, Tunnel(tunnel) if tunnel else None)
    verdict = Verdict(Direction(direction), turned, Outcome(outcome))
    return Pair(context, key, half_of(client), half_of(server), verdict)


def make_conversation(pair: Pair, addresses: Addresses) -> Conversation:
    """The conversation that two halves are."""
    context, key, client, server, verdict = pair
    protocol = PROTOCOLS[context.protocol]
    source, destination = halve(key[:-4])
    client_port, server_port = _PORTS.unpack_from(key, len(key) - 4)
    both, spoken = client.packets and server.packets, client if client.packets else server
    signals = client.signals | server.signals
    numbers = connection_numbers(client, server)
    if protocol is Protocol.UDP:
        keys = smallest_keys(_questions(client, server) or (f"u{client_port}",))
    else:
        prefix = _KEY_PREFIX[protocol]
        keys = smallest_keys([f"{prefix}{number:08x}" for number in numbers])
    more = [half.extra for half in (client, server) if half.extra is not None]
    return Conversation(
        protocol=protocol,
        client=addresses.spell(source),
        client_port=client_port,
        server=addresses.spell(destination),
        server_port=server_port,
        packets_to_server=client.packets,
        packets_to_client=server.packets,
        bytes_to_server=client.bytes,
        bytes_to_client=server.bytes,
        first=min(client.first, server.first) if both else spoken.first,
        last=max(client.last, server.last) if both else spoken.last,
        direction=verdict.direction,
        outcome=verdict.outcome,
        connections=max(1, len(numbers)),
        keys=keys,
        dns=bool(signals & (ASKS | REPLIES)),
        names=names_in_order((*client.names, *server.names)) if client.names or server.names else (),
        duplicates=sum(extra.duplicates for extra in more),
        later_fragments=sum(extra.fragments for extra in more),
        later_fragment_bytes=sum(extra.fragment_bytes for extra in more),
        vlan=context.vlan,
        tunnel=context.tunnel,
        reach=Reach.GROUP if signals & BROADCAST else addresses.reach(key[:-4]),
    )


def connection_numbers(client: Half, server: Half) -> set[int]:
    """What tells the connections of a 5-tuple apart, at most 1,024 numbers."""
    return set(smallest_numbers({*client.openings, *server.acceptances}))


def _questions(*halves: Half) -> Iterable[str]:
    return [question for half in halves if half.extra is not None for question in half.extra.questions]
