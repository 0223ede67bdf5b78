"""The values that carry a configured way to a server."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
import urllib3

from kubectl_netpolgen.cluster.transport import Transport, WebSocketSettings


def test_a_transport_needs_no_tls_and_no_proxy_of_its_own() -> None:
    transport = Transport("http://localhost:8001", urllib3.PoolManager(), list)
    assert (transport.tls, transport.proxy, transport.authorise()) == ({}, {}, [])


def test_settings_cannot_be_changed_under_another_thread() -> None:
    settings = WebSocketSettings("wss://localhost", [], {}, {}, 0)
    with pytest.raises(FrozenInstanceError):
        settings.url = "wss://elsewhere"  # type: ignore[misc]
