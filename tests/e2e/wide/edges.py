"""The truth about the wide application: its edges, written down apart from what makes them happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OUTSIDE_NAME = "api.example.test"
OUTSIDE = "203.0.113.10"


@dataclass(frozen=True, order=True)
class WideEdge:
    """One edge as it must be reported: ends with namespace and kind, and the server's own port."""

    client: str
    server: str
    port: int
    protocol: str = "TCP"
    outcome: str = "established"


WEB = "ordering/Deployment/web"
WORKER = "ordering/Deployment/worker"
POLLER = "ordering/Deployment/poller"
OPERATOR = "ordering/Deployment/operator"
COLLECTOR = "ordering/Deployment/collector"
EARLY = "ordering/Deployment/early"
LATE = "ordering/Deployment/late"
REPORT = "ordering/CronJob/report"
DB = "storage/StatefulSet/db"
STORE = "storage/Deployment/store"
AGENT = "storage/DaemonSet/agent"
ADMISSION = "storage/Deployment/admission"
HOSTAGENT = "storage/Deployment/hostagent"
LEDGER = "elsewhere/Deployment/ledger"
AUDITOR = "elsewhere/Deployment/auditor"

# What the calls of the workloads make.
CALLED = frozenset(
    {
        WideEdge(WEB, DB, 5432),
        WideEdge(WORKER, f"External/{OUTSIDE}", 443),
        WideEdge(WORKER, STORE, 6380),
        WideEdge(POLLER, WORKER, 8081),
        WideEdge(POLLER, WEB, 8080),
        WideEdge(POLLER, AGENT, 9100),
        WideEdge(POLLER, HOSTAGENT, 19100),
        # Two workloads that had one address, one after the other.
        WideEdge(POLLER, EARLY, 7000),
        WideEdge(POLLER, LATE, 7000),
        WideEdge(EARLY, STORE, 6380),
        WideEdge(LATE, COLLECTOR, 4317),
        WideEdge(OPERATOR, "APIServer", 6443),
        WideEdge(OPERATOR, LEDGER, 8080),
        WideEdge(COLLECTOR, COLLECTOR, 4317),
        WideEdge(REPORT, DB, 5432),
        WideEdge(DB, DB, 5432),
        WideEdge(AGENT, COLLECTOR, 4317),
        WideEdge(AGENT, COLLECTOR, 8125, "UDP", "answered"),
        WideEdge(AUDITOR, STORE, 6380),
    }
)

# Whoever uses a node's network or comes through a node is the node.
THROUGH_NODES = frozenset(
    {
        # The pod on the node's network.
        WideEdge("Node/node1", COLLECTOR, 4317),
        # The node port, dialled at either node.
        WideEdge("Node/node1", WEB, 8080),
        WideEdge("Node/node2", WEB, 8080),
        # The API server, which asks its webhook through the first node.
        WideEdge("Node/node1", ADMISSION, 8443),
    }
)

ALL = CALLED | THROUGH_NODES


def wide_edges(items: list[dict[str, Any]], aliases: dict[str, str]) -> list[WideEdge]:
    """Reduce rows to what this list says of each edge; nothing is merged on the way."""
    return sorted(
        WideEdge(
            _end(item["client"], aliases),
            _end(item["server"], aliases),
            item["port"],
            item["protocol"].upper(),
            item["outcome"],
        )
        for item in items
    )


def _end(endpoint: dict[str, Any], aliases: dict[str, str]) -> str:
    """Name an endpoint by kind and whatever it is known by."""
    kind = endpoint["kind"]
    if "namespace" in endpoint:
        return f"{aliases.get(endpoint['namespace'], endpoint['namespace'])}/{kind}/{endpoint['name']}"
    known_by = endpoint.get("name") or endpoint.get("address")
    return f"{kind}/{known_by}" if known_by else str(kind)
