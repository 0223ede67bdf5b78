"""Proxy addresses in all their spellings."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.cluster.proxies import proxy_options


@pytest.mark.parametrize(
    ("proxy", "options"),
    [
        (None, {}),
        ("", {}),
        ("http://proxy:3128", {"http_proxy_host": "proxy", "http_proxy_port": 3128, "proxy_type": "http"}),
        ("proxy:3128", {"http_proxy_host": "proxy", "http_proxy_port": 3128, "proxy_type": "http"}),
        ("http://proxy", {"http_proxy_host": "proxy", "http_proxy_port": 80, "proxy_type": "http"}),
        ("https://proxy/", {"http_proxy_host": "proxy", "http_proxy_port": 443, "proxy_type": "https"}),
        ("socks5://[::1]", {"http_proxy_host": "::1", "http_proxy_port": 1080, "proxy_type": "socks5"}),
        (
            "http://me:p%40ss@proxy:1",
            {
                "http_proxy_host": "proxy",
                "http_proxy_port": 1,
                "proxy_type": "http",
                "http_proxy_auth": ("me", "p@ss"),
            },
        ),
    ],
)
def test_a_proxys_address_is_taken_apart(proxy: str | None, options: dict[str, Any]) -> None:
    assert proxy_options(proxy, no_proxy=None) == options


def test_exceptions_are_a_list() -> None:
    options = proxy_options("http://proxy:1", no_proxy=" .svc, 10.0.0.0/8,,")
    assert options["http_no_proxy"] == [".svc", "10.0.0.0/8"]
