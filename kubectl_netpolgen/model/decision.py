"""A person's word on an edge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.policy import Peer


class Verdict(str, Enum):
    """What a person decided."""

    ACCEPT = "accept"
    DROP = "drop"


@dataclass(frozen=True)
class Decision:
    """Accept or drop one edge, and, where nobody else knows, who its peer is."""

    edge: str
    """The edge's id."""
    verdict: Verdict
    peer: Peer | None = None
    """Names an unknown peer: a pod selector or an external CIDR."""
    ports: tuple[int | str, ...] = ()
    """Where a server that is no known workload listens itself: numbers, or names that its pods declare."""
    reason: str = ""
