"""The rights a capture needs: one table, from which the Role is printed and the review is made.

Rules are RBAC's (`rbac.authorization.k8s.io/v1` PolicyRule); the question is SelfSubjectAccessReview
(`authorization.k8s.io/v1`), which every user may ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.documents.yaml_text import dump_yaml
from kubectl_netpolgen.model.finding import Finding, Severity

ROLE = "netpolgen-capture"
CLUSTER_ROLE = "netpolgen-peers"

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_REVIEWERS = 16


@dataclass(frozen=True, order=True)
class Right:
    """Verbs on one resource, and what they are for."""

    group: str
    resource: str
    """With its subresource, as RBAC rules write it: `pods/exec`."""
    verbs: tuple[str, ...]
    purpose: str
    """Completes "needed to ..."."""
    essential: bool = False
    """Without it nothing can be captured; without another, less is known."""


_READ = ("list", "watch")
_WORKLOAD = "name the workload that a pod belongs to"
_PEER = "name peers in other namespaces"

CAPTURE_RIGHTS = (
    Right("", "pods", ("get", "list", "watch"), "find the pods and follow them", essential=True),
    Right("", "pods/ephemeralcontainers", ("patch",), "put the agent into a pod", essential=True),
    # A WebSocket upgrade is a GET; from 1.35 the server demands create as well (KEP-4006).
    Right("", "pods/exec", ("create", "get"), "start, collect and end captures", essential=True),
    Right("", "services", _READ, "tell a Service's address from a pod's"),
    Right("discovery.k8s.io", "endpointslices", _READ, "know which pods stand behind a Service"),
    Right("apps", "replicasets", _READ, _WORKLOAD),
    Right("apps", "deployments", _READ, _WORKLOAD),
    Right("apps", "statefulsets", _READ, _WORKLOAD),
    Right("apps", "daemonsets", _READ, _WORKLOAD),
    Right("batch", "jobs", _READ, _WORKLOAD),
    Right("batch", "cronjobs", _READ, _WORKLOAD),
    Right("networking.k8s.io", "networkpolicies", _READ, "take the policies into account that exist"),
    Right("networking.k8s.io", "ingresses", _READ, "know what is exposed to the outside"),
    # Granted in a namespace, this covers the Namespace object of that name alone.
    Right("", "namespaces", ("get",), "read the namespace's own labels"),
)
"""In every captured namespace."""

_DECLARED = "tell which connections are declared and were not seen"
DECLARED_RIGHTS = (
    *(
        Right("gateway.networking.k8s.io", resource, _READ, _DECLARED)
        for resource in ("httproutes", "grpcroutes", "tcproutes", "tlsroutes", "udproutes")
    ),
    *(
        Right("monitoring.coreos.com", resource, _READ, _DECLARED)
        for resource in ("servicemonitors", "podmonitors")
    ),
)
"""In every captured namespace, and nothing is said where they are missing: few clusters have all of these."""

CONFIGURATION_RIGHTS = (
    Right("", "configmaps", ("list",), "find the Services that ConfigMaps name (--read-config)"),
)
"""In every captured namespace, with --read-config alone."""

_ADMISSION = "admissionregistration.k8s.io"
METADATA_RIGHTS = (
    Right("", "namespaces", ("get", "list", "watch"), "select peers by their namespace's labels"),
    Right("", "nodes", _READ, "tell a node's address from a peer's"),
    Right("", "pods", _READ, _PEER),
    Right("", "services", _READ, _PEER),
    Right("discovery.k8s.io", "endpointslices", _READ, "recognise the API server"),
    Right("apps", "replicasets", _READ, _PEER),
    Right("apps", "deployments", _READ, _PEER),
    Right("apps", "statefulsets", _READ, _PEER),
    Right("apps", "daemonsets", _READ, _PEER),
    Right("networking.k8s.io", "networkpolicies", _READ, "take other namespaces' policies into account"),
    *(
        Right(_ADMISSION, resource, _READ, "recognise webhooks that the API server calls")
        for resource in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
    ),
    Right("apiregistration.k8s.io", "apiservices", _READ, "recognise aggregated APIs"),
    *(
        Right("policy.networking.k8s.io", resource, _READ, "tell of tiers that override policies")
        for resource in ("adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies")
    ),
    Right("networking.k8s.io", "ingressclasses", _READ, "know who serves Ingresses"),
    *(
        Right("monitoring.coreos.com", resource, _READ, "know who scrapes metrics")
        for resource in ("servicemonitors", "podmonitors")
    ),
)
"""Across the cluster, and optional: peers outside the namespaces become names instead of addresses."""


@dataclass(frozen=True, order=True)
class Missing:
    """One verb that the server would refuse."""

    namespace: str
    right: Right
    verb: str


def role_rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """RBAC rules for some rights, those with the same group and verbs in one."""
    rules: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for right in rights:
        rules.setdefault((right.group, right.verbs), []).append(right.resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
        for (group, verbs), resources in rules.items()
    ]


ROLE_RIGHTS = (*CAPTURE_RIGHTS, *DECLARED_RIGHTS)


def role(namespace: str, rights: Iterable[Right] = ROLE_RIGHTS) -> dict[str, Any]:
    """The Role that a capture of a namespace needs; an empty namespace leaves it to `kubectl apply -n`."""
    metadata = {"name": ROLE, "namespace": namespace} if namespace else {"name": ROLE}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": role_rules(rights),
    }


def cluster_role() -> dict[str, Any]:
    """The optional ClusterRole that only reads: with it, peers in other namespaces have names."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": CLUSTER_ROLE},
        "rules": role_rules(METADATA_RIGHTS),
    }


