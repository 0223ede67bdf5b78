"""The workloads of the sample application: what each one listens on, calls, and shows to Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.e2e.boutique.edges import API_NAME
from tests.e2e.boutique.player import Call, Listen

# Every pod serves this port and no manifest mentions it: the way in that policies must close.
UNDECLARED_PORT = 9901


@dataclass(frozen=True)
class Door:
    """One Service in front of a workload: its name, its port, and the target as a number or a port name."""

    name: str
    port: int
    target: int | str
    protocol: str = "TCP"
    kind: str = "ClusterIP"
    """Also `Headless`, which Kubernetes spells as a ClusterIP of None."""
    family: str = "IPv4"


@dataclass(frozen=True)
class Workload:
    """One controller with its pods, the Services before them and the readiness probe behind them."""

    name: str
    listens: tuple[Listen, ...] = ()
    calls: tuple[Call, ...] = ()
    doors: tuple[Door, ...] = ()
    port_names: dict[int, str] = field(default_factory=dict)
    probe: str = "tcpSocket"
    kind: str = "Deployment"
    replicas: int = 1
    node: str = ""
    """Where its pods must run, if that matters."""
    host_network: bool = False
    strategy: str = "Recreate"
    """How a Deployment replaces its pods: at once, or one by one."""
    rounds: int = 0
    """How often each call is made by a workload whose pods end; 0 for ever."""
    secret: str = ""
    """A TLS secret that is mounted for those of its ports that speak TLS."""


def _call(service: str, port: int, protocol: str = "tcp") -> Call:
    """Call a Service by the name and port that its manifest shows."""
    return Call(name=service, host=service, port=port, protocol=protocol)


def _grpc(
    name: str,
    port: int,
    calls: tuple[Call, ...] = (),
    *,
    service_port: int | None = None,
    named: bool = False,
) -> Workload:
    """Describe one of the gRPC services, which differ in numbers and in how the target port is given."""
    return Workload(
        name,
        listens=(Listen(port),),
        calls=calls,
        doors=(Door(name, service_port or port, "grpc" if named else port),),
        port_names={port: "grpc"} if named else {},
    )


FRONTEND = Workload(
    "frontend",
    listens=(Listen(8080, "http"),),
    calls=(
        _call("adservice", 9555),
        _call("cartservice", 7070),
        _call("checkoutservice", 5050),
        _call("currencyservice", 7000),
        _call("productcatalogservice", 3550),
        _call("recommendationservice", 8080),
        _call("shippingservice", 50051),
    ),
    doors=(
        Door("frontend", 80, 8080),
        # Nobody calls it here: it must stay out of the policies, and its node port must not confuse anyone.
        Door("frontend-external", 80, 8080, kind="LoadBalancer"),
    ),
    probe="httpGet",
)

CHECKOUT = _grpc(
    "checkoutservice",
    5050,
    (
        _call("cartservice", 7070),
        _call("currencyservice", 7000),
        _call("emailservice", 5000),
        _call("paymentservice", 50051),
        _call("productcatalogservice", 3550),
        _call("shippingservice", 50051),
    ),
    named=True,
)

REDIS = Workload("redis-cart", listens=(Listen(6379, families="4"),), doors=(Door("redis-cart", 6379, 6379),))

ADS = Workload(
    "adservice",
    listens=(Listen(9555),),
    # The second Service is a leftover: its target port has had no listener for a long time.
    doors=(Door("adservice", 9555, "grpc"), Door("adservice-legacy", 9556, 9556)),
    port_names={9555: "grpc"},
)

STATSD = Workload(
    "statsd",
    listens=(Listen(8125, "udp"), Listen(8127)),
    doors=(
        Door("statsd", 8125, 8125, protocol="UDP"),
        Door("statsd-v6", 8126, "ingest", family="IPv6"),
    ),
    port_names={8127: "ingest"},
)

_PRICEFEED_INSIDE = (
    Call("statsd", "statsd", 8125, "udp", mode="send"),
    Call("statsd-v6", "statsd-v6", 8126),
    Call("redis-held", "redis-cart", 6379, mode="hold"),
    Call("adservice-legacy", "adservice-legacy", 9556),
)

_PRICEFEED_OUTSIDE = (
    # One call a family, because which of the two a client prefers is no business of these tests.
    Call("api-v4", API_NAME, 443, "http", family="4", tls=True),
    Call("api-v6", API_NAME, 443, "http", family="6", tls=True),
)


def boutique(outside: bool) -> tuple[Workload, ...]:
    """Return the fourteen workloads; without `outside` nothing is called beyond the cluster."""
    return (
        FRONTEND,
        CHECKOUT,
        REDIS,
        ADS,
        STATSD,
        _grpc("emailservice", 8080, service_port=5000, named=True),
        _grpc("recommendationservice", 8080, (_call("productcatalogservice", 3550),), named=True),
        _grpc("paymentservice", 50051),
        _grpc("productcatalogservice", 3550, named=True),
        _grpc("cartservice", 7070, (_call("redis-cart", 6379),)),
        _grpc("currencyservice", 7000),
        _grpc("shippingservice", 50051),
        Workload("loadgenerator", calls=(_call("frontend", 80, "http"),), probe="none"),
        Workload(
            "pricefeed", calls=_PRICEFEED_INSIDE + (_PRICEFEED_OUTSIDE if outside else ()), probe="exec"
        ),
    )


# A namespace of its own with one server and one pod to try connections from.
OUTSIDER = (
    Workload("server", listens=(Listen(8080, "http"),), doors=(Door("server", 8080, 8080),), probe="httpGet"),
    Workload("client", probe="none"),
)
