"""What runs inside the cluster from the start - DNS and policy enforcement - and waiting until it works."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.harness import layout
from tests.harness.errors import HarnessError
from tests.harness.kubectl import Kubectl, KubectlError
from tests.harness.layout import Node
from tests.harness.processes import inside, run

MANIFEST = Path(__file__).with_name("addons.yaml")
_PATIENCE = 90.0


def apply(kubectl: Kubectl) -> None:
    """Create CoreDNS and kube-network-policies."""
    kubectl.run("apply", "-f", str(MANIFEST))


def queue_is_served(table: str, queue: int = layout.POLICY_QUEUE) -> bool:
    """Whether a daemon listens to the queue, by /proc/net/netfilter/nfnetlink_queue."""
    return any(line.split()[0] == str(queue) for line in table.splitlines() if line.strip())


def assign_pod_ranges(kubectl: Kubectl, nodes: Sequence[Node]) -> None:
    """Tell Kubernetes the ranges that the CNI configuration uses, as an allocator would."""
    for node in nodes:
        _until(f"{node.name} registered", partial(_exists, kubectl, "node", node.name))
        ranges = {"podCIDR": node.pod_range, "podCIDRs": [node.pod_range, node.pod_range_v6]}
        kubectl.run("patch", "node", node.name, "-p", json.dumps({"spec": ranges}))


def wait_until_usable(kubectl: Kubectl, nodes: Sequence[Node]) -> None:
    """Wait for nodes, DNS, enforcement and the default service account.

    The policy queue fails open: a test of denial before every node's daemon listens would pass
    traffic, so the queue itself is looked at and not only the daemon's container.
    """
    kubectl.wait("node", "--all", "--for=condition=Ready", timeout=_PATIENCE)
    for workload in ("daemonset/kube-network-policies", "deployment/coredns"):
        kubectl.run("-n", "kube-system", "rollout", "status", workload, timeout=_PATIENCE)
    for node in nodes:
        _until(f"policies enforced on {node.name}", partial(_enforces, node))
    _until("default service account", lambda: _exists(kubectl, "-n", "default", "serviceaccount", "default"))


def _enforces(node: Node) -> bool:
    table = run(*inside(node.network_namespace, "cat", "/proc/net/netfilter/nfnetlink_queue"))
    return queue_is_served(table.stdout)


def _exists(kubectl: Kubectl, *what: str) -> bool:
    try:
        kubectl.run("get", *what)
    except KubectlError:
        return False
    return True


def _until(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise HarnessError(f"waited {_PATIENCE:.0f} s in vain: {what}")
        time.sleep(0.2)
