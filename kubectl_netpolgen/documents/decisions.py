"""decisions.yaml: a person's word on edges."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from kubectl_netpolgen.documents.yaml_text import NotYaml, load_texts
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.policy import IPBlock, Peer
from kubectl_netpolgen.semantics.policies import parse_peer

_WAY_OUT = (
    "write entries like `- {edge: 0123456789ab, verdict: accept, "
    "peer: {podSelector: {matchLabels: {app: db}}}, ports: [5433]}` under `decisions:`"
)
_KEYS = ("edge", "verdict", "peer", "ports", "reason")
# A container port's name (core/v1 ContainerPort.name, RFC 6335): it has a letter, and no dash at its ends.
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")


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
    unknown = sorted(str(key) for key in entry if key not in _KEYS)
    if unknown:
        raise BundleError(
            f"{where}: nothing is known of {', '.join(unknown)}", way_out=f"an entry has {', '.join(_KEYS)}"
        )
    try:
        peer = entry.get("peer") or None
        return Decision(
            edge=entry["edge"],
            verdict=Verdict(entry.get("verdict")),
            peer=_peer(peer) if peer is not None else None,
            ports=_ports(entry.get("ports") or []),
            reason=str(entry.get("reason") or ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BundleError(f"{where}: {error}", way_out=_WAY_OUT) from error


def _ports(entries: Any) -> tuple[int | str, ...]:
    """Numbers and names, each once; ValueError for what is neither."""
    if not isinstance(entries, list):
        raise ValueError("ports: must be a list, like [5433]")
    return tuple(dict.fromkeys(_port(entry) for entry in entries))


def _port(entry: Any) -> int | str:
    if isinstance(entry, str) and re.fullmatch(r"[0-9]{1,5}", entry) and 1 <= int(entry) <= 65535:
        return int(entry)
    if isinstance(entry, str) and _PORT_NAME.fullmatch(entry):
        return entry
    raise ValueError(f"ports: {entry} is no port from 1 to 65535, and no name that a container port can have")


def _peer(document: Mapping[str, Any]) -> Peer:
    """A peer with its CIDRs in their one spelling; one that names a host inside a range may mean either."""
    peer = parse_peer(document)
    if peer.ip_block is None:
        return peer
    cidr, *exceptions = (
        str(ipaddress.ip_network(text)) for text in (peer.ip_block.cidr, *peer.ip_block.except_)
    )
    return Peer(ip_block=IPBlock(cidr, tuple(exceptions)))
