"""Parsed arguments as the command line hands them to a command."""

from __future__ import annotations

import argparse
from typing import Any


def parsed(**given: Any) -> argparse.Namespace:
    """Every connection flag absent, except those given."""
    absent: dict[str, Any] = dict.fromkeys(
        (
            *("kubeconfig", "context", "cluster", "user", "server", "namespace"),
            *("as_user", "as_uid", "request_timeout", "tls_server_name", "selector"),
        )
    )
    return argparse.Namespace(
        **{
            **absent,
            "as_group": [],
            "all_namespaces": False,
            "insecure_skip_tls_verify": False,
            **given,
        }
    )
