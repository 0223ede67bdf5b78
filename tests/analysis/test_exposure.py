"""Who is invited from outside, by which Service and to which port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_netpolgen.analysis.exposure import exposed, invited_outsider, selects, target_numbers
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ControlPlaneCalls
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_timeline,
    a_workload,
    an_edge,
    an_endpoint,
    an_external,
    an_unknown,
)

NODE = Endpoint(EndpointKind.NODE, name="node-1")
WEB = a_pod("web-1", ports=(a_port(8080, "http"), a_port(53, "dns", Protocol.UDP)))
OUTSIDE = a_service("web", "10.96.0.10", type="LoadBalancer")


def to_web(client: Endpoint = NODE, port: int = 8080, **changes: object) -> Edge:
    return an_edge(client, "web", port=port, server_pods=(WEB.uid,), **changes)


def found(edge: Edge, *objects: KubernetesObject) -> str:
    return invited_outsider(edge, a_timeline(WEB, a_workload("web"), *objects))


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
@pytest.mark.parametrize("client", [NODE, an_external()])
def test_outsider_comes_by_the_service_that_exposes_the_port(kind: str, client: Endpoint) -> None:
    assert found(to_web(client), replace(OUTSIDE, type=kind)) == f"{kind} shop/web"


def test_port_is_exposed_by_the_service_that_selects_the_pod_and_leads_there() -> None:
    known = a_timeline(WEB, OUTSIDE)
    assert exposed(known, WEB, 8080, Protocol.TCP)
    assert not exposed(known, WEB, 9090, Protocol.TCP)
    assert not exposed(known, WEB, 8080, Protocol.UDP)
    assert not exposed(known, a_pod("db-1", "10.244.1.7"), 8080, Protocol.TCP)
    assert not exposed(a_timeline(WEB, replace(OUTSIDE, type="ClusterIP")), WEB, 8080, Protocol.TCP)


def test_nobody_else_is_an_outsider() -> None:
    assert not found(to_web(), replace(OUTSIDE, type="ClusterIP"))
    assert not found(to_web(port=9090), OUTSIDE)
    assert not found(to_web(protocol=Protocol.UDP), OUTSIDE)
    assert not found(to_web(an_unknown()), OUTSIDE)
    assert not found(to_web(an_endpoint("api")), OUTSIDE)
    assert not found(to_web(role=Role.PROBE), OUTSIDE)
    assert not found(to_web(), replace(OUTSIDE, selector={"app": "api"}))
    assert not invited_outsider(an_edge(NODE, an_external()), a_timeline(WEB, OUTSIDE))


@pytest.mark.parametrize("client", [NODE, an_external(), an_unknown()])
@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "APIService"])
def test_control_plane_comes_by_what_names_the_service(kind: str, client: Endpoint) -> None:
    service = a_service("web", "10.96.0.10", ports=(a_service_port(443, 8080),))

    def called(edge: Edge, name: str = "web", port: int = 443) -> str:
        return found(edge, service, ControlPlaneCalls(kind, "x", (("shop", name, port),)))

    assert called(to_web(client)) == f"{kind} x"
    assert not called(to_web(client), port=8443)
    assert not called(to_web(client), name="api")
    assert not called(to_web(client, port=9090))
    assert not called(to_web(an_endpoint("api")))


def test_service_without_a_selector_selects_nothing() -> None:
    assert selects(OUTSIDE, WEB)
    assert not selects(replace(OUTSIDE, selector={}), WEB)
    assert not selects(OUTSIDE, a_pod("web-1", namespace="other"))


def test_named_target_is_what_the_pod_calls_so() -> None:
    assert target_numbers(a_service_port(80, 8080), WEB) == {8080}
    assert target_numbers(a_service_port(80, "http"), WEB) == {8080}
    assert target_numbers(a_service_port(80, "dns"), WEB) == set()
    assert target_numbers(a_service_port(53, "dns", protocol=Protocol.UDP), WEB) == {53}
