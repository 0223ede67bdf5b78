"""NetworkPolicy v1 as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.selector import LabelSelector


class PolicyType(str, Enum):
    """The two directions that a policy can isolate."""

    INGRESS = "Ingress"
    EGRESS = "Egress"


@dataclass(frozen=True)
class IPBlock:
    """A CIDR less its exceptions."""

    cidr: str
    except_: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peer:
    """One entry of `from` or `to`: selectors (both must hold), or an ipBlock alone."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


@dataclass(frozen=True)
class PolicyPort:
    """One entry of `ports`; no port means all of the protocol."""

    protocol: Protocol = Protocol.TCP
    port: int | str | None = None
    end_port: int | None = None


@dataclass(frozen=True)
class Rule:
    """One ingress or egress rule; no peers means anyone, no ports means everything."""

    peers: tuple[Peer, ...] = ()
    ports: tuple[PolicyPort, ...] = ()


@dataclass(frozen=True)
class NetworkPolicy:
    """One policy with explicit policyTypes."""

    namespace: str
    name: str
    pod_selector: LabelSelector
    policy_types: tuple[PolicyType, ...]
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()

    def rules(self, direction: PolicyType) -> tuple[Rule, ...]:
        """The rules of one direction."""
        return self.ingress if direction is PolicyType.INGRESS else self.egress
