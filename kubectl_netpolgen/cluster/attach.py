"""Putting the agent into a pod: the container's shape on each rung, dry-run, patch, and why it is refused.

`PATCH pods/NAME/ephemeralcontainers` with a strategic merge keeps the entries that are there and adds ours
(Kubernetes API, EphemeralContainers); an entry can never be changed or removed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

from kubectl_netpolgen.cluster.agent import AgentLimits, agent_environment, script
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.status import ApiError, Unreachable
from kubectl_netpolgen.model.bundle import Rung
from kubectl_netpolgen.model.errors import ClusterError

DEFAULT_IMAGE = "docker.io/nicolaka/netshoot:v0.13"
FIELD_MANAGER = "netpolgen"
CONTAINER_PREFIX = "npg-"
PATCH_SECONDS = 15.0

LADDER = (Rung.STRICT, Rung.BASELINE)

# The runtime's default set (containerd pkg/oci/spec.go, moby) without NET_RAW, SETUID and SETGID: PodSecurity
# "baseline" forbids adding NET_RAW but not keeping it.
_DROPPED_ON_BASELINE = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETPCAP",
    "SYS_CHROOT",
)


@dataclass(frozen=True)
class AgentContainer:
    """The ephemeral container that a run puts into pods."""

    run: str
    """Eight hexadecimal digits, the same for all pods of a run."""
    image: str
    limits: AgentLimits
    seconds: int
    """After these the agent stops by itself, whatever becomes of the client."""

    def suffix(self, rung: Rung) -> str:
        """Names the agent's directory; each rung has its own, since entries cannot be replaced."""
        return self.run if rung is LADDER[0] else f"{self.run}-{LADDER.index(rung) + 1}"

    def name(self, rung: Rung) -> str:
        """The container's name on a rung."""
        return CONTAINER_PREFIX + self.suffix(rung)

    def body(self, rung: Rung) -> dict[str, Any]:
        """The patch. No targetContainerName: the network is the pod's, and more access is not needed."""
        environment = agent_environment(self.suffix(rung), self.limits, seconds=self.seconds)
        return {
            "spec": {
                "ephemeralContainers": [
                    {
                        "name": self.name(rung),
                        "image": self.image,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["sh", "-c", script("agent.sh")],
                        "env": [{"name": name, "value": value} for name, value in environment.items()],
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "securityContext": security_context(rung, self.image),
                    }
                ]
            }
        }


def security_context(rung: Rung, image: str) -> dict[str, Any]:
    """The least that lets tcpdump run on a rung.

    The user is explicit because the pod's own `runAsNonRoot` would otherwise win. Images other than the
    default may hold a tcpdump that sets its user even with `-Z root`, for which it needs SETUID and SETGID.
    """
    capabilities: dict[str, list[str]]
    if rung is Rung.STRICT:
        added = ["NET_RAW"] if image == DEFAULT_IMAGE else ["NET_RAW", "SETUID", "SETGID"]
        capabilities = {"drop": ["ALL"], "add": added}
    else:
        capabilities = {"drop": list(_DROPPED_ON_BASELINE)}
    return {
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "capabilities": capabilities,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def attach(api: Api, namespace: str, pod: str, *, container: AgentContainer, rung: Rung) -> dict[str, Any]:
    """Add the agent to a pod and return the pod; ClusterError as the server refuses."""
    return _patch(api, namespace, pod, body=container.body(rung), query={})


def admit(api: Api, namespace: str, pod: str, *, container: AgentContainer, rung: Rung) -> None:
    """Ask the server what it would say to the same patch, changing nothing; ClusterError as it refuses.

    `dryRun=All` runs PodSecurity, quota and webhooks without side effects: the only truthful preflight.
    """
    _patch(api, namespace, pod, body=container.body(rung), query={"dryRun": "All"})


def _patch(
    api: Api, namespace: str, pod: str, *, body: Mapping[str, Any], query: Mapping[str, str]
) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/ephemeralcontainers"
    return api.patch(path, body, {"fieldManager": FIELD_MANAGER, **query}, timeout=PATCH_SECONDS)


class Refusal(str, Enum):
    """What a refused patch means for what to do next."""

    NEXT_RUNG = "next-rung"
    """Admission (PodSecurity, SCC, a webhook) refused this much privilege; less may pass."""
    RIGHTS = "rights"
    """RBAC: no pod of this namespace will take it from this user."""
    VANISHED = "vanished"
    UNSUPPORTED = "unsupported"
    """The server has no ephemeral containers (before 1.23)."""
    INVALID = "invalid"
    """This pod takes none, such as a static pod."""
    TRANSIENT = "transient"
    """Worth another try."""
    EXISTS = "exists"
    """The entry is there already: an earlier try got through although its answer was lost."""
    UNDECIDED = "undecided"
    """A dry-run that could not be held, since a webhook declares side effects: only the patch can tell."""


_ADMISSION = (
    "violates podsecurity",
    "unable to validate against any security context constraint",
    "denied the request",
    "forbidden by security policy",
)


def classify_refusal(error: ClusterError) -> Refusal:
    """Tell by status and text why a patch was refused (apiserver messages, 1.25 to 1.34)."""
    if isinstance(error, Unreachable):
        return Refusal.TRANSIENT
    if not isinstance(error, ApiError):
        return Refusal.INVALID
    text = error.message.lower()
    if "does not support dry run" in text or ("dryrun" in text and "side effects" in text):
        return Refusal.UNDECIDED
    if any(mark in text for mark in _ADMISSION):
        return Refusal.NEXT_RUNG
    if error.code in (401, 403):
        # Quota speaks with 403 too, in its own words; less privilege does not help there either.
        return Refusal.INVALID if "exceeded quota" in text else Refusal.RIGHTS
    if error.code == 404:
        # An absent subresource names no object (kubectl debug, debug.go).
        return Refusal.VANISHED if error.details.get("name") else Refusal.UNSUPPORTED
    if error.code == 422 and ("may not be changed" in text or "duplicate value" in text):
        return Refusal.EXISTS
    if error.code in (409, 429) or error.code >= 500:
        return Refusal.TRANSIENT
    return Refusal.INVALID


_VIRTUAL_NODES = {"type": "virtual-kubelet"}


def skip_reason(pod: Mapping[str, Any], node: Mapping[str, Any] | None = None) -> str:
    """Why a pod cannot or need not be captured; empty when it can. The node's labels are optional."""
    metadata = _mapping(pod.get("metadata"))
    spec = _mapping(pod.get("spec"))
    status = _mapping(pod.get("status"))
    if metadata.get("deletionTimestamp"):
        return "it is being deleted"
    if status.get("phase") in ("Succeeded", "Failed"):
        return f"it has ended ({status.get('phase')})"
    if "kubernetes.io/config.mirror" in _mapping(metadata.get("annotations")):
        return "it is a static pod, which takes no ephemeral container"
    if spec.get("hostNetwork"):
        return "it uses the node's network, to which NetworkPolicies do not apply"
    labels = _mapping(_mapping(_mapping(node).get("metadata")).get("labels"))
    systems = {
        _mapping(spec.get("os")).get("name"),
        _mapping(spec.get("nodeSelector")).get("kubernetes.io/os"),
        labels.get("kubernetes.io/os"),
    }
    if "windows" in systems:
        return "it runs on Windows, where tcpdump cannot"
    virtual = any(labels.get(key) == value for key, value in _VIRTUAL_NODES.items())
    if virtual or str(spec.get("nodeName") or "").startswith("virtual-node-"):
        return "it runs on a virtual node, which starts no ephemeral container"
    return ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
