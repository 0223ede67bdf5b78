"""Kubeconfig files for tests; JSON, which every YAML reader takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.fake_api import FakeApi


def cluster_of(server: FakeApi, **more: Any) -> dict[str, Any]:
    """A kubeconfig's cluster that leads to a fake server."""
    return {"server": server.url, "certificate-authority": str(server.certificate.certificate), **more}


def write_kubeconfig(
    path: Path,
    *,
    current: str = "",
    contexts: Mapping[str, Mapping[str, Any]] | None = None,
    clusters: Mapping[str, Mapping[str, Any]] | None = None,
    users: Mapping[str, Mapping[str, Any]] | None = None,
) -> Path:
    """Write one file and return its path."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "contexts": [{"name": name, "context": dict(one)} for name, one in (contexts or {}).items()],
        "clusters": [{"name": name, "cluster": dict(one)} for name, one in (clusters or {}).items()],
        "users": [{"name": name, "user": dict(one)} for name, one in (users or {}).items()],
    }
    path.write_text(json.dumps(content))
    return path


def write_plugin(path: Path, *words: str) -> dict[str, Any]:
    """Write a credential plugin that says each word as token in turn, then fails; return the `exec` field."""
    counter = path.with_suffix(".count")
    counter.write_text("0")
    tokens = "\n".join(
        f'{number}) echo \'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
        f' "status": {{"token": "{word}"}}}}\' ;;'
        for number, word in enumerate(words)
    )
    path.write_text(
        f"#!/bin/sh\nn=$(cat {counter})\necho $((n+1)) >{counter}\n"
        f'case $n in\n{tokens}\n*) echo "you are logged out" >&2; exit 3 ;;\nesac\n'
    )
    path.chmod(0o700)
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(path),
        "interactiveMode": "Never",
    }
