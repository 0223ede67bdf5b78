"""Kubeconfig files that need no other file, so that they can be copied and given to any client."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.harness.layout import API_URL

CONTEXT = "npg-harness"


def kubeconfig(user: str, token: str, authority: bytes, server: str = API_URL) -> dict[str, Any]:
    """A kubeconfig for one user of the harness, with the authority's certificate inside."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
    }


def write(path: Path, content: dict[str, Any]) -> Path:
    """Write a kubeconfig for its owner's eyes only, JSON being YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def token_of(path: Path) -> str:
    """The token in a kubeconfig that `write` wrote."""
    token: str = json.loads(path.read_text(encoding="utf-8"))["users"][0]["user"]["token"]
    return token
