"""What a policy says about itself: ids of edges and names of addresses.

Counts and dates stay in the bundle, so that the same edges give the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kubectl_netpolgen.generation.rules import NumberedRule
from kubectl_netpolgen.model.edge import Edge, EndpointKind
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.network import Address, host_network

EDGES = "netpolgen.io/edges"
NAMES = "netpolgen.io/names"
ASSUMED = "netpolgen.io/assumed"
"""Rules that allow what nobody was seen to do and everybody needs: to ask the DNS."""
DECLARED = "netpolgen.io/declared"
"""Rules that stand for edges which manifests imply and nobody was seen to use, and which ones."""


def annotations_of(
    ingress: Sequence[NumberedRule],
    egress: Sequence[NumberedRule],
    assumed: Sequence[str],
    edges: Sequence[Edge],
) -> tuple[tuple[str, str], ...]:
    """Which edges each rule stands for (rules count from 1), which of these were not seen, and names of
    external addresses.
    """
    declared = {edge.id for edge in edges if edge.outcome is Outcome.DECLARED}
    cidrs = {peer.ip_block.cidr for item in (*ingress, *egress) for peer in item.rule.peers if peer.ip_block}
    named = sorted(
        {
            f"{host_network(Address(edge.server.address))}={','.join(edge.server.names)}"
            for edge in edges
            if edge.server.kind is EndpointKind.EXTERNAL and edge.server.names
        }
    )
    known = [item for item in named if item.split("=", 1)[0] in cidrs]
    pairs = (
        (ASSUMED, " ".join(assumed)),
        (DECLARED, _numbered(ingress, egress, declared)),
        (EDGES, _numbered(ingress, egress, {edge for item in (*ingress, *egress) for edge in item.edges})),
        (NAMES, " ".join(known)),
    )
    return tuple((key, value) for key, value in pairs if value)


def _numbered(ingress: Sequence[NumberedRule], egress: Sequence[NumberedRule], edges: Collection[str]) -> str:
    """Each rule that stands for some of these edges, with their ids."""
    found = (
        (f"{direction}/{number}", [edge for edge in item.edges if edge in edges])
        for direction, rules in (("ingress", ingress), ("egress", egress))
        for number, item in enumerate(rules, 1)
    )
    return " ".join(f"{rule}={','.join(ids)}" for rule, ids in found if ids)
