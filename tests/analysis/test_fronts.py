"""Who connects on behalf of others: exactly one, or nobody is taken for it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from kubectl_netpolgen.analysis.backends import Backends
from kubectl_netpolgen.analysis.fronts import CONTROLLERS, Fronts
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.declarations import Monitor, Route
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.objects import OwnerReference
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import a_pod, a_port, a_service, a_service_port, a_timeline, an_edge, an_endpoint
from tests.factories_declarations import (
    a_backend,
    a_class,
    a_controller,
    a_monitor,
    a_route,
    an_ingress,
)

API_POD = a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"), a_port(9090, "metrics")))
API = a_service(
    "api",
    labels={"app": "api"},
    ports=(a_service_port(80, 8080, name="web"), a_service_port(9090, 9090, name="metrics")),
)
WEB_POD = a_pod("web-1", "10.244.1.5")
WEB = a_service("web", "10.96.0.11")
BASE: tuple[KubernetesObject, ...] = (API_POD, API, WEB_POD, WEB)
EDGE_ROUTER = an_endpoint("router", namespace="infra")


def fronts(*objects: KubernetesObject, edges: Iterable[Edge] = ()) -> Fronts:
    """Over these objects and edges."""
    identities = Identities(a_timeline(*BASE, *objects), {})
    return Fronts(identities, Backends(identities), edges)


def serving(route: Route, *objects: KubernetesObject, edges: Iterable[Edge] = ()) -> list[str]:
    """Who may serve a route, by name."""
    return [str(front.endpoint) for front in fronts(route, *objects, edges=edges).of_route(route)]


@pytest.mark.parametrize("controller", sorted(CONTROLLERS))
@pytest.mark.parametrize("instance", ["", "/internal"])
def test_controllers_pods_are_known_by_their_charts_labels(controller: str, instance: str) -> None:
    pod = a_pod("c-1", "10.244.9.1", namespace="infra", labels=dict(CONTROLLERS[controller]))
    assert serving(an_ingress(), a_class(controller=controller + instance), pod) == ["infra/Deployment/c"]


def test_unknown_controller_or_class_is_nobody() -> None:
    assert serving(an_ingress(), a_controller()) == []
    assert serving(an_ingress(), a_class(controller="example.test/other"), a_controller()) == []
    assert serving(an_ingress(), a_class(controller="k8s.io/ingress-nginx-not"), a_controller()) == []
    assert serving(an_ingress(ingress_class="other"), a_class(), a_controller()) == []


def test_ingress_without_a_class_has_the_only_one() -> None:
    bare = an_ingress(ingress_class="")
    assert serving(bare, a_class(), a_controller()) == ["ingress/Deployment/controller"]
    assert serving(bare, a_class(), a_class("other"), a_controller()) == []


def test_of_two_controllers_the_one_that_was_seen_is_it() -> None:
    second = a_controller("second-1", "10.244.9.2")
    objects = (a_class(), a_controller(), second)
    route = an_ingress(a_backend("web"), a_backend("api"))
    assert serving(route, *objects) == ["ingress/Deployment/controller", "ingress/Deployment/second"]
    seen = an_edge(an_endpoint("second", namespace="ingress"), "web", 8080)
    assert serving(route, *objects, edges=[seen]) == ["ingress/Deployment/second"]


def test_without_a_controller_in_sight_whoever_visits_backends_of_the_class_is_it() -> None:
    route, other = an_ingress(a_backend("api")), an_ingress(a_backend("web"), name="other")
    seen = an_edge(EDGE_ROUTER, "web", 8080, client_pods=("uid-router-1",))
    assert serving(route, other, edges=[seen]) == ["infra/Deployment/router"]
    assert serving(route, an_ingress(a_backend("web"), name="o", ingress_class="x"), edges=[seen]) == []
    second = an_edge(an_endpoint("router-2", namespace="infra"), "web", 8080)
    assert len(serving(route, other, edges=[seen, second])) == 2


@pytest.mark.parametrize(
    "edge",
    [
        an_edge(an_endpoint("batch"), "web", 8080),
        an_edge(EDGE_ROUTER, "web", 8081),
        an_edge(EDGE_ROUTER, "web", 8080, outcome=Outcome.REFUSED),
        an_edge(EDGE_ROUTER, "web", 8080, role=Role.PROBE),
        an_edge(Endpoint(EndpointKind.NODE, name="node-1"), "web", 8080),
    ],
    ids=["own namespace", "other port", "refused", "probe", "node"],
)
def test_other_visitors_are_not_taken_for_it(edge: Edge) -> None:
    assert serving(an_ingress(a_backend("web")), edges=[edge]) == []


def test_clients_own_copy_on_the_hosts_network_is_foreign() -> None:
    host = an_endpoint("router", host_network=True)
    assert serving(an_ingress(a_backend("web")), edges=[an_edge(host, "web", 8080)]) == [
        "shop/Deployment/router"
    ]


@pytest.mark.parametrize(
    ("labels", "namespace", "expected"),
    [
        ({"gateway.networking.k8s.io/gateway-name": "edge"}, "infra", True),
        ({"gateway.networking.k8s.io/gateway-name": "edge"}, "elsewhere", False),
        ({"gateway.networking.k8s.io/gateway-name": "other"}, "infra", False),
        (
            {
                "gateway.envoyproxy.io/owning-gateway-name": "edge",
                "gateway.envoyproxy.io/owning-gateway-namespace": "infra",
            },
            "envoy-gateway-system",
            True,
        ),
    ],
)
def test_gateways_pods_carry_its_name(labels: dict[str, str], namespace: str, expected: bool) -> None:
    pod = a_pod("edge-1", "10.244.9.1", namespace=namespace, labels=labels)
    assert bool(serving(a_route(a_backend("web")), pod)) is expected


def test_routes_of_one_gateway_are_visited_by_one() -> None:
    seen = an_edge(EDGE_ROUTER, "web", 8080)
    other = a_route(a_backend("web"), name="other")
    assert serving(a_route(a_backend("api")), other, edges=[seen]) == ["infra/Deployment/router"]
    apart = a_route(a_backend("api"), gateways=(("infra", "inner"),))
    assert serving(apart, other, edges=[seen]) == []
    assert serving(an_ingress(a_backend("api")), other, edges=[seen]) == []


@pytest.mark.parametrize("kind", ["Prometheus", "PrometheusAgent"])
def test_prometheus_is_known_by_its_operators_kind_or_its_label(kind: str) -> None:
    owned = a_pod("p-0", "10.244.9.3", namespace="m", owner=OwnerReference(kind, "k8s", "u"), labels={})
    (front,) = fronts(a_monitor(), owned).of_monitor()
    assert (str(front.endpoint), front.pods) == (f"m/{kind}/k8s", ("uid-p-0",))
    labelled = a_pod("q-0", "10.244.9.4", namespace="m", labels={"app.kubernetes.io/name": "prometheus"})
    assert len(fronts(a_monitor(), labelled).of_monitor()) == 1
    assert len(fronts(a_monitor(), owned, labelled).of_monitor()) == 2
    seen = an_edge(an_endpoint("q", namespace="m"), "api", 9090)
    assert len(fronts(a_monitor(), owned, labelled, edges=[seen]).of_monitor()) == 1


@pytest.mark.parametrize(
    ("monitor", "expected"),
    [
        (a_monitor(), [9090]),
        (a_monitor(ports=(), target_ports=(9090,)), [9090]),
        (a_monitor(ports=("web",), target_ports=("metrics",)), [8080, 9090]),
        (a_monitor(ports=("nothing",)), []),
        (a_monitor(namespace="m"), []),
        (a_monitor(namespace="m", namespaces=("shop",)), [9090]),
        (a_monitor(namespace="m", namespaces=None), [9090]),
        (a_monitor(kind="PodMonitor"), [9090]),
        (a_monitor(kind="PodMonitor", ports=(), target_ports=(9999,)), [9999]),
        (a_monitor(kind="PodMonitor", namespace="m"), []),
    ],
)
def test_monitor_selects_ports_of_services_or_of_pods(monitor: Monitor, expected: list[int]) -> None:
    found = fronts(monitor).scraped(monitor)
    assert [(str(item.endpoint), item.port) for item in found] == [
        ("shop/Deployment/api", port) for port in expected
    ]


def test_visited_means_by_somebody_from_elsewhere() -> None:
    found = fronts(edges=[an_edge(EDGE_ROUTER, "api", 8080), an_edge("web", "api", 9090)])
    seen = {
        item.port: found.visited(item)
        for monitor in (a_monitor(ports=("web", "metrics")),)
        for item in found.scraped(monitor)
    }
    assert seen == {8080: True, 9090: False}
