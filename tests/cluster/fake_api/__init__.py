"""A fake API server on the loopback, for tests of everything that talks to a cluster.

    with FakeApi() as server:
        server.store.put("Pod", "web-1", namespace="shop")
        with open_api(server) as api:
            api.get("/api/v1/namespaces/shop/pods/web-1")

`store` holds the objects and wakes the watches, `rights` and `admission` refuse, `plan` answers something
else than the truth, `on_attach` plays the kubelet, `on_exec` chooses what a command does (see `exec_wire`).
"""

from __future__ import annotations

from tests.cluster.fake_api.answers import Answer, ExecRequest, refusal
from tests.cluster.fake_api.connection import open_api, open_transport
from tests.cluster.fake_api.server import FakeApi

__all__ = ["Answer", "ExecRequest", "FakeApi", "open_api", "open_transport", "refusal"]
