"""Whom a rule for clients from outside lets in beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.rules import NumberedRule
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity


def open_to_all(
    subject: str, rules: Sequence[NumberedRule], edges: Sequence[Edge], peers: Peers
) -> Iterator[Finding]:
    """A finding for each invitation that made a port of the policy's subject open to every address."""
    if all(item.rule.peers for item in rules):
        return
    services: dict[str, set[str]] = {}
    for edge in edges:
        invitation = peers.inviting(edge)
        if invitation:
            services.setdefault(invitation, set()).add(f"{edge.port}/{edge.protocol.value}")
    for name, said in sorted(services.items()):
        yield Finding(
            "open-to-all",
            Severity.WARNING,
            subject,
            f"clients from outside come through {name}, so {', '.join(sorted(said))} is open to every "
            "address, every pod of the cluster included",
            "where clients keep their addresses (externalTrafficPolicy: Local) name them with a decision",
        )
