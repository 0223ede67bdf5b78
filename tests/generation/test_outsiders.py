"""Clients that a Service invites from outside the cluster, and what their rule lets in beside them."""

from __future__ import annotations

from typing import Any

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.policies import Generated
from kubectl_netpolgen.model.decision import Decision, Verdict
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.objects import ControlPlaneCalls
from kubectl_netpolgen.model.policy import IPBlock, Peer
from tests.factories import a_service, a_service_port, an_edge, an_external, an_unknown
from tests.generation.factories import deployed, generated, spec_of

NO_DNS: dict[str, Any] = {"dns": DnsMode.OBSERVED}
THREE = deployed("web", "api", "db")


def exposed(*edges: Edge, kind: str = "LoadBalancer", **others: Any) -> Generated:
    """Policies for edges to the pod web-1 on 8080, to which a Service invites outsiders."""
    objects = (*THREE, a_service("web", "10.96.0.10", type=kind))
    return generated(*edges, objects=objects, **NO_DNS, **others)


def to_web(client: Endpoint | str, port: int = 8080) -> Edge:
    return an_edge(client, "web", port=port, server_pods=("uid-web-1",))


NODE = Endpoint(EndpointKind.NODE, name="node-1")


def test_invited_outsiders_get_a_rule_without_peers_and_everybody_is_told() -> None:
    found = exposed(to_web(NODE), to_web(an_external()), to_web("api"), to_web(an_external(), port=9090))
    assert spec_of(found, "deployment-web")["ingress"] == [
        {"ports": [{"protocol": "TCP", "port": 8080}]},
        {
            "from": [{"podSelector": {"matchLabels": {"app": "api"}}}],
            "ports": [{"protocol": "TCP", "port": 8080}],
        },
        {"from": [{"ipBlock": {"cidr": "203.0.113.10/32"}}], "ports": [{"protocol": "TCP", "port": 9090}]},
    ]
    (finding,) = [item for item in found.findings if item.code == "open-to-all"]
    assert finding.subject == "Deployment shop/web"
    assert "LoadBalancer shop/web" in finding.message
    assert "8080/TCP is open to every address" in finding.message


def test_nobody_is_invited_by_a_service_inside() -> None:
    found = exposed(to_web(an_external()), kind="ClusterIP")
    assert spec_of(found, "deployment-web")["ingress"] == [
        {"from": [{"ipBlock": {"cidr": "203.0.113.10/32"}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]
    assert not [item for item in found.findings if item.code == "open-to-all"]


def test_unknown_client_of_an_open_port_needs_no_decision() -> None:
    found = exposed(to_web(NODE), to_web(an_unknown()))
    assert not found.unresolved
    assert spec_of(found, "deployment-web")["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    assert exposed(to_web(an_unknown())).unresolved


def test_decision_on_an_outsider_is_kept_to() -> None:
    edge = to_web(an_external())
    peer = Peer(ip_block=IPBlock("203.0.113.0/24"))
    found = exposed(edge, decisions=[Decision(edge.id, Verdict.ACCEPT, peer)])
    assert spec_of(found, "deployment-web")["ingress"] == [
        {"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]


def test_webhook_is_open_on_its_port_whoever_the_control_plane_comes_as() -> None:
    hook = ControlPlaneCalls("MutatingWebhookConfiguration", "injector", (("shop", "web", 443),))
    service = a_service("web", "10.96.0.10", ports=(a_service_port(443, 8080),))
    found = generated(to_web(an_unknown()), objects=(*THREE, service, hook), **NO_DNS)
    assert spec_of(found, "deployment-web")["ingress"] == [{"ports": [{"protocol": "TCP", "port": 8080}]}]
    assert not found.unresolved
    (finding,) = [item for item in found.findings if item.code == "open-to-all"]
    assert "MutatingWebhookConfiguration injector" in finding.message
