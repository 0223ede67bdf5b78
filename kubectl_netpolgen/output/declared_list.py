"""Declared edges as JSON: what implies each, and the line of decisions.yaml that accepts it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubectl_netpolgen.documents.json_text import dump_line
from kubectl_netpolgen.generation.questions import decision_entry
from kubectl_netpolgen.model.declarations import Declaration, DeclaredEdge, Obstacle
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.output.edge_list import edge_item


def declared_lines(declared: Iterable[DeclaredEdge]) -> str:
    """One line an edge."""
    return "".join(dump_line(declared_item(item)) + "\n" for item in declared)


def declared_item(item: DeclaredEdge) -> dict[str, Any]:
    """The edge as in `edges.jsonl`; `decision` is null where there is nothing to decide."""
    return {
        **edge_item(item.edge),
        "declaredBy": [_declaration(declaration) for declaration in item.declarations],
        "reason": item.reason,
        "obstacle": item.obstacle.value or None,
        "decision": decision_line(item),
    }


def _declaration(declaration: Declaration) -> dict[str, Any]:
    key = declaration.object
    item: dict[str, Any] = {"kind": key.kind}
    if key.namespace:
        item["namespace"] = key.namespace
    return {**item, "name": key.name, "field": declaration.where}


def decision_line(item: DeclaredEdge) -> str | None:
    """What to write under `decisions:`; words in capitals are to be replaced first."""
    if item.obstacle is Obstacle.ALWAYS_ALLOWED:
        return None
    if item.obstacle is Obstacle.NONE:
        return f"- {{edge: {item.edge.id}, verdict: accept}}"
    unknown_server = item.obstacle is Obstacle.SERVER_UNKNOWN
    return f"- {decision_entry(item.edge, PolicyType.EGRESS if unknown_server else PolicyType.INGRESS)}"
