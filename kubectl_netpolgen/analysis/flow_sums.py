"""Conversations of one file added up to flows as they come, without keeping them."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netpolgen.model.flow import Conversation, Flow, PeerName, better_outcome, stronger_direction
from kubectl_netpolgen.model.network import address_order

MOST_NAMES = 32
"""Names of one row."""


def sum_conversations(conversations: Iterable[Conversation], *, file: str) -> tuple[Flow, ...]:
    """One flow for each client, server, protocol, server port, VLAN and tunnel, in the one order of rows."""
    flows: dict[tuple[object, ...], Flow] = {}
    for item in conversations:
        key = (item.protocol, item.client, item.server, item.server_port, item.vlan, item.tunnel)
        known = flows.get(key)
        flows[key] = _begin(item, file) if known is None else _add(known, item)
    return tuple(sorted(flows.values(), key=row_order))


def row_order(row: Conversation | Flow) -> tuple[object, ...]:
    """Where a row stands among the others of its file."""
    return (
        row.protocol.value,
        address_order(row.client),
        address_order(row.server),
        row.client_port if isinstance(row, Conversation) else 0,
        row.server_port,
        -1 if row.vlan is None else row.vlan,
        row.tunnel.value if row.tunnel is not None else "",
    )


def unite_names(*names: Iterable[PeerName]) -> tuple[PeerName, ...]:
    """Each name once, in order, as many as a row may have."""
    return tuple(sorted({name for group in names for name in group})[:MOST_NAMES])


def _begin(item: Conversation, file: str) -> Flow:
    return Flow(
        capture=file,
        pod_uid="",
        protocol=item.protocol,
        client=item.client,
        server=item.server,
        server_port=item.server_port,
        client_ports=1,
        packets_to_server=item.packets_to_server,
        packets_to_client=item.packets_to_client,
        bytes_to_server=item.bytes_to_server,
        bytes_to_client=item.bytes_to_client,
        first=item.first,
        last=item.last,
        direction=item.direction,
        outcome=item.outcome,
        connections=item.connections,
        keys=(),
        dns=item.dns,
        names=item.names,
        duplicates=item.duplicates,
        later_fragments=item.later_fragments,
        later_fragment_bytes=item.later_fragment_bytes,
        vlan=item.vlan,
        tunnel=item.tunnel,
    )


def _add(flow: Flow, item: Conversation) -> Flow:
    return flow._replace(
        client_ports=flow.client_ports + 1,
        packets_to_server=flow.packets_to_server + item.packets_to_server,
        packets_to_client=flow.packets_to_client + item.packets_to_client,
        bytes_to_server=flow.bytes_to_server + item.bytes_to_server,
        bytes_to_client=flow.bytes_to_client + item.bytes_to_client,
        first=min(flow.first, item.first),
        last=max(flow.last, item.last),
        direction=stronger_direction(flow.direction, item.direction),
        outcome=better_outcome(flow.outcome, item.outcome),
        connections=flow.connections + item.connections,
        dns=flow.dns or item.dns,
        names=unite_names(flow.names, item.names) if item.names else flow.names,
        duplicates=flow.duplicates + item.duplicates,
        later_fragments=flow.later_fragments + item.later_fragments,
        later_fragment_bytes=flow.later_fragment_bytes + item.later_fragment_bytes,
    )
