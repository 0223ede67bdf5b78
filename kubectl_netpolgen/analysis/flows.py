"""Conversations of one capture to its mergeable flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kubectl_netpolgen.model.flow import Conversation, Flow, better_outcome, stronger_direction
from kubectl_netpolgen.model.network import Address, address_order

MAX_KEYS = 64


def smallest_keys(keys: Iterable[str]) -> tuple[str, ...]:
    """At most 64 keys, those with the smallest hash: any two vantage points keep the same ones."""
    distinct = sorted(set(keys))
    if len(distinct) > MAX_KEYS:
        # brings a library of cryptography along, which few captures need
        from hashlib import blake2b

        distinct = sorted(distinct, key=lambda key: blake2b(key.encode(), digest_size=8).digest())[:MAX_KEYS]
    return tuple(sorted(distinct))


def _nobody(address: Address, time: int) -> str:
    return ""


def build_flows(
    conversations: Iterable[Conversation],
    *,
    capture: str,
    pod_uid: str,
    tenant: Callable[[Address, int], str] = _nobody,
) -> tuple[Flow, ...]:
    """One flow for each client, server, protocol and server port of a capture.

    `tenant` says whose an address was at a time: where one was handed on during the capture, what its tenants
    did stays apart.
    """
    groups: dict[tuple[object, ...], list[Conversation]] = {}
    for item in conversations:
        ends = (item.client, tenant(item.client, item.first), item.server, tenant(item.server, item.first))
        groups.setdefault((item.protocol.value, *ends, item.server_port), []).append(item)
    flows = [_flow(group, capture, pod_uid) for group in groups.values()]
    return tuple(sorted(flows, key=flow_order))


def flow_order(flow: Flow) -> tuple[object, ...]:
    """The one order of flows in files."""
    return (
        flow.capture,
        flow.protocol.value,
        address_order(flow.client),
        address_order(flow.server),
        flow.server_port,
        flow.first,
    )


def _flow(group: list[Conversation], capture: str, pod_uid: str) -> Flow:
    first = group[0]
    outcome, direction = first.outcome, first.direction
    for item in group[1:]:
        outcome = better_outcome(outcome, item.outcome)
        direction = stronger_direction(direction, item.direction)
    return Flow(
        capture=capture,
        pod_uid=pod_uid,
        protocol=first.protocol,
        client=first.client,
        server=first.server,
        server_port=first.server_port,
        client_ports=len({item.client_port for item in group}),
        packets_to_server=sum(item.packets_to_server for item in group),
        packets_to_client=sum(item.packets_to_client for item in group),
        bytes_to_server=sum(item.bytes_to_server for item in group),
        bytes_to_client=sum(item.bytes_to_client for item in group),
        first=min(item.first for item in group),
        last=max(item.last for item in group),
        direction=direction,
        outcome=outcome,
        connections=sum(item.connections for item in group),
        keys=smallest_keys(key for item in group for key in item.keys),
        dns=any(item.dns for item in group),
    )
