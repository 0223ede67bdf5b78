"""Edges as the output sees them, every part overridable."""

from __future__ import annotations

from typing import Any

from kubectl_netpolgen.model.edge import Confidence, Edge, Endpoint, EndpointKind, Evidence, Role
from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.model.network import Protocol

NOON = 1_767_441_600_000_000_000
"""2026-01-03T12:00:00Z in nanoseconds since the epoch."""

HOSTILE = (
    "\x1b[2Jgone",
    "[red]x[/red]",
    "x[/]y",
    'quote" -> evil [label="',
    "back\\slash\\",
    "new\nline",
    "\u202eright to left",
    "\udcff",
    "\x9b31m",
    "&lt;b&gt;<b>",
    "\\N\\G\\l",
    "a" * 5000,
    "",
)
"""Names that would steer a terminal, rich, DOT or SVG if they were let through."""


def a_workload(name: str = "web", **changes: Any) -> Endpoint:
    """A Deployment in the namespace shop."""
    return Endpoint(
        **{
            "kind": EndpointKind.WORKLOAD,
            "owner_kind": "Deployment",
            "namespace": "shop",
            "name": name,
            **changes,
        }
    )


def an_external(address: str = "203.0.113.10", *names: str) -> Endpoint:
    """An address outside the cluster."""
    return Endpoint(EndpointKind.EXTERNAL, address=address, names=names)


def an_edge(client: Endpoint | None = None, server: Endpoint | None = None, **changes: Any) -> Edge:
    """web to api on 8080/TCP http, established, three connections."""
    client, server = client or a_workload("web"), server or a_workload("api")
    port = changes.get("port", 8080)
    return Edge(
        **{
            "id": f"{client}>{server}:{port}",
            "client": client,
            "server": server,
            "protocol": Protocol.TCP,
            "port": port,
            "port_name": "http",
            "outcome": Outcome.ESTABLISHED,
            "direction": Direction.SYN,
            "confidence": Confidence.HIGH,
            "connections": 3,
            "bytes": 12_345,
            "first": NOON,
            "last": NOON + 59_000_000_123,
            "evidence": (Evidence("captures/u/r.pcap", "tcp.port == 8080", 42),),
            **changes,
        }
    )


def many_edges() -> list[Edge]:
    """One edge of every kind that the output tells apart."""
    web, api = a_workload("web"), a_workload("api")
    database = a_workload("postgresql-primary", owner_kind="StatefulSet")
    dns = a_workload("coredns", namespace="kube-system", role=Role.DNS)
    node = Endpoint(EndpointKind.NODE, name="node-1")
    return [
        an_edge(api, database, port=5432, port_name="", bytes=1_234_567, connections=12),
        an_edge(web, api),
        an_edge(web, api, port=9090, port_name="grpc"),
        an_edge(api, an_external("203.0.113.10", "api.example.test"), port=443, port_name="", connections=1),
        an_edge(api, an_external("2001:db8::20"), port=443, port_name="", bytes=999),
        an_edge(api, Endpoint(EndpointKind.API_SERVER), port=443, port_name="https"),
        an_edge(
            a_workload("checkout", namespace="payments"),
            api,
            confidence=Confidence.MEDIUM,
            direction=Direction.DECLARED,
        ),
        an_edge(
            Endpoint(EndpointKind.UNKNOWN, address="10.2.3.4"),
            web,
            connections=None,
            bytes=None,
            evidence=(Evidence("captures/u/r.sockets"),),
        ),
        an_edge(web, api, port=7777, port_name="", outcome=Outcome.UNKNOWN, confidence=Confidence.LOW),
        an_edge(web, a_workload("cache"), port=6379, port_name="redis", outcome=Outcome.REFUSED, bytes=180),
        an_edge(
            web,
            Endpoint(EndpointKind.SERVICE, namespace="shop", name="empty"),
            port=80,
            outcome=Outcome.UNANSWERED,
        ),
        an_edge(
            web,
            dns,
            port=53,
            port_name="dns",
            protocol=Protocol.UDP,
            outcome=Outcome.ANSWERED,
            role=Role.DNS,
        ),
        an_edge(node, api, role=Role.PROBE),
        an_edge(a_workload("agent", owner_kind="DaemonSet", host_network=True), api, port=8081, port_name=""),
    ]
