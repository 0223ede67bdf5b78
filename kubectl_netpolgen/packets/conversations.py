"""Halves to conversations: which end asked, what became of it, the keys that both vantage points share."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from kubectl_netpolgen.analysis.flows import smallest_keys
from kubectl_netpolgen.model.flow import Conversation, Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.packets.addresses import Addresses, halve
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.signals import (
    ACCEPTS,
    ASKS,
    CARRIES,
    OPENS,
    PROHIBITED,
    REFUSED,
    REPLIES,
    RESETS,
)

_PROTOCOLS = {SCTP: Protocol.SCTP, TCP: Protocol.TCP, UDP: Protocol.UDP}
_KEY_PREFIX = {Protocol.TCP: "t", Protocol.SCTP: "s"}
_WEIGHT = {0: 0, OPENS: 1, ACCEPTS: 1, OPENS | ACCEPTS: 2}
"""Of a handshake seen in one direction: the question, the answer, or both."""
_PORTS = struct.Struct(">HH")
_SILENT = Half(0)
"""Stands for an end that sent nothing; never counted into."""


def join_halves(halves: Mapping[int, Mapping[bytes, Half]], addresses: Addresses) -> tuple[Conversation, ...]:
    """Every conversation, oriented from client to server, ordered by protocol, client and server."""
    found = []
    for number, protocol in _PROTOCOLS.items():
        made: dict[bytes, Conversation] = {}
        # In the order of the halves, which is that of their memory; a sort before this costs twice the time.
        for key, half, back in _pairs(halves.get(number, {})):
            direction, turned = orient(key, half, back)
            if turned:
                key, half, back = reverse(key), back, half
            made[key] = _conversation(protocol, key, direction, half, back, addresses=addresses)
        # IPv4 before IPv6, then by number
        found += [made[key] for key in sorted(sorted(made), key=len)]
    return tuple(found)


def reverse(key: bytes) -> bytes:
    """The key of the packets that go the other way."""
    ports = len(key) - 4
    middle = ports // 2
    return key[middle:ports] + key[:middle] + key[ports + 2 :] + key[ports : ports + 2]


def _pairs(halves: Mapping[bytes, Half]) -> Iterator[tuple[bytes, Half, Half]]:
    """Each 5-tuple once, its earlier sender first."""
    for key, half in halves.items():
        opposite = reverse(key)
        back = halves.get(opposite)
        if back is None or opposite == key:
            yield key, half, _SILENT
        elif (half.first, key) < (back.first, opposite):
            yield key, half, back


def orient(key: bytes, half: Half, back: Half) -> tuple[Direction, bool]:
    """How the client is known, and whether it is the receiver of `key`'s packets rather than the sender.

    A SYN or its answer decides; where both ends opened (a source port used the other way round later), the
    attempt that was accepted, else the earlier. Without a handshake: the sender of a DNS query, then the
    higher port, then the first sender.
    """
    there, here = half.signals, back.signals
    forward, backward = there & OPENS | here & ACCEPTS, here & OPENS | there & ACCEPTS
    if forward or backward:
        turned = _WEIGHT[backward] > _WEIGHT[forward]
        opened = (backward if turned else forward) & OPENS
        return (Direction.SYN if opened else Direction.SYNACK), turned
    asked, replied = there & ASKS | here & REPLIES, there & REPLIES | here & ASKS
    if bool(asked) != bool(replied):
        return Direction.HEURISTIC, bool(replied)
    return Direction.HEURISTIC, key[-4:-2] < key[-2:]


def judge(client: Half, server: Half, *, protocol: Protocol) -> Outcome:
    """What became of the attempts; of several on one 5-tuple the best."""
    if protocol is Protocol.UDP:
        if server.packets:
            return Outcome.ANSWERED
    elif server.signals & ACCEPTS or client.signals & server.signals & CARRIES:
        return Outcome.ESTABLISHED
    elif not client.signals & OPENS or (client.signals | server.signals) & CARRIES:
        return Outcome.UNKNOWN
    elif server.signals & RESETS:
        return Outcome.REFUSED
    if client.signals & REFUSED:
        return Outcome.REFUSED
    if client.signals & PROHIBITED:
        return Outcome.PROHIBITED
    return Outcome.UNANSWERED


def _conversation(
    protocol: Protocol, key: bytes, direction: Direction, client: Half, server: Half, *, addresses: Addresses
) -> Conversation:
    source, destination = halve(key[:-4])
    client_port, server_port = _PORTS.unpack_from(key, len(key) - 4)
    both, spoken = client.packets and server.packets, client if client.packets else server
    connections = 1
    if protocol is Protocol.UDP:
        questions = (client.questions or []) + (server.questions or [])
        keys = smallest_keys(questions or (f"u{client_port}",))
    else:
        prefix = _KEY_PREFIX[protocol]
        numbers = {*client.opened, *server.accepted}
        keys = smallest_keys([f"{prefix}{number:08x}" for number in numbers])
        connections = max(1, len(numbers))
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
        direction=direction,
        outcome=judge(client, server, protocol=protocol),
        connections=connections,
        keys=keys,
        dns=bool((client.signals | server.signals) & (ASKS | REPLIES)),
    )
