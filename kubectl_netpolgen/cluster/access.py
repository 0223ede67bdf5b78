"""The one table of rights that a capture needs: printed as a Role, and asked for before a run.

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
_WORKERS = 16
_READ = ("get", "list", "watch")


@dataclass(frozen=True, order=True)
class Right:
    """One rule of the Role and why it is there."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    reason: str
    needed: bool = True
    """False for what a run does without, at the price of a peer without a name or an owner."""


RIGHTS = (
    Right("", ("pods",), _READ, "find the pods to capture and whose address is whose"),
    Right("", ("pods/ephemeralcontainers",), ("patch",), "put the agent into a pod"),
    # since 1.35 the WebSocket upgrade is judged as `create`; before, and as well, it is a GET (KEP-4006)
    Right("", ("pods/exec",), ("create", "get"), "collect captures from the agent"),
    Right("", ("services",), ("list", "watch"), "know what stands behind a Service", needed=False),
    Right(
        "discovery.k8s.io",
        ("endpointslices",),
        ("list", "watch"),
        "know what stands behind a Service",
        needed=False,
    ),
    Right(
        "apps",
        ("daemonsets", "deployments", "replicasets", "statefulsets"),
        ("list", "watch"),
        "name workloads and take their own selectors",
        needed=False,
    ),
    Right("batch", ("cronjobs", "jobs"), ("list", "watch"), "name workloads", needed=False),
    Right(
        "networking.k8s.io",
        ("ingresses", "networkpolicies"),
        ("list", "watch"),
        "prove the new policies together with those that are there",
        needed=False,
    ),
)
"""What a capture asks of each namespace, and nothing more."""

PEER_RIGHTS = (
    Right("", ("namespaces", "nodes", "pods", "services"), _READ, "name peers in other namespaces"),
    Right("discovery.k8s.io", ("endpointslices",), ("list", "watch"), "name the API server and other peers"),
    Right(
        "apps",
        ("daemonsets", "deployments", "replicasets", "statefulsets"),
        ("list", "watch"),
        "name peers in other namespaces",
    ),
    Right("networking.k8s.io", ("networkpolicies",), ("list", "watch"), "prove edges across namespaces"),
)
"""What names peers outside the captured namespaces; a run does without it."""


@dataclass(frozen=True, order=True)
class Missing:
    """A right that this user lacks in a namespace."""

    namespace: str
    group: str
    resource: str
    verb: str
    needed: bool
    reason: str


def role(namespace: str) -> dict[str, Any]:
    """The Role with the least rights for a capture of one namespace; without one, of wherever it is applied."""
    where = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": ROLE, **where},
        "rules": rules(RIGHTS),
    }


def cluster_role() -> dict[str, Any]:
    """The optional ClusterRole that lets peers of other namespaces be named; it changes nothing."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": CLUSTER_ROLE},
        "rules": rules(PEER_RIGHTS),
    }


def rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """Rights as PolicyRules."""
    return [
        {"apiGroups": [item.group], "resources": list(item.resources), "verbs": list(item.verbs)}
        for item in rights
    ]


def find_missing(
    api: Api, namespaces: Sequence[str], rights: Iterable[Right] = RIGHTS
) -> tuple[Missing, ...]:
    """Which of the rights this user lacks, each asked of the API server; raises ApiError."""
    questions = [
        Missing(namespace, item.group, resource, verb, item.needed, item.reason)
        for namespace in namespaces
        for item in rights
        for resource in item.resources
        for verb in item.verbs
    ]
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="review") as pool:
        answers = list(pool.map(lambda question: _allowed(api, question), questions))
    return tuple(question for question, allowed in zip(questions, answers, strict=True) if not allowed)


def _allowed(api: Api, question: Missing) -> bool:
    resource, _, subresource = question.resource.partition("/")
    answer = api.create(
        _REVIEWS,
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {
                "resourceAttributes": {
                    "namespace": question.namespace,
                    "group": question.group,
                    "resource": resource,
                    "subresource": subresource,
                    "verb": question.verb,
                }
            },
        },
    )
    return bool((answer.get("status") or {}).get("allowed"))


def review(api: Api, namespaces: Sequence[str]) -> list[Finding]:
    """A finding for each namespace in which a right is missing, the rules to ask for as its way out."""
    findings = []
    missing = find_missing(api, namespaces)
    for namespace in namespaces:
        for needed in (True, False):
            here = [item for item in missing if item.namespace == namespace and item.needed is needed]
            if here:
                findings.append(_finding(namespace, here))
    return findings


def _finding(namespace: str, missing: Sequence[Missing]) -> Finding:
    needed = missing[0].needed
    verbs = ", ".join(f"{item.verb} {item.resource}" for item in missing)
    reasons = "; ".join(dict.fromkeys(item.reason for item in missing))
    return Finding(
        code="rights-missing" if needed else "rights-missing-for-names",
        severity=Severity.ERROR if needed else Severity.WARNING,
        subject=f"namespace {namespace}",
        message=f"you may not {verbs} ({reasons})",
        way_out=f"ask an administrator for these rules in a Role of namespace {namespace}, or for the whole of "
        f"`kubectl netpolgen rbac -n {namespace}`:\n{missing_rules(missing)}",
    )


def missing_rules(missing: Iterable[Missing]) -> str:
    """The missing rights as a Role's rules in YAML, for an administrator to paste."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for item in missing:
        entry = verbs.setdefault((item.group, item.resource), [])
        if item.verb not in entry:
            entry.append(item.verb)
    listed = [
        {"apiGroups": [group], "resources": [resource], "verbs": wanted}
        for (group, resource), wanted in verbs.items()
    ]
    return dump_yaml({"rules": listed})
