"""Agents of earlier runs that still run in pods, and how to end them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_netpolgen.cluster.agent import PullMode, pull_command
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.exec import ExecFailed, execute

# `npg-`, the run's eight digits, and the rung's number from the second on (attach.py names them); what
# follows the prefix is also the name of the agent's directory.
_AGENT = re.compile(r"npg-([0-9a-f]{8}(?:-\d+)?)")


@dataclass(frozen=True, order=True)
class Leftover:
    """One agent's entry in a pod."""

    namespace: str
    pod: str
    container: str
    run: str
    running: bool
    since: str
    """RFC 3339, as the kubelet wrote it; empty when it never started."""


def find_leftovers(api: Api, namespaces: Iterable[str], *, selector: str = "") -> tuple[Leftover, ...]:
    """Every entry of ours in the pods of some namespaces, ended ones included; raises ApiError."""
    found: list[Leftover] = []
    query = {"labelSelector": selector} if selector else None
    for namespace in namespaces:
        pods, _ = api.list(f"/api/v1/namespaces/{namespace}/pods", query)
        for pod in pods:
            found.extend(leftovers_of(pod))
    return tuple(sorted(found))


def leftovers_of(pod: Mapping[str, Any]) -> list[Leftover]:
    """The entries of ours in one pod, by its API object."""
    metadata, spec, status = pod.get("metadata") or {}, pod.get("spec") or {}, pod.get("status") or {}
    states = {
        item.get("name"): item.get("state") or {} for item in status.get("ephemeralContainerStatuses") or ()
    }
    found = []
    for container in spec.get("ephemeralContainers") or ():
        match = _AGENT.fullmatch(str(container.get("name", "")))
        if match is None:
            continue
        state = states.get(container["name"], {})
        started = (state.get("running") or state.get("terminated") or {}).get("startedAt") or ""
        found.append(
            Leftover(
                namespace=str(metadata.get("namespace", "")),
                pod=str(metadata.get("name", "")),
                container=str(container["name"]),
                run=match[1],
                running="running" in state,
                since=str(started),
            )
        )
    return found


def end_leftover(api: Api, leftover: Leftover) -> bool:
    """Tell an agent to stop, delete its files and exit; False when it had already gone.

    Raises ApiError or ConnectionLost when nobody answers; the agent then ends by its own lease.
    """
    try:
        for mode in (PullMode.HALT, PullMode.RELEASE):
            execute(
                api,
                leftover.namespace,
                leftover.pod,
                container=leftover.container,
                command=pull_command(mode, leftover.run),
                deadline=20.0,
            )
    except ExecFailed:
        # pull.sh finds no directory of that run: the agent has deleted it and is on its way out
        return False
    return True
