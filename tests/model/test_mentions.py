"""A Service as something else names it."""

from __future__ import annotations

from kubectl_netpolgen.model.mentions import BackendReference


def test_backend_reads_as_it_would_be_dialled() -> None:
    assert str(BackendReference("shop", "orders", 8080)) == "orders.shop:8080"
    assert str(BackendReference("shop", "orders", "http")) == "orders.shop:http"
