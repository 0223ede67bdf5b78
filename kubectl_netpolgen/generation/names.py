"""Names of policies: stable, valid, and never one for two workloads."""

from __future__ import annotations

import re
from hashlib import blake2b

from kubectl_netpolgen.model.objects import ObjectKey

PREFIX = "netpolgen-allow-"
DEFAULT_DENY = "netpolgen-default-deny"
"""Sorts after every `netpolgen-allow-...`, so that `kubectl apply -f policies/` denies last."""

_MAX = 253
_INVALID = re.compile(r"[^a-z0-9.-]+")


def policy_name(key: ObjectKey) -> str:
    """`netpolgen-allow-KIND-NAME`, an RFC 1123 subdomain of at most 253 characters.

    The kind is part of it because a Deployment and a StatefulSet may share a name; a hash is added whenever
    the text had to be changed, so that two workloads never meet in one name.
    """
    wanted = f"{key.kind}-{key.name}"
    text = _INVALID.sub("-", wanted.lower()).strip("-.")
    name = PREFIX + text
    if text != f"{key.kind.lower()}-{key.name}" or len(name) > _MAX:
        digest = blake2b(wanted.encode(), digest_size=4).hexdigest()
        name = f"{name[: _MAX - 9].rstrip('-.')}-{digest}"
    return name
