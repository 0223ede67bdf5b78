"""The pairs that must not connect once the policies are in force, each of which does connect before.

Every pair is outside the application's edges in exactly one respect: another pod, another port of a permitted
pod, another namespace in either direction, or the world outside, over both families.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.e2e.boutique.edges import API_NAME

# Targets and clients in the second namespace are written with this in front.
ELSEWHERE = "outsider/"


@dataclass(frozen=True, order=True)
class ForbiddenPair:
    """One attempt: from a workload's pod to a pod of a workload, a Service name or an outside address."""

    client: str
    target: str
    port: int
    family: int = 4

    @property
    def is_pod(self) -> bool:
        """Say whether the target names a workload, whose pod's address is only known at run time."""
        return not self.by_name and ":" not in self.target and not self.target[0].isdigit()

    @property
    def by_name(self) -> bool:
        """Say whether the client's own resolver has to find the target."""
        return self.target.endswith((".test", ".svc"))

    def __str__(self) -> str:
        """Name the pair in a test's failure."""
        return f"{self.client} -> {self.target} port {self.port} IPv{self.family}"


_OTHER_PODS = (
    ForbiddenPair("frontend", "redis-cart", 6379),
    ForbiddenPair("frontend", "paymentservice", 50051),
    ForbiddenPair("frontend", "emailservice", 8080),
    # By the Service's name: it resolves, and what it resolves to is closed.
    ForbiddenPair("frontend", "emailservice.{namespace}.svc", 5000),
    ForbiddenPair("cartservice", "productcatalogservice", 3550),
    ForbiddenPair("cartservice", "frontend", 8080, 6),
    ForbiddenPair("adservice", "currencyservice", 7000),
    ForbiddenPair("recommendationservice", "cartservice", 7070, 6),
    ForbiddenPair("loadgenerator", "checkoutservice", 5050),
    ForbiddenPair("loadgenerator", "adservice", 9555, 6),
    ForbiddenPair("pricefeed", "frontend", 8080),
    # The reverse of an edge is not an edge.
    ForbiddenPair("paymentservice", "checkoutservice", 5050),
    ForbiddenPair("redis-cart", "cartservice", 7070, 6),
)

_OTHER_PORTS = (
    ForbiddenPair("loadgenerator", "frontend", 9901),
    ForbiddenPair("loadgenerator", "frontend", 9901, 6),
    ForbiddenPair("cartservice", "redis-cart", 9901),
    ForbiddenPair("checkoutservice", "paymentservice", 9901, 6),
    ForbiddenPair("frontend", "adservice", 9901),
    ForbiddenPair("pricefeed", "statsd", 9901),
    ForbiddenPair("pricefeed", "statsd", 9901, 6),
    ForbiddenPair("statsd", "pricefeed", 9901),
)

_OTHER_NAMESPACE = (
    ForbiddenPair("frontend", "outsider/server", 8080),
    ForbiddenPair("pricefeed", "outsider/server", 8080, 6),
    ForbiddenPair("redis-cart", "outsider/server", 9901),
    ForbiddenPair("outsider/client", "frontend", 8080),
    ForbiddenPair("outsider/client", "redis-cart", 6379),
    ForbiddenPair("outsider/client", "productcatalogservice", 3550, 6),
    ForbiddenPair("outsider/client", "statsd", 9901, 6),
)

_OUTSIDE = (
    ForbiddenPair("frontend", API_NAME, 443),
    ForbiddenPair("frontend", API_NAME, 443, 6),
    ForbiddenPair("frontend", "203.0.113.20", 80),
    ForbiddenPair("pricefeed", API_NAME, 80),
    ForbiddenPair("pricefeed", API_NAME, 80, 6),
    ForbiddenPair("pricefeed", "203.0.113.20", 443),
    ForbiddenPair("pricefeed", "2001:db8::20", 443, 6),
    ForbiddenPair("loadgenerator", "203.0.113.10", 9000),
    ForbiddenPair("redis-cart", "2001:db8::10", 443, 6),
    ForbiddenPair("statsd", "203.0.113.20", 80),
)


def forbidden_pairs(outside: bool) -> tuple[ForbiddenPair, ...]:
    """Return the pairs to try; `outside` where the harness plays the world."""
    return _OTHER_PODS + _OTHER_PORTS + _OTHER_NAMESPACE + (_OUTSIDE if outside else ())


# One attempt from each of several clients, for tests that have no time for all of them.
FEW_PAIRS = (
    ForbiddenPair("frontend", "redis-cart", 6379),
    ForbiddenPair("loadgenerator", "frontend", 9901),
    ForbiddenPair("loadgenerator", "adservice", 9555, 6),
    ForbiddenPair("pricefeed", "statsd", 9901, 6),
    ForbiddenPair("redis-cart", "cartservice", 7070),
)

# What is asked again and again until it times out, to know that the cluster enforces the new policies.
CANARIES = (ForbiddenPair("loadgenerator", "frontend", 9901), ForbiddenPair("statsd", "pricefeed", 9901))
