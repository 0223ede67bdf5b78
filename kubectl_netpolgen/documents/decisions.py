"""decisions.yaml: a person's word on edges."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from kubectl_netpolgen.documents.yaml_text import NotYaml, load_texts
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.policy import IPBlock, Peer
from kubectl_netpolgen.semantics.policies import parse_peer

_WAY_OUT = (
    "write entries like `- {edge: 0123456789ab, verdict: accept, peer: {ipBlock: {cidr: 10.1.2.3/32}}}` "
    "under `decisions:`"
)


def parse_decisions(text: str, *, where: str) -> dict[str, Decision]:
    """Decisions by edge id; BundleError names the entry that cannot be understood."""
    try:
        documents = load_texts(text)
    except NotYaml as error:
        raise BundleError(f"{where}: {error}", way_out=_WAY_OUT) from error
    found: dict[str, Decision] = {}
    for document in documents:
        entries = document.get("decisions") if isinstance(document, Mapping) else None
        if entries == "":
            continue  # the key with nothing under it yet
        if not isinstance(entries, list):
            raise BundleError(f"{where}: no list `decisions`", way_out=_WAY_OUT)
        for number, entry in enumerate(entries, 1):
            decision = _decision(entry, f"{where}: decision {number}")
            if found.get(decision.edge, decision) != decision:
                raise BundleError(
                    f"{where}: decision {number}: edge {decision.edge} was decided otherwise before",
                    way_out="keep one of the two",
                )
            found[decision.edge] = decision
    return found


def _decision(entry: Any, where: str) -> Decision:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("edge"), str) or not entry["edge"]:
        raise BundleError(f"{where}: names no edge", way_out=_WAY_OUT)
    try:
        peer = entry.get("peer") or None
        return Decision(
            edge=entry["edge"],
            verdict=Verdict(entry.get("verdict")),
            peer=_peer(peer) if peer is not None else None,
            reason=str(entry.get("reason") or ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BundleError(f"{where}: {error}", way_out=_WAY_OUT) from error


def _peer(document: Mapping[str, Any]) -> Peer:
    """A peer with its CIDRs in their one spelling; one that names a host inside a range may mean either."""
    peer = parse_peer(document)
    if peer.ip_block is None:
        return peer
    cidr, *exceptions = (
        str(ipaddress.ip_network(text)) for text in (peer.ip_block.cidr, *peer.ip_block.except_)
    )
    return Peer(ip_block=IPBlock(cidr, tuple(exceptions)))
