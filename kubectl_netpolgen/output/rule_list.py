"""The evidence of each rule: a JSON line for programs, and a page from which a person finds the packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubectl_netpolgen.documents.json_text import dump_line
from kubectl_netpolgen.generation.rule_evidence import Basis, RuleEvidence
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.times import rfc3339
from kubectl_netpolgen.output.edge_list import evidence_item
from kubectl_netpolgen.output.markdown import markdown_code, markdown_text
from kubectl_netpolgen.output.quantities import count_text, size_text

_BASES = {
    Basis.SEEN: "",
    Basis.DECLARED: "nothing was seen: manifests declare it, and a person accepted",
    Basis.ASSUMED: "nothing was seen: every pod is taken to resolve names",
    Basis.NOTHING: "no edge rests on this rule alone",
}
_MOST = 3
"""Files of one edge that are named under a rule; `edges.jsonl` has all of them, once."""


def rule_lines(rules: Iterable[RuleEvidence], pods: Mapping[str, str]) -> Iterator[str]:
    """One line a rule; `pods` are `namespace/name` by UID.

    `evidenceElsewhere` counts what stands with the edges in `edges.jsonl` and is left out here.
    """
    for rule in rules:
        item: dict[str, Any] = {
            "policy": f"{rule.namespace}/{rule.policy}",
            "direction": rule.direction.value,
            "rule": rule.rule,
            "basis": rule.basis.value,
            "edges": [edge.id for edge in rule.edges],
            "connections": rule.connections,
            "bytes": rule.bytes,
            "first": rfc3339(rule.first) if rule.seen else None,
            "last": rfc3339(rule.last) if rule.seen else None,
            "pods": [pods.get(uid, uid) for uid in rule.pods],
            "evidence": [evidence_item(one) for edge in rule.seen for one in edge.evidence[:_MOST]],
            "evidenceElsewhere": sum(max(0, len(edge.evidence) - _MOST) for edge in rule.seen),
        }
        yield dump_line(item) + "\n"


def rule_page(rules: Iterable[RuleEvidence], pods: Mapping[str, str]) -> Iterator[str]:
    """Policy by policy and rule by rule: how much, when, by which pods, and how to look at the packets."""
    yield "# Evidence\n\nOpen a file with `tshark -r FILE -Y 'FILTER'` in the bundle.\n"
    policy = ""
    for rule in rules:
        name = f"{rule.namespace}/{rule.policy}"
        if name != policy:
            yield f"\n## {markdown_text(name)}\n"
            policy = name
        yield f"\n### {rule.direction.value} rule {rule.rule}\n\n"
        if rule.basis is not Basis.SEEN:
            yield f"{_BASES[rule.basis]}\n" + ("\n" if rule.pods or rule.edges else "")
        if rule.pods:
            yield f"by {', '.join(markdown_text(pods.get(uid, uid)) for uid in rule.pods)}\n\n"
        for edge in rule.edges:
            yield from _edge(edge)


def _edge(edge: Edge) -> Iterator[str]:
    words = f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}"
    yield f"- {markdown_text(words)}: {_amount(edge)}\n"
    for item in edge.evidence[:_MOST]:
        shown = f" {markdown_code(item.filter)}" if item.filter else ""
        yield f"  - {markdown_code(item.file)}{shown}\n"
    if len(edge.evidence) > _MOST:
        yield f"  - and {len(edge.evidence) - _MOST} more, with edge {edge.id} in edges.jsonl\n"


def _amount(edge: Edge) -> str:
    if not edge.first:
        return "declared"
    if edge.connections is None:
        return f"in socket tables, {rfc3339(edge.first)} to {rfc3339(edge.last)}"
    counted = f"{count_text(edge.connections, 'connection')}, {size_text(edge.bytes or 0)}"
    return f"{counted}, {rfc3339(edge.first)} to {rfc3339(edge.last)}"
