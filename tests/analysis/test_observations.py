"""What a person should know about the edges before trusting them."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.analysis.observations import observe
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Direction, Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Service
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
WEB = a_pod("web-1", ports=(a_port(8080, "http"),))


def said(*edges: Edge, service: Service | None = None) -> list[Finding]:
    """The findings about these edges, with a Service beside pod web-1."""
    objects: list[KubernetesObject] = [WEB, a_workload("web"), *([service] if service else [])]
    return list(observe(edges, a_timeline(*objects)))


def codes(*edges: Edge, service: Service | None = None) -> list[str]:
    """Their codes."""
    return [finding.code for finding in said(*edges, service=service)]


def test_sound_edge_needs_no_words() -> None:
    assert codes(an_edge(), an_edge(server=an_external(), port=443)) == []


def test_guessed_direction_is_said() -> None:
    assert codes(an_edge(direction=Direction.HEURISTIC)) == ["low-confidence"]
    assert codes(an_edge(direction=Direction.DECLARED)) == []
    assert codes(an_edge(direction=Direction.HEURISTIC, outcome=Outcome.REFUSED)) == []


def test_outcome_that_cannot_be_told_is_said() -> None:
    (finding,) = said(an_edge(outcome=Outcome.UNKNOWN))
    assert (finding.code, finding.subject) == (
        "outcome-unknown",
        "shop/Deployment/web -> shop/Deployment/api 8080/TCP",
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["node-origin"]),
        ({"role": Role.PROBE}, []),
        ({"outcome": Outcome.REFUSED}, []),
    ],
)
def test_connection_from_a_node_is_said_unless_it_is_a_probe(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert codes(an_edge(NODE, "web", **changes)) == expected


def test_server_on_its_nodes_network_is_said() -> None:
    assert codes(an_edge(server=an_endpoint("agent", host_network=True))) == ["host-network-peer"]


def from_outside(client: Endpoint, **changes: Any) -> Edge:
    """An edge to pod web-1."""
    return an_edge(client, "web", **{"server_pods": ("uid-web-1",), **changes})


EXPOSED = a_service("web", type="LoadBalancer")


def test_exposed_port_that_nobody_used_is_said() -> None:
    (finding,) = said(an_edge("api", "web", server_pods=("uid-web-1",)), service=EXPOSED)
    assert (finding.code, finding.subject) == ("exposed-port-unused", "Service shop/web port 80/TCP")


@pytest.mark.parametrize("client", [an_external(), an_unknown(), NODE])
def test_exposed_port_that_was_used_from_outside_is_not(client: Endpoint) -> None:
    assert "exposed-port-unused" not in codes(from_outside(client), service=EXPOSED)


@pytest.mark.parametrize(
    "edge",
    [
        from_outside(an_external(), port=9090),
        from_outside(an_external(), protocol=Protocol.UDP),
        from_outside(an_external(), outcome=Outcome.REFUSED),
        from_outside(NODE, role=Role.PROBE),
        from_outside(an_external(), server_pods=("uid-other-1",)),
    ],
)
def test_other_ports_probes_and_failures_do_not_count_as_use(edge: Edge) -> None:
    assert "exposed-port-unused" in codes(edge, service=EXPOSED)


def test_named_target_port_is_the_pods() -> None:
    service = a_service("web", type="NodePort", ports=(a_service_port(80, "http"),))
    assert "exposed-port-unused" not in codes(from_outside(an_external()), service=service)
    assert "exposed-port-unused" in codes(from_outside(an_external(), port=80), service=service)


def test_services_of_namespaces_that_were_not_captured_are_not_our_business() -> None:
    assert codes(an_edge(), service=a_service("web", type="LoadBalancer", namespace="other")) == []
    assert codes(an_edge(), service=a_service("web")) == []


def test_dialling_a_nodes_address_is_said() -> None:
    assert codes(an_edge(server=NODE, port=30080)) == ["node-port"]
    assert codes(an_edge(server=NODE, port=30080, outcome=Outcome.REFUSED)) == []


def test_connection_from_a_node_to_an_exposed_port_is_the_rules_to_tell() -> None:
    assert "node-origin" not in codes(from_outside(NODE), service=EXPOSED)
    assert "node-origin" in codes(from_outside(NODE, port=9090), service=EXPOSED)


@pytest.mark.parametrize("text", ["169.254.169.254", "fd00:ec2::254"])
def test_metadata_service_is_told_with_the_decision_that_drops_it(text: str) -> None:
    edge = an_edge(server=an_unknown(text), port=80)
    (finding,) = said(edge)
    assert finding.code == "metadata-access"
    assert f"{{edge: {edge.id}, verdict: drop}}" in finding.way_out
    assert codes(an_edge(server=an_unknown(text), port=53, role=Role.DNS)) == []
    assert codes(an_edge(server=an_unknown(text), port=80, outcome=Outcome.REFUSED)) == []


def test_api_server_by_address_is_fragile() -> None:
    (finding,) = said(an_edge(server=Endpoint(EndpointKind.API_SERVER), port=6443))
    assert (finding.code, finding.severity) == ("api-server-addresses", Severity.NOTE)


def test_pod_that_reaches_itself_is_told_and_its_siblings_are_none_of_that() -> None:
    to_itself = an_edge("web", "web", client_pods=("uid-web-1",), server_pods=("uid-web-1", "uid-web-2"))
    assert codes(to_itself) == ["hairpin"]
    assert codes(an_edge("web", "web", client_pods=("uid-web-1",), server_pods=("uid-web-2",))) == []


def test_tunnel_of_a_mesh_is_told() -> None:
    assert codes(an_edge(port=15008)) == ["mesh-tunnel"]