def missing_rights(
    api: Api, namespaces: Sequence[str], rights: Sequence[Right] = CAPTURE_RIGHTS
) -> tuple[Missing, ...]:
    """Ask the server for each verb whether it would allow it, all at once; needs no right itself."""
    asked = [
        Missing(namespace, right, verb)
        for namespace in namespaces
        for right in rights
        for verb in right.verbs
    ]
    with ThreadPoolExecutor(_REVIEWERS, thread_name_prefix="netpolgen-review") as pool:
        allowed = list(pool.map(lambda one: _allowed(api, one), asked))
    return tuple(one for one, granted in zip(asked, allowed, strict=True) if not granted)


def review(api: Api, namespaces: Sequence[str], rights: Sequence[Right] = CAPTURE_RIGHTS) -> list[Finding]:
    """A finding for every namespace in which rights are missing, with the rules that grant them as YAML."""
    missing = missing_rights(api, namespaces, rights)
    findings = []
    for namespace in dict.fromkeys(one.namespace for one in missing):
        for essential in (True, False):
            part = [one for one in missing if (one.namespace, one.right.essential) == (namespace, essential)]
            if part:
                findings.append(_finding(namespace, part, essential=essential))
    return findings


def _finding(namespace: str, missing: Sequence[Missing], *, essential: bool) -> Finding:
    lacking: dict[Right, list[str]] = {}
    for one in missing:
        lacking.setdefault(one.right, []).append(one.verb)
    resources: dict[tuple[str, str], list[str]] = {}
    for right, verbs in lacking.items():
        resources.setdefault((", ".join(verbs), right.purpose), []).append(right.resource)
    told = "; ".join(
        f"{verbs} {', '.join(named)} (to {purpose})" for (verbs, purpose), named in resources.items()
    )
    wanted = [
        Right(right.group, right.resource, tuple(verbs), right.purpose) for right, verbs in lacking.items()
    ]
    return Finding(
        code="rights-missing" if essential else "rights-missing-for-names",
        severity=Severity.ERROR if essential else Severity.WARNING,
        subject=f"namespace {namespace}",
        message=f"you may not {told}",
        way_out="ask an administrator to bind you to this Role, or to the whole one that "
        f"`kubectl netpolgen rbac -n {namespace}` prints:\n{dump_yaml(role(namespace, wanted)).rstrip()}",
    )


def _allowed(api: Api, asked: Missing) -> bool:
    resource, _, subresource = asked.right.resource.partition("/")
    attributes = {
        "namespace": asked.namespace,
        "verb": asked.verb,
        "group": asked.right.group,
        "resource": resource,
        "subresource": subresource,
    }
    if resource == "namespaces":
        attributes["name"] = asked.namespace
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    status = api.create(_REVIEWS, body).get("status") or {}
    return bool(status.get("allowed"))
