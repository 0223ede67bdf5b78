"""Pods of the tool image, made and looked into through kubectl."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

from tests.harness import layout
from tests.harness.kubectl import Kubectl

Manifest = dict[str, Any]
NODES = ("node1", "node2")
WEB_PORT = 8080
CURL_TIMED_OUT = 28


def pod(name: str, *command: str, node: str | None = None, **container: Any) -> Manifest:
    """A pod of the toolbox that runs one command, on a certain node if given."""
    main = {
        "name": "main",
        "image": layout.TOOLBOX_IMAGE,
        "imagePullPolicy": "Never",
        "command": list(command or ("sleep", "infinity")),
        **container,
    }
    spec: Manifest = {"containers": [main], "terminationGracePeriodSeconds": 0}
    if node is not None:
        spec["nodeName"] = node
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def web_pod(name: str, node: str | None = None) -> Manifest:
    """A web server whose readiness the kubelet asks over HTTP every second."""
    probe = {"httpGet": {"path": "/", "port": WEB_PORT}, "periodSeconds": 1, "failureThreshold": 2}
    # `::` takes both families.
    command = ("python3", "-m", "http.server", "--bind", "::", "--directory", "/srv", str(WEB_PORT))
    return pod(name, *command, node=node, readinessProbe=probe)


def create(kubectl: Kubectl, namespace: str, *manifests: Manifest) -> None:
    """Create objects in a namespace."""
    kubectl.apply(*({**one, "metadata": {**one["metadata"], "namespace": namespace}} for one in manifests))


def ready(kubectl: Kubectl, namespace: str, *names: str) -> None:
    """Wait until these pods are ready."""
    pods = (f"pod/{name}" for name in names)
    kubectl.wait("-n", namespace, *pods, "--for=condition=Ready")


def curl(kubectl: Kubectl, namespace: str, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask for a page from inside a pod."""
    return kubectl.exec(namespace, name, "curl", "-sS", "--max-time", "3", *arguments, check=False)


def addresses(kubectl: Kubectl, namespace: str, name: str) -> list[str]:
    """A pod's addresses as they stand in a URL, IPv4 first."""
    status = kubectl.json("-n", namespace, "get", "pod", name)["status"]
    found = [one["ip"] for one in status["podIPs"]]
    return [f"[{address}]" if ":" in address else address for address in found]


def answers(kubectl: Kubectl, namespace: str, name: str, url: str) -> bool:
    """Whether a page is there."""
    return curl(kubectl, namespace, name, url).returncode == 0


def times_out(kubectl: Kubectl, namespace: str, name: str, url: str) -> bool:
    """Whether nobody answers, not even with a refusal."""
    return curl(kubectl, namespace, name, url).returncode == CURL_TIMED_OUT


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether something becomes true in time; policies take seconds to reach every node."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
