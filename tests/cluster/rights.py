"""RBAC as far as the printed Roles use it, for the fake server to enforce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.cluster.fake_api.paths import Target
from tests.cluster.fake_api.server import Rights


def granted_by(*documents: Mapping[str, Any]) -> Rights:
    """Exactly what these Roles and ClusterRoles grant once they are bound."""

    def allowed(verb: str, target: Target) -> bool:
        return any(
            _within(document, target) and _covers(document["rules"], verb, target) for document in documents
        )

    return allowed


def _within(document: Mapping[str, Any], target: Target) -> bool:
    return bool(document["kind"] == "ClusterRole" or target.namespace == document["metadata"]["namespace"])


def _covers(rules: Sequence[Mapping[str, Any]], verb: str, target: Target) -> bool:
    return any(
        target.group in rule["apiGroups"] and target.permission in rule["resources"] and verb in rule["verbs"]
        for rule in rules
    )
