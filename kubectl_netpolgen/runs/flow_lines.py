"""Connections to judge, one a line: flows as one asks about them, rows of `flows`, items of an EdgeList."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.semantics.ends import End, EndKind, Ends, endpoint_end

Endpoint = dict[str, str] | None


class Asked(NamedTuple):
    """A connection, whoever its ends are."""

    source: End
    destination: End
    protocol: Protocol
    port: int
    beside: Mapping[str, Any] | None = None
    """Of an edge: what else its verdict carries."""


_PROTOCOLS = {protocol.value: protocol for protocol in Protocol}


def asked_of(item: object, ends: Ends) -> Asked:
    """What a line asks; ValueError names the field that is wrong."""
    if not isinstance(item, dict):
        raise ValueError("is no object")
    named = item.get("protocol")
    protocol = _PROTOCOLS.get(named) if isinstance(named, str) else None
    if protocol is None:
        raise ValueError(f"protocol: {item.get('protocol')!r} is none of {', '.join(_PROTOCOLS)}")
    if "source" in item or "destination" in item:
        source, destination = (_endpoint(item, key, ends) for key in ("source", "destination"))
        return Asked(source, destination, protocol, _port(item, "port"))
    client, server = item.get("client"), item.get("server")
    if isinstance(client, str) and isinstance(server, str):
        source, destination = (_address(item, key, ends) for key in ("client", "server"))
        return Asked(source, destination, protocol, _port(item, "serverPort"))
    if isinstance(client, dict) and isinstance(server, dict):
        shapes = [_shape(client), _shape(server)]
        source, destination = (
            endpoint_end(ends, shape) if shape is not None else _other(edge, ends)
            for shape, edge in zip(shapes, (client, server), strict=True)
        )
        beside = {**item, "source": shapes[0], "destination": shapes[1]}
        return Asked(source, destination, protocol, _port(item, "port"), beside)
    raise ValueError("has neither source and destination nor client and server")


def _endpoint(item: Mapping[str, Any], key: str, ends: Ends) -> End:
    value = item.get(key)
    try:
        return endpoint_end(ends, value if isinstance(value, dict) else {})
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _address(item: Mapping[str, Any], key: str, ends: Ends) -> End:
    try:
        return ends.address(item[key])
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _port(item: Mapping[str, Any], key: str) -> int:
    port = item.get(key)
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise ValueError(f"{key}: {port!r} is not between 1 and 65535")
    return port


def _shape(edge: Mapping[str, Any]) -> Endpoint:
    """An end of an edge as a flow names it; None where that has no shape for it."""
    kind = edge.get("kind")
    if kind in ("External", "Unknown"):
        return {"address": edge["address"]} if isinstance(edge.get("address"), str) else None
    if kind in ("Node", "APIServer", "Service"):
        return None
    namespace, name = edge.get("namespace"), edge.get("name")
    if not all(isinstance(word, str) and word for word in (kind, namespace, name)):
        raise ValueError("client, server: an end of an edge has a kind, and mostly namespace and name")
    if kind == "Pod":
        return {"pod": f"{namespace}/{name}"}
    return {"workload": f"{namespace}/{kind}/{name}"}


def _other(edge: Mapping[str, Any], ends: Ends) -> End:
    if edge["kind"] == "Node":
        return ends.node(str(edge.get("name")))
    name = " ".join(str(edge[key]) for key in ("kind", "name") if key in edge)
    return End(EndKind.UNKNOWN, reason=f"the edge does not say at which address {name} is")
