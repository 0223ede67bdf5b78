"""The workloads and the list of expected edges are written apart; here each is held against the other."""

from __future__ import annotations

from tests.e2e.boutique.manifests import manifests
from tests.e2e.boutique.player import Call
from tests.e2e.boutique.workloads import Door, Workload
from tests.e2e.wide.edges import CALLED, OUTSIDE, OUTSIDE_NAME, WideEdge
from tests.e2e.wide.workloads import Places, elsewhere, ordering, other_names, storage

PLACES = Places("ordering", "storage", "elsewhere")
NAMESPACES = {
    "ordering": ordering(PLACES),
    "storage": storage(PLACES),
    "elsewhere": elsewhere(PLACES),
}
ALIASES = {item["metadata"]["name"]: item["spec"]["externalName"] for item in other_names(PLACES)}


def owner(workload: Workload, namespace: str) -> str:
    """Name a workload as the expected edges do."""
    return f"{namespace}/{workload.kind}/{workload.name}"


def door_of(host: str, port: int, home: str) -> tuple[str, Workload, Door]:
    """Find the Service that a host names, alone or with its namespace, or by one of its pods."""
    labels = host.removesuffix(".cluster.local").removesuffix(".svc").split(".")
    namespace = labels.pop() if labels[-1] in NAMESPACES else home
    (found,) = (
        (namespace, workload, door)
        for workload in NAMESPACES[namespace]
        for door in workload.doors
        if (door.name, door.port) == (labels[-1], port)
    )
    return found


def edge_of(call: Call, workload: Workload, namespace: str) -> WideEdge:
    """Follow one call through its Service to the workload that listens there."""
    client, host = owner(workload, namespace), ALIASES.get(call.host, call.host)
    if host == OUTSIDE_NAME:
        return WideEdge(client, f"External/{OUTSIDE}", call.port)
    if host == "kubernetes.default.svc":
        return WideEdge(client, "APIServer", 6443)
    where, server, door = door_of(host, call.port, namespace)
    udp = call.protocol == "udp"
    assert door.protocol == ("UDP" if udp else "TCP")
    assert any(listen.port == door.target and (listen.protocol == "udp") == udp for listen in server.listens)
    assert isinstance(door.target, int)
    outcome = "answered" if udp else "established"
    return WideEdge(client, owner(server, where), door.target, door.protocol, outcome)


def test_running_the_workloads_makes_exactly_the_expected_edges() -> None:
    made = {
        edge_of(call, workload, namespace)
        for namespace, workloads in NAMESPACES.items()
        for workload in workloads
        for call in workload.calls
        # who uses a node's network is the node, of which the list speaks apart
        if not workload.host_network
    }
    assert made == CALLED


def test_every_kind_of_workload_is_described_as_kubernetes_wants_it() -> None:
    described = {
        (item["kind"], item["metadata"]["name"]): item
        for namespace, workloads in NAMESPACES.items()
        for item in manifests(namespace, workloads)
    }
    assert described["StatefulSet", "db"]["spec"]["serviceName"] == "db"
    assert described["Service", "db"]["spec"]["clusterIP"] == "None"
    assert described["Service", "web-public"]["spec"]["type"] == "NodePort"
    assert "replicas" not in described["DaemonSet", "agent"]["spec"]
    assert described["Deployment", "hostagent"]["spec"]["template"]["spec"]["hostNetwork"] is True
    job = described["CronJob", "report"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert job["restartPolicy"] == "Never"
