"""decisions.yaml: a person's word on edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubectl_netpolgen.documents.yaml_text import NotYaml, load_documents
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.semantics.policies import parse_peer

_WAY_OUT = (
    "write entries like `- {edge: 0123456789ab, verdict: accept, peer: {ipBlock: {cidr: 10.1.2.3/32}}}` "
    "under `decisions:`"
)


def parse_decisions(text: str, *, where: str) -> dict[str, Decision]:
    """Decisions by edge id; BundleError names the entry that cannot be understood."""
    try:
        documents = load_documents(text)
    except NotYaml as error:
        raise BundleError(f"{where}: {error}", way_out=_WAY_OUT) from error
    found: dict[str, Decision] = {}
    for document in documents:
        entries = document.get("decisions") if isinstance(document, Mapping) else None
        if not isinstance(entries, list):
            raise BundleError(f"{where}: no list `decisions`", way_out=_WAY_OUT)
        for number, entry in enumerate(entries, 1):
            decision = _decision(entry, f"{where}: decision {number}")
            found[decision.edge] = decision
    return found


def _decision(entry: Any, where: str) -> Decision:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("edge"), str):
        raise BundleError(f"{where}: names no edge", way_out=_WAY_OUT)
    try:
        peer = entry.get("peer")
        return Decision(
            edge=entry["edge"],
            verdict=Verdict(entry.get("verdict")),
            peer=parse_peer(peer) if peer is not None else None,
            reason=str(entry.get("reason") or ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BundleError(f"{where}: {error}", way_out=_WAY_OUT) from error
