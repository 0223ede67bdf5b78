"""Asks what the product left running in pods, and with which privileges it ran there."""

from __future__ import annotations

import time
from typing import Any

from tests.harness.kubectl import Kubectl


def agents(kubectl: Kubectl, namespace: str) -> list[dict[str, Any]]:
    """Return every ephemeral container's specification; the sample application has none of its own."""
    pods = kubectl.json("-n", namespace, "get", "pods")["items"]
    return [agent for pod in pods for agent in pod["spec"].get("ephemeralContainers", [])]


def running_agents(kubectl: Kubectl, namespace: str) -> list[str]:
    """Name the ephemeral containers that run at this moment; one whose image never came does not."""
    pods = kubectl.json("-n", namespace, "get", "pods")["items"]
    return [
        f"{pod['metadata']['name']}/{status['name']}"
        for pod in pods
        for status in pod["status"].get("ephemeralContainerStatuses", [])
        if "running" in status["state"]
    ]


def wait_until_none_runs(kubectl: Kubectl, namespace: str, timeout: float = 15.0) -> None:
    """Wait for the agents' own end: nobody can stop an ephemeral container from outside."""
    deadline = time.monotonic() + timeout
    while left := running_agents(kubectl, namespace):
        assert time.monotonic() < deadline, f"still running after {timeout} s: {left}"
        time.sleep(1)


def privileges(agent: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the capabilities that an agent drops and adds; whatever else is privileged fails at once."""
    context = agent.get("securityContext", {})
    assert not context.get("privileged") and not context.get("allowPrivilegeEscalation")
    capabilities = context.get("capabilities", {})
    return set(capabilities.get("drop", [])), set(capabilities.get("add", []))
