"""What goes in and out of the fake API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    all_headers: tuple[tuple[str, str], ...] = ()
    """With those that came several times."""


@dataclass(frozen=True)
class Answer:
    """What is answered instead of the truth; `reset` drops the connection without a word."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    after: Callable[[], object] | None = None
    """Called before the answer is sent: to wait, or to change the world in between."""


@dataclass(frozen=True)
class ExecRequest:
    """An exec that was let in."""

    namespace: str
    pod: str
    container: str
    command: tuple[str, ...]
    query: Mapping[str, list[str]]
    subprotocol: str


def refusal(code: int, reason: str, message: str, **details: Any) -> Answer:
    """A Status of failure as the API server writes it."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": code,
    }
    return Answer(code, json.dumps(status).encode(), {"Content-Type": "application/json"})
