"""What a path of the Kubernetes API asks for."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = {
    "pods": "Pod",
    "services": "Service",
    "namespaces": "Namespace",
    "nodes": "Node",
    "events": "Event",
    "endpointslices": "EndpointSlice",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "networkpolicies": "NetworkPolicy",
    "ingresses": "Ingress",
    "configmaps": "ConfigMap",
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "rollouts": "Rollout",
}

CLUSTER_SCOPED = frozenset({"namespaces", "nodes", "selfsubjectaccessreviews"})


@dataclass(frozen=True)
class Target:
    """A parsed path; empty strings where it names no such thing."""

    group: str
    version: str
    namespace: str
    resource: str
    name: str = ""
    subresource: str = ""

    @property
    def api_version(self) -> str:
        """As it stands in objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def kind(self) -> str:
        """The kind of the resource."""
        return KINDS.get(self.resource, self.resource.capitalize())

    @property
    def permission(self) -> str:
        """Resource and subresource as RBAC rules write them."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def parse_path(path: str) -> Target | None:
    """Read a path under /api or /apis; None for any other."""
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 2 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 3 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return None
    name = rest[1] if len(rest) > 1 else ""
    if rest[0] == "namespaces" and not namespace:
        namespace = name
    return Target(group, version, namespace, rest[0], name, "/".join(rest[2:]))
