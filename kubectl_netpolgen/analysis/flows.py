"""Conversations of one capture to its mergeable flows."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from itertools import chain
from typing import Any

from kubectl_netpolgen.model.flow import DIRECTION_ORDER, OUTCOME_ORDER, Conversation, Flow
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
    handed_on: Container[Address] = (),
) -> tuple[Flow, ...]:
    """One flow for each client, server, protocol and server port of a capture, in no order.

    `tenant` says whose an address of `handed_on` was at a time: what the tenants of one did stays apart.
    """
    groups: dict[tuple[object, ...], list[Conversation]] = {}
    for item in conversations:
        client, server = item.client, item.server
        key: tuple[object, ...] = (item.protocol, client, server, item.server_port)
        if client in handed_on or server in handed_on:
            key = (*key, tenant(client, item.first), tenant(server, item.first))
        known = groups.get(key)
        if known is None:
            groups[key] = [item]
        else:
            known.append(item)
    return tuple(
        _flow_of_one(group[0], capture, pod_uid) if len(group) == 1 else _flow(group, capture, pod_uid)
        for group in groups.values()
    )


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


def _flow_of_one(item: Conversation, capture: str, pod_uid: str) -> Flow:
    """What `_flow` makes of one conversation: most flows of a large application are no more."""
    return Flow(
        capture,
        pod_uid,
        item.protocol,
        item.client,
        item.server,
        item.server_port,
        1,
        item.packets_to_server,
        item.packets_to_client,
        item.bytes_to_server,
        item.bytes_to_client,
        item.first,
        item.last,
        item.direction,
        item.outcome,
        item.connections,
        item.keys if len(item.keys) == 1 else smallest_keys(item.keys),
        item.dns,
    )


def _flow(group: list[Conversation], capture: str, pod_uid: str) -> Flow:
    """Added up by column."""
    columns: list[tuple[Any, ...]] = list(zip(*group, strict=True))
    first = group[0]
    outcomes, directions = set(columns[12]), set(columns[11])
    keys = columns[14]
    return Flow(
        capture,
        pod_uid,
        first.protocol,
        first.client,
        first.server,
        first.server_port,
        len(set(columns[2])),
        sum(columns[5]),
        sum(columns[6]),
        sum(columns[7]),
        sum(columns[8]),
        min(columns[9]),
        max(columns[10]),
        first.direction if len(directions) == 1 else min(directions, key=DIRECTION_ORDER.index),
        first.outcome if len(outcomes) == 1 else min(outcomes, key=OUTCOME_ORDER.index),
        sum(columns[13]),
        smallest_keys(chain.from_iterable(keys)),
        any(columns[15]),
    )
