"""Documents of the API server to values; whatever else a file holds is a ValueError or nothing."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import (
    ContainerPort,
    ControlPlaneCalls,
    EndpointSlice,
    Namespace,
    Node,
    ObjectKey,
    OwnerReference,
    Pod,
    Service,
    ServicePort,
    SliceEndpoint,
    Workload,
)
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.objects import parse_object

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "uid": "u1",
        "labels": {"app": "web"},
        "creationTimestamp": "1970-01-01T00:00:10Z",
        "annotations": {"kubernetes.io/config.mirror": "x"},
        "ownerReferences": [
            {"kind": "Custom", "name": "c", "uid": "oc"},
            {"kind": "ReplicaSet", "name": "web-5d", "uid": "o1", "controller": True},
        ],
    },
    "spec": {
        "nodeName": "node-1",
        "os": {"name": "linux"},
        "dnsPolicy": "None",
        "initContainers": [
            {"name": "migrate", "ports": [{"containerPort": 1}]},
            {"name": "mesh", "restartPolicy": "Always", "ports": [{"containerPort": 15090}]},
        ],
        "containers": [
            {
                "name": "web",
                "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}],
                "readinessProbe": {"httpGet": {"port": "http", "path": "/"}, "periodSeconds": 3},
                "livenessProbe": {"tcpSocket": {"port": 9000}},
                "startupProbe": {"exec": {"command": ["true"]}},
            },
            {
                "name": "side",
                "livenessProbe": {"grpc": {"port": 50051}},
                "readinessProbe": {"httpGet": {"port": "http"}},
            },
        ],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.244.1.5",
        "podIPs": [{"ip": "10.244.1.5"}, {"ip": "FD00::5"}],
        "hostIP": "172.18.0.2",
        "hostIPs": [{"ip": "172.18.0.2"}, {"ip": "fc00::2"}],
    },
}


def pod(**changes: Any) -> Pod:
    """The pod with some top-level fields replaced."""
    found = parse_object({**POD, **changes})
    assert isinstance(found, Pod)
    return found


def test_pod_is_read_with_everything_that_traffic_needs() -> None:
    assert pod() == Pod(
        uid="u1",
        namespace="shop",
        name="web-1",
        labels={"app": "web"},
        addresses=("10.244.1.5", "fd00::5"),  # type: ignore[arg-type]
        host_addresses=("172.18.0.2", "fc00::2"),  # type: ignore[arg-type]
        node="node-1",
        owner=OwnerReference("ReplicaSet", "web-5d", "o1"),
        ports=(
            ContainerPort("http", 8080, Protocol.TCP),
            ContainerPort("", 53, Protocol.UDP),
            ContainerPort("", 15090, Protocol.TCP),
        ),
        probe_ports=frozenset({8080, 9000, 50051}),
        probe_periods=((9000, 0), (8080, 3), (50051, 0)),
        init_containers=("migrate",),
        created=10_000_000_000,
        mirror=True,
        operating_system="linux",
        dns_policy="None",
    )


def test_probe_by_name_is_looked_up_in_its_own_container() -> None:
    other = {"name": "other", "ports": [{"containerPort": 7000, "name": "admin"}]}
    probed = {"name": "web", "readinessProbe": {"httpGet": {"port": "admin"}}}
    assert pod(spec={"containers": [other, probed]}).probe_ports == frozenset()


def test_pod_that_has_not_started_is_nearly_empty() -> None:
    bare = pod(spec={}, status={}, metadata={"name": "web-1"})
    assert (bare.namespace, bare.addresses, bare.phase, bare.owner, bare.created) == (
        "default",
        (),
        "Unknown",
        None,
        0,
    )


def test_owner_that_does_not_control_is_no_owner() -> None:
    assert (
        pod(metadata={"name": "x", "ownerReferences": [{"kind": "A", "name": "a", "uid": "u"}]}).owner is None
    )


def test_service_is_read_with_every_address_it_can_be_dialled_at() -> None:
    found = parse_object(
        {
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "type": "LoadBalancer",
                "clusterIP": "10.96.0.10",
                "clusterIPs": ["10.96.0.10", "fd00:96::a"],
                "externalIPs": ["198.51.100.7"],
                "selector": {"app": "web"},
                "ports": [
                    {"name": "http", "port": 80, "targetPort": "http", "nodePort": 30080},
                    {"port": 53, "protocol": "UDP"},
                ],
            },
            "status": {
                "loadBalancer": {"ingress": [{"ip": "203.0.113.80"}, {"hostname": "lb.example.test"}]}
            },
        }
    )
    assert found == Service(
        namespace="shop",
        name="web",
        type="LoadBalancer",
        addresses=("10.96.0.10", "fd00:96::a", "198.51.100.7", "203.0.113.80"),  # type: ignore[arg-type]
        selector={"app": "web"},
        ports=(
            ServicePort("http", Protocol.TCP, 80, "http", 30080),
            ServicePort("", Protocol.UDP, 53, 53),
        ),
    )


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "None"}, {"type": "ExternalName", "externalName": "db.example.test"}]
)
def test_headless_and_external_name_services_have_no_address(spec: dict[str, Any]) -> None:
    found = parse_object({"kind": "Service", "metadata": {"name": "web"}, "spec": spec})
    assert isinstance(found, Service)
    assert found.addresses == ()


def test_slice_is_read_with_the_pods_behind_it() -> None:
    found = parse_object(
        {
            "kind": "EndpointSlice",
            "metadata": {
                "name": "web-x",
                "namespace": "shop",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "endpoints": [
                {"addresses": ["10.244.1.5"], "targetRef": {"kind": "Pod", "uid": "u1"}},
                {"addresses": ["host.example.test"]},
            ],
            "ports": [
                {"name": "http", "port": 8080},
                {"name": "any", "port": None},
                {"port": 53, "protocol": "UDP"},
            ],
        }
    )
    assert found == EndpointSlice(
        "shop",
        "web-x",
        "web",
        (SliceEndpoint(("10.244.1.5",), "u1"), SliceEndpoint((), "")),  # type: ignore[arg-type]
        (("http", Protocol.TCP, 8080), ("", Protocol.UDP, 53)),
    )


def test_node_is_read_with_its_addresses_and_pod_ranges() -> None:
    addresses = [{"type": "InternalIP", "address": "172.18.0.2"}, {"type": "Hostname", "address": "node-1"}]
    found = parse_object(
        {
            "kind": "Node",
            "metadata": {"name": "node-1"},
            "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24", "not a range", "fd00:1::/64"]},
            "status": {"addresses": addresses},
        }
    )
    assert found == Node("node-1", ("172.18.0.2",), ("10.244.1.0/24", "fd00:1::/64"))  # type: ignore[arg-type]


def test_namespace_and_policy_are_read() -> None:
    assert parse_object(
        {"kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}}
    ) == Namespace("shop", {"team": "a"})
    assert isinstance(
        parse_object({"kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": {}}), NetworkPolicy
    )


@pytest.mark.parametrize(
    ("selector", "read"),
    [
        ({"matchLabels": {"app": "web"}}, {"app": "web"}),
        ({"app": "web"}, {"app": "web"}),
        (None, None),
        ({}, None),
        ("app=web", None),
        ({"nested": {"app": "web"}}, None),
    ],
)
def test_owner_selectors_come_in_two_shapes_and_others_are_none(
    selector: Any, read: dict[str, str] | None
) -> None:
    found = parse_object({"kind": "Anything", "metadata": {"name": "w"}, "spec": {"selector": selector}})
    assert isinstance(found, Workload)
    assert found.selector == (None if read is None else labels_selector(read))


def test_cron_job_has_the_labels_of_its_jobs_template() -> None:
    template = {"metadata": {"labels": {"app": "report"}}}
    found = parse_object(
        {
            "kind": "CronJob",
            "metadata": {"name": "report", "namespace": "shop", "uid": "u"},
            "spec": {"jobTemplate": {"spec": {"template": template}}},
        }
    )
    assert found == Workload("u", ObjectKey("CronJob", "shop", "report"), template_labels={"app": "report"})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"metadata": {"name": "x"}}, "kind: missing"),
        ({"kind": 5, "metadata": {"name": "x"}}, "kind: 5 is no text"),
        ({"kind": "Namespace", "metadata": {"name": ["shop"]}}, "metadata.name: a list is no text"),
        ({"kind": "Namespace", "metadata": {"name": ""}}, "metadata.name: empty"),
        ({**POD, "metadata": {"name": "x", "namespace": 5}}, "metadata.namespace: 5 is no text"),
        ({**POD, "metadata": {"name": "x", "labels": {"app": 1}}}, "metadata.labels.app: 1 is no text"),
        ({**POD, "spec": {"hostNetwork": "false"}}, "spec.hostNetwork: 'false' is neither true nor false"),
        ({**POD, "status": {"podIP": "10.0.0.999"}}, "'10.0.0.999' is no address"),
        ({**POD, "status": {"podIPs": [{"ip": 5}]}}, "status.podIPs[0].ip: 5 is no text"),
        ({**POD, "metadata": {"name": "n" * 5000}}, "metadata.name: 5000 characters are more than"),
        (
            {**POD, "spec": {"containers": [{"ports": [{"containerPort": 70000}]}]}},
            "spec.containers[0].ports[0].containerPort: 70000 is no number from 1 to 65535",
        ),
        (
            {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"template": 5}},
            "spec.template: 5 is no map",
        ),
        (
            {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"selector": {"a": {"b": "c"}}}},
            "spec.selector: is no selector of labels",
        ),
        (
            {"kind": "NetworkPolicy", "metadata": {"name": "p", "labels": {"a": []}}},
            "metadata.labels.a: a list is no text",
        ),
    ],
)
def test_field_of_another_type_is_refused_by_its_path_and_never_guessed(
    document: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_object(document)


def test_custom_resource_may_have_anything_under_the_names_of_known_fields() -> None:
    document = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {"name": "w", "uid": "u"},
        "spec": {"template": "a name", "selector": [1], "replicas": "many"},
    }
    assert parse_object(document) == Workload("u", ObjectKey("Job", "default", "w"))
    assert parse_object({**document, "spec": "text"}) == Workload("u", ObjectKey("Job", "default", "w"))


@pytest.mark.parametrize("kind", ["Lease", ""])
def test_kinds_that_say_nothing_about_traffic_are_passed_over(kind: Any) -> None:
    assert parse_object({"kind": kind, "metadata": {"name": "x"}}) is None


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "Pod"},
        {"kind": "Pod", "metadata": {}},
        {**POD, "metadata": {"name": "x", "creationTimestamp": "yesterday"}},
        {**POD, "metadata": {"name": "x", "labels": ["app"]}},
        {**POD, "spec": {"containers": [{"ports": [{"containerPort": "http"}]}]}},
        {**POD, "spec": {"containers": [{"ports": [{"containerPort": float("inf")}]}]}},
        {**POD, "spec": {"containers": [{"ports": [{"containerPort": 1, "protocol": "ICMP"}]}]}},
        {**POD, "spec": ["containers"]},
        {"kind": "Service", "metadata": {"name": "x"}, "spec": {"ports": [{}]}},
        {"kind": "EndpointSlice", "metadata": {"name": "x"}, "endpoints": ["10.0.0.1"]},
    ],
)
def test_document_that_is_not_what_its_kind_promises_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        parse_object(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("metadata", "spec", "status", "name", "labels", "ports", "containers", "selector", "template"),
        *("endpoints", "addresses", "podIPs", "clusterIPs", "ownerReferences", "initContainers"),
        *("readinessProbe", "ingress", "egress", "podSelector", "policyTypes", "podCIDRs"),
    ]
)


@given(
    st.sampled_from(["Pod", "Service", "EndpointSlice", "Node", "Namespace", "NetworkPolicy", "Deployment"]),
    st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON | st.lists(st.dictionaries(FIELDS, JSON)))),
)
def test_any_document_is_read_or_refused_in_one_way(kind: str, fields: dict[str, Any]) -> None:
    with contextlib.suppress(ValueError):
        parse_object({**fields, "kind": kind})


@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"])
def test_webhooks_name_the_services_that_the_api_server_calls(kind: str) -> None:
    hooks = [
        {"clientConfig": {"service": {"namespace": "shop", "name": "hook"}}},
        {"clientConfig": {"service": {"namespace": "shop", "name": "hook", "port": 8443}}},
        {"clientConfig": {"url": "https://hooks.example.test"}},
        {"clientConfig": {"service": {"namespace": "shop", "name": "hook"}}},
    ]
    found = parse_object({"kind": kind, "metadata": {"name": "x"}, "webhooks": hooks})
    assert found == ControlPlaneCalls(kind, "x", (("shop", "hook", 443), ("shop", "hook", 8443)))
    assert str(found.key) == f"{kind} x"


def test_api_service_of_somebody_else_is_called_too() -> None:
    spec = {"service": {"namespace": "kube-system", "name": "metrics-server", "port": 443}}
    found = parse_object({"kind": "APIService", "metadata": {"name": "v1.metrics"}, "spec": spec})
    assert found == ControlPlaneCalls("APIService", "v1.metrics", (("kube-system", "metrics-server", 443),))
    own = parse_object({"kind": "APIService", "metadata": {"name": "v1."}, "spec": {"service": None}})
    assert own == ControlPlaneCalls("APIService", "v1.")


@pytest.mark.parametrize("kind", ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"])
def test_policies_of_the_other_tiers_are_read(kind: str) -> None:
    spec = {"priority": 10, "tier": "Admin", "subject": {"namespaces": {}}}
    found = parse_object({"kind": kind, "metadata": {"name": "x"}, "spec": spec})
    assert isinstance(found, TierPolicy)
    assert (found.kind, found.name) == (kind, "x")
