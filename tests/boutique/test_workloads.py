"""The manifests and the list of expected edges are written apart; here each is held against the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.boutique.edges import BOUTIQUE_EDGES, ExpectedEdge, all_edges
from tests.e2e.boutique.manifests import Manifest, manifests
from tests.e2e.boutique.workloads import OUTSIDER, UNDECLARED_PORT, Workload, boutique

BACKENDS = {("api.example.test", "4"): "203.0.113.10", ("api.example.test", "6"): "2001:db8::10"}


def of_kind(kind: str, workloads: tuple[Workload, ...]) -> dict[str, Manifest]:
    """Return the objects of one kind by name."""
    listed = manifests("shop", workloads)
    return {item["metadata"]["name"]: item for item in listed if item["kind"] == kind}


def container_of(deployment: Manifest) -> Manifest:
    """Return the only container of a Deployment."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found


def target_port(service: Manifest, port: int, deployments: dict[str, Manifest]) -> int:
    """Follow a Service's port to the number on which its pods are asked, by number or by name."""
    (entry,) = service["spec"]["ports"]
    assert entry["port"] == port
    if isinstance(entry["targetPort"], int):
        return entry["targetPort"]
    declared = container_of(deployments[service["spec"]["selector"]["app"]])["ports"]
    return next(int(item["containerPort"]) for item in declared if item.get("name") == entry["targetPort"])


def edges_of_manifests(workloads: tuple[Workload, ...]) -> set[ExpectedEdge]:
    """Derive from the objects alone which edges running them must make."""
    deployments, services = of_kind("Deployment", workloads), of_kind("Service", workloads)
    roles = {name: json.loads(container_of(item)["env"][0]["value"]) for name, item in deployments.items()}
    return {
        edge_of_call(client, call, deployments, services, roles)
        for client, role in roles.items()
        for call in role["call"]
    }


def edge_of_call(
    client: str,
    call: dict[str, Any],
    deployments: dict[str, Manifest],
    services: dict[str, Manifest],
    roles: dict[str, dict[str, Any]],
) -> ExpectedEdge:
    """Follow one call through its Service to a pod that listens there, or does not."""
    if call["host"] not in services:
        return ExpectedEdge(client, BACKENDS[call["host"], call["family"]], "TCP", call["port"])
    service = services[call["host"]]
    server = service["spec"]["selector"]["app"]
    port = target_port(service, call["port"], deployments)
    protocol = "UDP" if call["protocol"] == "udp" else "TCP"
    assert service["spec"]["ports"][0]["protocol"] == protocol
    listens = roles[server]["listen"]
    bound = {(item["port"], "UDP" if item["protocol"] == "udp" else "TCP") for item in listens}
    answer = "answered" if protocol == "UDP" else "established"
    return ExpectedEdge(client, server, protocol, port, answer if (port, protocol) in bound else "refused")


@pytest.mark.parametrize("outside", [True, False])
def test_running_the_manifests_makes_exactly_the_expected_edges(outside: bool) -> None:
    assert edges_of_manifests(boutique(outside)) == all_edges(outside)


def test_the_shape_is_that_of_online_boutique() -> None:
    workloads = boutique(outside=True)
    services = of_kind("Service", workloads)

    assert (len(workloads), len(BOUTIQUE_EDGES)) == (14, 16)
    assert services["frontend"]["spec"]["ports"][0] == {"port": 80, "targetPort": 8080, "protocol": "TCP"}
    assert services["emailservice"]["spec"]["ports"][0]["port"] == 5000
    assert services["frontend-external"]["spec"]["type"] == "LoadBalancer"
    assert services["statsd-v6"]["spec"]["ipFamilies"] == ["IPv6"]


def test_every_kind_of_probe_is_there() -> None:
    deployments = of_kind("Deployment", boutique(outside=True))
    probes = [container_of(item).get("readinessProbe", {}) for item in deployments.values()]

    assert {key for probe in probes for key in probe} >= {"httpGet", "tcpSocket", "exec"}


@pytest.mark.parametrize("workloads", [boutique(outside=True), OUTSIDER])
def test_the_undeclared_port_is_served_and_declared_nowhere(workloads: tuple[Workload, ...]) -> None:
    for deployment in of_kind("Deployment", workloads).values():
        container = container_of(deployment)
        served = {item["port"] for item in json.loads(container["env"][0]["value"])["listen"]}

        assert UNDECLARED_PORT in served
        assert UNDECLARED_PORT not in {item["containerPort"] for item in container["ports"]}


def test_calls_of_one_workload_have_names_of_their_own() -> None:
    for workload in boutique(outside=True):
        names = [call.name for call in workload.calls]
        assert len(names) == len(set(names))
