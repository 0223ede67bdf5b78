"""The truth about the sample application: which edges it has, written down apart from what makes them happen.

The sixteen edges of Online Boutique are what its manifests, its service mesh policies and three independent
network policy sets agree on. The rest are this project's additions, one for each kind of traffic that a
generator is known to miss.
"""

from __future__ import annotations

from dataclasses import dataclass

API_V4 = "203.0.113.10"
API_V6 = "2001:db8::10"
API_NAME = "api.example.test"


@dataclass(frozen=True, order=True)
class ExpectedEdge:
    """One edge as it must be reported: workload names or an external address, and the server's own port."""

    client: str
    server: str
    protocol: str
    port: int
    outcome: str = "established"


def _edges(client: str, **servers: int) -> frozenset[ExpectedEdge]:
    """Write one client's TCP edges in one line each, as the published lists do."""
    return frozenset(
        ExpectedEdge(client, server.replace("_", "-"), "TCP", port) for server, port in servers.items()
    )


BOUTIQUE_EDGES = (
    _edges(
        "checkoutservice",
        cartservice=7070,
        currencyservice=7000,
        emailservice=8080,
        paymentservice=50051,
        productcatalogservice=3550,
        shippingservice=50051,
    )
    | _edges(
        "frontend",
        adservice=9555,
        cartservice=7070,
        checkoutservice=5050,
        currencyservice=7000,
        productcatalogservice=3550,
        recommendationservice=8080,
        shippingservice=50051,
    )
    | _edges("recommendationservice", productcatalogservice=3550)
    | _edges("cartservice", redis_cart=6379)
    | _edges("loadgenerator", frontend=8080)
)

ADDED_EDGES = frozenset(
    {
        ExpectedEdge("pricefeed", "statsd", "UDP", 8125, "answered"),
        # The Service is IPv6 only and its target port a name, so neither address nor number is in sight.
        ExpectedEdge("pricefeed", "statsd", "TCP", 8127),
        # Opened before any capture starts: no handshake will ever be seen.
        ExpectedEdge("pricefeed", "redis-cart", "TCP", 6379),
    }
)

OUTSIDE_EDGES = frozenset(
    {
        ExpectedEdge("pricefeed", API_V4, "TCP", 443),
        ExpectedEdge("pricefeed", API_V6, "TCP", 443),
    }
)

REFUSED_EDGE = ExpectedEdge("pricefeed", "adservice", "TCP", 9556, "refused")


def working_edges(outside: bool) -> frozenset[ExpectedEdge]:
    """Return the edges that must work before and after the policies; `outside` where the harness plays it."""
    return BOUTIQUE_EDGES | ADDED_EDGES | (OUTSIDE_EDGES if outside else frozenset())


def all_edges(outside: bool) -> frozenset[ExpectedEdge]:
    """Return everything that a capture must show, the failed attempt included."""
    return working_edges(outside) | {REFUSED_EDGE}
