"""The configured way to one API server: connection pool, credentials, TLS, proxy.

Made by `kubeconfig`, used by `api` and `exec`; neither of these knows where credentials come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urllib3 import PoolManager

Headers = Sequence[tuple[str, str]]
"""Pairs, because `Impersonate-Group` stands once for every group."""


@dataclass(frozen=True)
class Transport:
    """Everything that a request needs besides its path."""

    server: str
    """Scheme, host, port and, behind a gateway such as Rancher's, a path; no slash at the end."""
    pool: PoolManager
    authorise: Callable[[], Headers]
    """Headers of this moment; may refresh a token that runs out, so it is called under a lock."""
    tls: Mapping[str, Any] = field(default_factory=dict)
    """websocket-client's `sslopt`: the same trust and client certificate as the pool's."""
    proxy: Mapping[str, Any] = field(default_factory=dict)
    """websocket-client's proxy options; empty where there is none."""


@dataclass(frozen=True)
class WebSocketSettings:
    """What a WebSocket connection to the same server needs."""

    url: str
    """`wss://host:port` and the server's own path; no slash at the end."""
    headers: Headers
    tls: Mapping[str, Any]
    proxy: Mapping[str, Any]
    generation: int
    """Which credentials these are: handed back to `Api.renew` when they were refused."""
