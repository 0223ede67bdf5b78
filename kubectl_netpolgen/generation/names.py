"""Names of policies: stable, valid, and never one for two workloads."""

from __future__ import annotations

import re
from hashlib import blake2b

from kubectl_netpolgen.model.objects import ObjectKey

PREFIX = "netpolgen-allow-"
NAMESPACE_POLICY = "netpolgen-allow-namespace"
"""The policy for all of a namespace: a workload's has its name after its kind."""
DEFAULT_DENY = "netpolgen-default-deny"
"""Sorts after every `netpolgen-allow-...`, so that `kubectl apply -f policies/` denies last."""

_MAX = 63
"""Longer ones are valid, and cut off or refused by much that shows or labels by them."""
_INVALID = re.compile(r"[^a-z0-9.-]+")
_EMPTY_LABELS = re.compile(r"-*\.[.-]*")
_PLAIN_KINDS = frozenset(
    (
        *("CronJob", "DaemonSet", "Deployment", "Job", "Pod"),
        *("ReplicaSet", "ReplicationController", "StatefulSet"),
    )
)
"""Kubernetes' own; two custom kinds may differ in upper and lower case alone."""


def policy_name(key: ObjectKey) -> str:
    """`netpolgen-allow-KIND-NAME`, an RFC 1123 subdomain of at most 63 characters.

    The kind is part of it because a Deployment and a StatefulSet may share a name; a hash is added whenever
    the text had to be changed or the kind is a custom one, so that two workloads never meet in one name.
    """
    wanted = f"{key.kind}-{key.name}"
    text = _clean(wanted)
    name = PREFIX + text
    changed = text != f"{key.kind.lower()}-{key.name}" or key.kind not in _PLAIN_KINDS
    return _told_apart(name, wanted) if changed or len(name) > _MAX else name


def label_policy_name(label: str, value: str) -> str:
    """`netpolgen-allow-label-KEY-VALUE-HASH`, KEY without its prefix.

    Always with a hash: values differ in upper and lower case alone, and a custom kind may be called Label.
    """
    return _told_apart(PREFIX + _clean(f"label-{label.rpartition('/')[2]}-{value}"), f"label {label}={value}")


def _clean(text: str) -> str:
    return _EMPTY_LABELS.sub(".", _INVALID.sub("-", text.lower())).strip("-.")


def _told_apart(name: str, by: str) -> str:
    digest = blake2b(by.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    return f"{name[: _MAX - 9].rstrip('-.')}-{digest}"
