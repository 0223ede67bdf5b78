"""Owners of kinds that no list of ours covers: an operator's Rollout, CloneSet, Cluster, ..."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.status import ApiError


def fetch_owner(api: Api, namespace: str, *, api_version: str, kind: str, name: str) -> dict[str, Any] | None:
    """Read the object that an owner reference names; None when it is not there, or not for us to read.

    The plural that its path needs is known to discovery alone (`APIResourceList`, apimachinery meta/v1).
    """
    group = "/".join(quote(part, safe="") for part in api_version.split("/"))
    root = f"/apis/{group}" if "/" in api_version else f"/api/{group}"
    try:
        found = _resource(api.get(root), kind)
        if found is None:
            return None
        plural, namespaced = found
        within = f"namespaces/{quote(namespace, safe='')}/" if namespaced else ""
        return api.get(f"{root}/{within}{quote(plural, safe='')}/{quote(name, safe='')}")
    except ApiError as error:
        if error.code in (403, 404):
            return None
        raise


def _resource(discovery: dict[str, Any], kind: str) -> tuple[str, bool] | None:
    """Plural and scope of a kind; subresources such as `deployments/scale` have kinds of their own."""
    for resource in discovery.get("resources") or ():
        plural = str(resource.get("name", ""))
        if resource.get("kind") == kind and plural and "/" not in plural:
            return plural, bool(resource.get("namespaced"))
    return None
