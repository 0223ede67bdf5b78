"""The configured proxy in websocket-client's words."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

# websocket-client's own default is 80 for every kind.
_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080


def proxy_options(proxy: str | None, *, no_proxy: str | None) -> dict[str, Any]:
    """Options for `WebSocket.connect`; empty without a proxy.

    `no_proxy` is a comma-separated list as in $NO_PROXY. A proxy of kind https comes out as such, although
    websocket-client cannot use one: the caller can then say so (kubernetes/kubernetes#126134).
    """
    if not proxy:
        return {}
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    kind = parts.scheme.lower()
    options: dict[str, Any] = {
        "http_proxy_host": parts.hostname or "",
        "http_proxy_port": parts.port or _PORTS.get(kind, _SOCKS_PORT),
        "proxy_type": kind,
    }
    if parts.username:
        options["http_proxy_auth"] = (unquote(parts.username), unquote(parts.password or ""))
    excluded = [entry.strip() for entry in (no_proxy or "").split(",") if entry.strip()]
    if excluded:
        options["http_no_proxy"] = excluded
    return options
