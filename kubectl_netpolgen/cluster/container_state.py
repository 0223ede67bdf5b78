"""What the kubelet says of our container in a pod (pod.status.ephemeralContainerStatuses)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubectl_netpolgen.cluster.agent import AgentStatus, parse_status


class ContainerPhase(str, Enum):
    """How far the kubelet is with the container."""

    ABSENT = "absent"
    """No status yet: the pod is not scheduled, or the kubelet has not looked."""
    WAITING = "waiting"
    STUCK = "stuck"
    """Waiting for a reason that time alone seldom mends."""
    HOPELESS = "hopeless"
    """Waiting for a reason that time never mends."""
    RUNNING = "running"
    TERMINATED = "terminated"


@dataclass(frozen=True)
class ContainerReport:
    """Phase and the kubelet's own words."""

    phase: ContainerPhase
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    agent: AgentStatus | None = None
    """The last status that the agent left as termination message."""

    @property
    def words(self) -> str:
        """Reason and message as one line for a person."""
        if self.agent is not None and self.agent.words:
            return self.agent.words
        return ": ".join(part for part in (self.reason, self.message) if part)


# Reasons of k8s.io/kubernetes pkg/kubelet/images/types.go and pkg/kubelet/container/sync_result.go.
_HOPELESS = frozenset({"ErrImageNeverPull", "InvalidImageName"})
_STUCK = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "CrashLoopBackOff",
    }
)


def container_report(pod: Mapping[str, Any], container: str) -> ContainerReport:
    """Read the state of one ephemeral container from a pod."""
    statuses = _mapping(pod.get("status")).get("ephemeralContainerStatuses")
    entries = statuses if isinstance(statuses, list) else []
    entry = next((item for item in entries if _mapping(item).get("name") == container), None)
    state = _mapping(_mapping(entry).get("state"))
    if "running" in state:
        return ContainerReport(ContainerPhase.RUNNING)
    if "terminated" in state:
        ended = _mapping(state["terminated"])
        message = _text(ended.get("message"))
        code = ended.get("exitCode")
        return ContainerReport(
            ContainerPhase.TERMINATED,
            reason=_text(ended.get("reason")),
            message=message,
            exit_code=code if isinstance(code, int) else 0,
            agent=parse_status(message.encode()),
        )
    if "waiting" in state:
        waiting = _mapping(state["waiting"])
        reason = _text(waiting.get("reason"))
        phase = ContainerPhase.WAITING
        if reason in _HOPELESS:
            phase = ContainerPhase.HOPELESS
        elif reason in _STUCK:
            phase = ContainerPhase.STUCK
        return ContainerReport(phase, reason=reason, message=_text(waiting.get("message")))
    return ContainerReport(ContainerPhase.ABSENT)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value[:4096] if isinstance(value, str) else ""
