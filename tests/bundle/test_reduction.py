"""What people send each other holds nothing of their secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.bundle.reduction import reduce_object
from kubectl_netpolgen.semantics.objects import parse_object

CANARY = "c4n4ry"
SPOILED: dict[str, Any] = {
    "name": "web",
    "image": CANARY,
    "command": [CANARY],
    "args": [CANARY],
    "env": [{"name": "PASSWORD", "value": CANARY}],
    "envFrom": [{"secretRef": {"name": CANARY}}],
    "volumeMounts": [{"mountPath": CANARY}],
    "workingDir": CANARY,
    "lifecycle": {"postStart": {"exec": {"command": [CANARY]}}},
    "novelty": CANARY,
    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP", "hostIP": CANARY}],
    "readinessProbe": {
        "httpGet": {"port": "http", "path": CANARY, "httpHeaders": [{"name": "a", "value": CANARY}]},
        "periodSeconds": 3,
    },
    "livenessProbe": {"exec": {"command": [CANARY]}},
    "startupProbe": {"grpc": {"port": 9000, "service": CANARY}},
}
METADATA: dict[str, Any] = {
    "name": "web-1",
    "namespace": "shop",
    "uid": "u1",
    "labels": {"app": "web"},
    "creationTimestamp": "2026-01-03T12:00:00Z",
    "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": CANARY,
        "vault/token": CANARY,
        "kubernetes.io/config.mirror": "abc",
    },
    "managedFields": [{"manager": CANARY}],
    "ownerReferences": [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web-5d",
            "uid": "o",
            "controller": True,
            "x": CANARY,
        }
    ],
    "generateName": CANARY,
}
POD_SPEC: dict[str, Any] = {
    "nodeName": "node-1",
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": [CANARY]},
    "containers": [SPOILED],
    "initContainers": [{**SPOILED, "restartPolicy": "Always"}],
    "ephemeralContainers": [SPOILED],
    "volumes": [{"secret": {"secretName": CANARY}}],
    "serviceAccountName": CANARY,
    "imagePullSecrets": [{"name": CANARY}],
    "hostAliases": [{"hostnames": [CANARY]}],
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": METADATA,
    "spec": POD_SPEC,
    "status": {
        "phase": "Running",
        "podIP": "10.244.1.5",
        "message": CANARY,
        "containerStatuses": [{"image": CANARY}],
    },
}
TEMPLATE = {"metadata": {"labels": {"app": "web"}, "annotations": {"x": CANARY}}, "spec": POD_SPEC}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": METADATA,
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": TEMPLATE,
        "strategy": CANARY,
    },
    "status": {"conditions": [CANARY]},
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": METADATA,
    "spec": {
        "clusterIP": "10.96.0.10",
        "selector": {"app": "web"},
        "ports": [{"port": 80}],
        "novelty": CANARY,
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.80", "x": CANARY}]}},
}
SLICE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {**METADATA, "labels": {"kubernetes.io/service-name": "web"}},
    "addressType": "IPv4",
    "endpoints": [
        {
            "addresses": ["10.244.1.5"],
            "targetRef": {"kind": "Pod", "uid": "u1", "x": CANARY},
            "deprecatedTopology": {"x": CANARY},
        }
    ],
    "ports": [{"port": 8080}],
}
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": METADATA,
    "spec": {"podCIDR": "10.244.1.0/24", "podCIDRs": ["10.244.1.0/24"], "providerID": CANARY},
    "status": {"addresses": [{"type": "InternalIP", "address": "172.18.0.2"}], "nodeInfo": {"x": CANARY}},
}
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": METADATA,
    "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
}
CRON_JOB = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": METADATA,
    "spec": {
        "schedule": "@daily",
        "jobTemplate": {"metadata": {"x": CANARY}, "spec": {"template": TEMPLATE}},
    },
}
CUSTOM = {
    "apiVersion": "example.test/v1",
    "kind": "Database",
    "metadata": METADATA,
    "spec": {"template": CANARY, "selector": {"secretRef": {"name": CANARY}}, "password": CANARY},
}
ALL = [POD, DEPLOYMENT, SERVICE, SLICE, NODE, POLICY, CRON_JOB, CUSTOM]


@pytest.mark.parametrize("item", ALL, ids=lambda item: item["kind"])
def test_nothing_that_could_be_a_secret_is_kept(item: dict[str, Any]) -> None:
    reduced = reduce_object(item)
    assert reduced is not None
    assert CANARY not in json.dumps(reduced)


@pytest.mark.parametrize("item", ALL[:-1], ids=lambda item: item["kind"])
def test_everything_that_the_analysis_reads_is_kept(item: dict[str, Any]) -> None:
    reduced = reduce_object(item)
    assert reduced is not None
    whole = parse_object(item)
    assert parse_object(reduced) == whole or item is POLICY


@pytest.mark.parametrize("item", ALL, ids=lambda item: item["kind"])
def test_reducing_twice_changes_nothing(item: dict[str, Any]) -> None:
    once = reduce_object(item)
    assert once is not None
    assert reduce_object(once) == once


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap", "ServiceAccount", ""])
def test_kinds_that_hold_secrets_never_enter(kind: str) -> None:
    assert reduce_object({"kind": kind, "metadata": {"name": "x"}, "data": {"a": CANARY}}) is None


def test_probe_keeps_its_port_and_how_often_it_comes() -> None:
    reduced = reduce_object(POD)
    assert reduced is not None
    (container,) = reduced["spec"]["containers"]
    assert container["readinessProbe"] == {"httpGet": {"port": "http"}, "periodSeconds": 3}
    assert container["startupProbe"] == {"grpc": {"port": 9000}}
    assert "livenessProbe" not in container


def test_mark_of_a_static_pod_is_the_annotation_that_stays() -> None:
    reduced = reduce_object(POD)
    assert reduced is not None
    assert reduced["metadata"]["annotations"] == {"kubernetes.io/config.mirror": "abc"}


@pytest.mark.parametrize(
    "spec",
    [
        *(None, [], "template", ["template"], {"template": []}, {"jobTemplate": "x"}),
        *({"jobTemplate": {"spec": 5}}, {"template": {"spec": "x"}}, {"template": {"metadata": ["x"]}}),
        {"selector": ["x"]},
    ],
)
def test_custom_resources_may_use_known_names_for_other_things(spec: Any) -> None:
    reduced = reduce_object(
        {"apiVersion": "example.test/v1", "kind": "Other", "metadata": METADATA, "spec": spec}
    )
    assert reduced is not None
    assert reduced["kind"] == "Other"


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_annotations_of_any_name_stay_outside(annotations: dict[str, Any]) -> None:
    annotations.pop("kubernetes.io/config.mirror", None)
    annotations.pop("deployment.kubernetes.io/revision", None)
    reduced = reduce_object({"kind": "Pod", "metadata": {"name": "x", "annotations": annotations}})
    assert reduced is not None
    assert "annotations" not in reduced["metadata"]


def test_webhooks_keep_their_services_and_nothing_of_their_certificates() -> None:
    service = {"namespace": "shop", "name": "hook", "port": 443}
    hook = {
        "name": "a.b",
        "clientConfig": {"caBundle": "c2VjcmV0", "service": {**service, "path": "/x?token=1"}},
    }
    document = {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "x"},
        "webhooks": [hook, {"clientConfig": {"url": "https://user:pass@hooks.test"}}, "odd"],
    }
    reduced = reduce_object(document)
    assert reduced is not None
    assert reduced["webhooks"] == [{"clientConfig": {"service": service}}]


def test_api_services_keep_their_service() -> None:
    service = {"namespace": "kube-system", "name": "metrics-server", "port": 443}
    spec = {"service": service, "caBundle": "c2VjcmV0", "group": "metrics.k8s.io"}
    reduced = reduce_object({"kind": "APIService", "metadata": {"name": "x"}, "spec": spec})
    assert reduced is not None and reduced["spec"] == {"service": service}
    own = reduce_object({"kind": "APIService", "metadata": {"name": "x"}, "spec": {}})
    assert own is not None and "spec" not in own


def test_policies_of_other_tiers_keep_their_names() -> None:
    document = {"kind": "AdminNetworkPolicy", "metadata": {"name": "x"}, "spec": {"priority": 1}}
    reduced = reduce_object(document)
    assert reduced is not None and "spec" not in reduced and reduced["metadata"] == {"name": "x"}
