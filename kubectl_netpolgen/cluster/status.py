"""What the API server, or the way to it, answered when it was not what we asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kubectl_netpolgen.model.errors import ClusterError

# A proxy's error page can be of any length; a person reads the first lines.
_LONGEST_TEXT = 500

_WAYS_OUT = {
    401: "log in to the cluster again, or choose other credentials with --user, --context or --kubeconfig",
    403: "ask for the rights that `kubectl netpolgen rbac` prints, or act as somebody else with --as",
    429: "the API server is overloaded; try again in a minute",
}


class Unreachable(ClusterError):
    """No answer came from the API server: name, connection, TLS or time; trying again may help."""


class ConnectionLost(Unreachable):
    """A command's connection ended, stalled or spoke nonsense before its status came; try again."""


class ApiError(ClusterError):
    """The API server answered with a Status of failure; the message is its own.

    `code` is the HTTP status; `status` stays what it is for every NetpolgenError, the program's exit status.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
        way_out: str = "",
    ) -> None:
        super().__init__(message, way_out=way_out or _WAYS_OUT.get(code, ""))
        self.code = code
        self.reason = reason
        self.details: Mapping[str, Any] = MappingProxyType(dict(details or {}))


class Gone(ApiError):
    """410: the resource version is too old, so what happened since must be listed anew."""


def failure(code: int, body: bytes, *, subject: str) -> ApiError:
    """Turn an HTTP answer that is no success into an error; `subject` is the path asked for.

    The body is a `Status` (apimachinery meta/v1) unless something in front of the API server wrote it.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("kind") == "Status":
        return failure_of_status(answer, code=code, subject=subject)
    text = body.decode("utf-8", "replace").strip()[:_LONGEST_TEXT]
    return _error(f"{subject}: HTTP {code}" + (f": {text}" if text else ""), code, "", {})


def failure_of_status(answer: Mapping[str, Any], *, code: int, subject: str) -> ApiError:
    """Turn a `Status` object into an error; `code` stands in where it has none of its own."""
    stated = answer.get("code")
    code = stated if isinstance(stated, int) and stated else code
    details = answer.get("details")
    message = answer.get("message")
    reason = answer.get("reason")
    return _error(
        message if isinstance(message, str) and message else f"{subject}: HTTP {code}",
        code,
        reason if isinstance(reason, str) else "",
        details if isinstance(details, dict) else {},
    )


def _error(message: str, code: int, reason: str, details: Mapping[str, Any]) -> ApiError:
    kind = Gone if code == 410 else ApiError
    return kind(message, code=code, reason=reason, details=details)
