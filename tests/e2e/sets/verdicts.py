"""What the evaluator says of every attempt, from the objects as the API server has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kubectl_netpolgen.model.manifests import Origin
from kubectl_netpolgen.model.network import Protocol, canonical_address
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.semantics.compiled import Compiled
from kubectl_netpolgen.semantics.manifests import gather
from kubectl_netpolgen.semantics.port_atoms import PortRange
from kubectl_netpolgen.semantics.subjects import cast_of


@dataclass(frozen=True, order=True)
class Attempt:
    """One pod at one address and port."""

    client: str
    """`namespace/name`."""
    address: str
    port: int
    protocol: str


def verdicts(documents: Iterable[dict[str, Any]], attempts: Iterable[Attempt]) -> dict[Attempt, bool]:
    """Whether each attempt is allowed."""
    asked = tuple(attempts)
    manifests = gather((document, Origin("cluster", 1)) for document in documents)
    cast = cast_of(manifests, per_pod=True)
    namespaces = {item.name: item.labels for item in manifests.namespaces}
    ports = {PortRange(Protocol(item.protocol), item.port, item.port) for item in asked}
    compiled = Compiled(manifests.policies, cast.members, namespaces, ports=ports, tiers=manifests.tiers)
    of_address = {
        cast.members[number].address: compiled.classes.of[number]
        for subject in cast.subjects
        for number in subject.members
    }
    of_pod = {
        (f"{subject.key.namespace}/{subject.key.name}", ":" in str(cast.members[number].address)): number
        for subject in cast.subjects
        for number in subject.members
    }

    def allowed(item: Attempt) -> bool:
        client = compiled.classes.of[of_pod[item.client, ":" in item.address]]
        where = canonical_address(item.address)
        if where in of_address:
            found = compiled.between(client, of_address[where])
        else:
            found = compiled.outside(PolicyType.EGRESS, client, compiled.addresses.atom(where))
        return bool(found >> compiled.ports.atom(Protocol(item.protocol), item.port) & 1)

    return {item: allowed(item) for item in asked}
