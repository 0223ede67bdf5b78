"""An `Api` that leads to a fake server, without a kubeconfig and without the `kubernetes` package."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator

import urllib3

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.transport import Transport
from tests.cluster.fake_api.server import FakeApi


def open_transport(server: FakeApi, *, token: str = "good", url: str = "") -> Transport:
    """The way to a fake server with one token."""
    authority = str(server.certificate.certificate)
    return Transport(
        server=url or server.url,
        pool=urllib3.PoolManager(ca_certs=authority, maxsize=64),
        authorise=lambda: [("Authorization", f"Bearer {token}")],
        tls={"ca_certs": authority, "cert_reqs": ssl.CERT_REQUIRED},
    )


def open_api(
    server: FakeApi,
    *,
    tokens: Iterator[str] | None = None,
    namespace: str = "default",
    request_timeout: float | None = None,
    pause: Callable[[float], None] = lambda seconds: None,
) -> Api:
    """An Api as one user; `tokens` are those that each renewal brings, and pauses take no time."""
    return Api(
        lambda: open_transport(server, token=next(tokens) if tokens is not None else "good"),
        context="fake",
        namespace=namespace,
        request_timeout=request_timeout,
        pause=pause,
    )
