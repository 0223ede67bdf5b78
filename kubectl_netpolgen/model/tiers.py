"""Policies of administrators' tiers, which come before and after NetworkPolicies.

ClusterNetworkPolicy v1alpha2, and AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1 in the same
words (policy.networking.k8s.io).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.model.selector import LabelSelector


class Tier(str, Enum):
    """Before the NetworkPolicies, or after them for pods that none of them selects."""

    ADMIN = "Admin"
    BASELINE = "Baseline"


class Action(str, Enum):
    """What becomes of a connection that a rule is the first to match."""

    ACCEPT = "Accept"
    DENY = "Deny"
    PASS = "Pass"
    """Skip the rest of the tier."""


@dataclass(frozen=True)
class TierPeer:
    """Pods by two selectors, or, of egress, addresses; nothing at all for what only the plugin knows."""

    namespaces: LabelSelector | None = None
    pods: LabelSelector | None = None
    """None for all pods of the namespaces."""
    networks: tuple[str, ...] = ()
    """CIDRs; they mean pods' addresses too."""
    nodes: LabelSelector | None = None


@dataclass(frozen=True)
class TierPort:
    """Ports of one protocol from first to last, or of any protocol by the name that a pod declares."""

    protocol: Protocol | None = None
    first: int = 1
    last: int = 65535
    name: str = ""


@dataclass(frozen=True)
class TierRule:
    """One rule; the first that matches decides."""

    action: Action
    peers: tuple[TierPeer, ...]
    ports: tuple[TierPort, ...] = ()
    """None for all of every protocol."""
    name: str = ""


@dataclass(frozen=True)
class TierPolicy:
    """One policy with its ordered rules."""

    kind: str
    name: str
    tier: Tier = Tier.ADMIN
    priority: int = 0
    """The lower comes first within a tier; what comes first of equals is not defined."""
    namespaces: LabelSelector = field(default_factory=LabelSelector)
    pods: LabelSelector | None = None
    ingress: tuple[TierRule, ...] = ()
    egress: tuple[TierRule, ...] = ()

    @property
    def key(self) -> ObjectKey:
        """Kind and name; it has no namespace."""
        return ObjectKey(self.kind, "", self.name)

    def rules(self, direction: PolicyType) -> tuple[TierRule, ...]:
        """The rules of one direction."""
        return self.ingress if direction is PolicyType.INGRESS else self.egress
