"""What a group's members get because another one needed it: addresses, and ports open to everybody."""

from __future__ import annotations

from typing import Any

from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.granularity import Granularity, Per
from kubectl_netpolgen.generation.policies import Generated
from kubectl_netpolgen.generation.sharing import EVERYBODY, Shared, told
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import PolicyType
from tests.factories import a_service, an_edge, an_external
from tests.generation.factories import deployed, generated, key, policy_of

TWO = deployed("web", "api")


def shared(*edges: Edge, per: Per = Per.NAMESPACE, objects: Any = TWO) -> Generated:
    return generated(*edges, objects=objects, per=Granularity(per), dns=DnsMode.OBSERVED)


def test_addresses_of_one_member_are_counted_for_the_others() -> None:
    web, api = an_edge("web", an_external(), 443), an_edge("api", an_external("203.0.113.11"), 443)
    found = shared(web, api, an_edge("api", an_external(), 80))
    assert [str(row.workload) + " " + str(row) for row in found.shared] == [
        "Deployment shop/api to 203.0.113.10/32 on 443/TCP",
        "Deployment shop/web to 203.0.113.10/32 on 80/TCP",
        "Deployment shop/web to 203.0.113.11/32 on 443/TCP",
    ]
    assert shared(web, api, per=Per.WORKLOAD).shared == ()


def test_port_that_is_open_to_everybody_for_one_is_counted_for_the_others() -> None:
    node = Endpoint(EndpointKind.NODE, name="node-1")
    edge = an_edge(node, "web", server_pods=("uid-web-1",))
    found = shared(edge, objects=(*TWO, a_service("web", type="LoadBalancer")))
    assert policy_of(found, "namespace").ingress[0].peers == ()
    assert found.shared == (Shared(key("api"), PolicyType.INGRESS, EVERYBODY, Protocol.TCP, 8080),)
    (opened,) = [item for item in found.findings if item.code == "open-to-all"]
    assert opened.subject == "namespace shop"


def test_each_port_of_a_range_counts() -> None:
    found = shared(*(an_edge("web", an_external(), port) for port in (80, 81, 82)), an_edge("web", "api"))
    assert [(row.workload.name, row.port) for row in found.shared] == [("api", 80), ("api", 81), ("api", 82)]


def test_each_workload_is_one_finding_and_long_lists_are_cut() -> None:
    rows = [Shared(key("api"), PolicyType.EGRESS, "192.0.2.1/32", Protocol.TCP, n) for n in range(10)]
    (finding,) = told(rows)
    assert (finding.code, finding.subject) == ("allowed-unseen", "Deployment shop/api")
    assert "to 192.0.2.1/32 on 7/TCP and 2 more" in finding.message
