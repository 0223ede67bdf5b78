"""Turns workloads into the Kubernetes objects that run them: one ConfigMap, Services and controllers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.e2e.boutique.player import Listen
from tests.e2e.boutique.workloads import UNDECLARED_PORT, Door, Workload

Manifest = dict[str, Any]

# Another cluster than the harness has to be given the tool image, under whatever name it holds there.
TOOL_IMAGE = os.environ.get("NETPOLGEN_E2E_TOOL_IMAGE", "localhost/netpolgen/toolbox:dev")
PLAYER = Path(__file__).with_name("player.py")


def namespace_manifest(name: str, labels: dict[str, str] | None = None) -> Manifest:
    """Describe a namespace; the labels choose its PodSecurity level."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}


def manifests(namespace: str, workloads: Iterable[Workload]) -> list[Manifest]:
    """Describe everything that these workloads need, in an order in which it can be applied."""
    chosen = list(workloads)
    doors = [_service(namespace, workload.name, door) for workload in chosen for door in workload.doors]
    return [_program(namespace), *doors, *(_controller(namespace, workload) for workload in chosen)]


def role_of(workload: Workload) -> dict[str, Any]:
    """Return what the player in this workload's pod has to do, the undeclared port included."""
    listens = (*workload.listens, Listen(UNDECLARED_PORT))
    return {
        "listen": [asdict(listen) for listen in listens],
        "call": [asdict(call) for call in workload.calls],
        "rounds": workload.rounds,
    }


def _program(namespace: str) -> Manifest:
    """Carry the player's source into the cluster, so that the tool image needs no rebuild for it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "player", "namespace": namespace},
        "data": {PLAYER.name: PLAYER.read_text(encoding="utf-8")},
    }


def _service(namespace: str, workload: str, door: Door) -> Manifest:
    """Describe one Service of one port; only one family, as most Services in the world."""
    headless = {"clusterIP": "None"} if door.kind == "Headless" else {}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": door.name, "namespace": namespace, "labels": {"app": workload}},
        "spec": {
            "type": "ClusterIP" if headless else door.kind,
            **headless,
            "selector": {"app": workload},
            "ipFamilyPolicy": "SingleStack",
            "ipFamilies": [door.family],
            "ports": [{"port": door.port, "targetPort": door.target, "protocol": door.protocol}],
        },
    }


def _controller(namespace: str, workload: Workload) -> Manifest:
    """Describe what makes the workload's pods, which carry its name as their only label of their own."""
    labels = {"app": workload.name}
    template: Manifest = {"metadata": {"labels": labels}, "spec": _pod_spec(workload)}
    common = {"selector": {"matchLabels": labels}, "template": template}
    spec: dict[str, Manifest] = {
        "Deployment": {"replicas": workload.replicas, "strategy": {"type": workload.strategy}, **common},
        "StatefulSet": {
            "replicas": workload.replicas,
            "serviceName": workload.name,
            "podManagementPolicy": "Parallel",
            **common,
        },
        "DaemonSet": common,
        # Suspended: it runs when a test lets it, and at once if it has missed a minute by then.
        "CronJob": {
            "schedule": "* * * * *",
            "suspend": True,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": {"backoffLimit": 0, "activeDeadlineSeconds": 60, "template": template}},
        },
    }
    return {
        "apiVersion": "batch/v1" if workload.kind == "CronJob" else "apps/v1",
        "kind": workload.kind,
        "metadata": {"name": workload.name, "namespace": namespace, "labels": labels},
        "spec": spec[workload.kind],
    }


def _pod_spec(workload: Workload) -> Manifest:
    """Describe the pod: the player alone, with no rights in the cluster and almost no needs."""
    container: Manifest = {
        "name": "server",
        "image": TOOL_IMAGE,
        "imagePullPolicy": "IfNotPresent" if "NETPOLGEN_E2E_TOOL_IMAGE" in os.environ else "Never",
        "command": ["python3", f"/player/{PLAYER.name}"],
        "env": [
            {"name": "PLAYER", "value": json.dumps(role_of(workload))},
            {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"},
        ],
        "ports": _container_ports(workload),
        "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}},
        "volumeMounts": [{"name": "player", "mountPath": "/player", "readOnly": True}],
    }
    probe = _probe(workload)
    if probe:
        container["readinessProbe"] = probe
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        "volumes": [{"name": "player", "configMap": {"name": "player"}}],
    }
    if workload.secret:
        container["volumeMounts"].append({"name": "tls", "mountPath": "/tls", "readOnly": True})
        spec["volumes"].append({"name": "tls", "secret": {"secretName": workload.secret}})
    if workload.node:
        spec["nodeSelector"] = {"kubernetes.io/hostname": workload.node}
    if workload.host_network:
        spec |= {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    if workload.kind == "CronJob":
        spec["restartPolicy"] = "Never"
    return spec


def _container_ports(workload: Workload) -> list[Manifest]:
    """Declare the ports that the workload admits to, with their names where Services use them."""
    declared = []
    for listen in workload.listens:
        protocol = "UDP" if listen.protocol == "udp" else "TCP"
        port: Manifest = {"containerPort": listen.port, "protocol": protocol}
        if listen.port in workload.port_names:
            port["name"] = workload.port_names[listen.port]
        declared.append(port)
    return declared


def _probe(workload: Workload) -> Manifest | None:
    """Choose the readiness probe: HTTP and TCP ones are traffic that must never become a rule."""
    if workload.probe == "none":
        return None
    if workload.probe == "exec":
        # A process start each time: seldom, to leave the processor to the cluster.
        command = ["test", "-d", "/tmp/calls"]
        return {"exec": {"command": command}, "initialDelaySeconds": 1, "periodSeconds": 10}
    # UDP cannot be probed, so the first TCP port is the one to ask.
    port = next(listen.port for listen in workload.listens if listen.protocol != "udp")
    asked: Manifest = {"port": port}
    if workload.probe == "httpGet":
        asked["path"] = "/_healthz"
    return {workload.probe: asked, "periodSeconds": 3}
