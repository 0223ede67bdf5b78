"""Reading what the product says: rows to edges, the journal to moments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.boutique.edges import ExpectedEdge
from tests.e2e.boutique.product import Bundle, Finished, edges_of


def workload(name: str, namespace: str = "shop", **more: str) -> dict[str, Any]:
    """Return an endpoint as the product writes it."""
    return {"kind": "Deployment", "namespace": namespace, "name": name, **more}


def row(server: dict[str, Any], outcome: str = "established", **more: str) -> dict[str, Any]:
    """Return one row of an EdgeList, as far as the tests read it."""
    always = {"client": workload("frontend"), "protocol": "TCP", "port": 80}
    return always | {"server": server, "outcome": outcome} | more


def test_rows_become_edges_and_nothing_unexpected_is_hidden() -> None:
    rows = [
        row(workload("cart")),
        row({"kind": "External", "address": "203.0.113.10", "names": ["api.example.test"]}),
        row(workload("coredns", "kube-system", role="dns")),
        row(workload("cart"), role="probe"),
        row(workload("server", "elsewhere"), "refused"),
    ]
    found = edges_of(rows, "shop")

    assert ExpectedEdge("frontend", "cart", "TCP", 80) in found
    assert ExpectedEdge("frontend", "203.0.113.10", "TCP", 80) in found
    assert len(found) == 3
    assert any('"namespace": "elsewhere"' in edge.server and edge.outcome == "refused" for edge in found)


def test_two_equal_rows_stay_two() -> None:
    assert len(edges_of([row(workload("cart"))] * 2, "shop")) == 2


def test_the_list_is_read_from_standard_output() -> None:
    said = json.dumps({"apiVersion": "netpolgen/v1", "kind": "EdgeList", "items": [row(workload("cart"))]})

    assert Finished(0, said, "", 0.0, 0.0).expect(0).items()[0]["port"] == 80


def test_the_journal_is_read_while_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "session.jsonl").write_text(
        '{"time": "2026-01-02T03:04:05.500000Z", "state": "run-started"}\n'
        '{"time": "2026-01-02T03:04:07.000000Z", "pod": "shop/a", "state": "capturing"}\n'
        '{"time": "2026-01-02T03:0'
    )
    bundle = Bundle(tmp_path)

    assert [line.pod for line in bundle.journal()] == [None, "shop/a"]
    assert bundle.moment("capturing") - bundle.moment("run-started") == 1.5
    assert Bundle(tmp_path / "nothing").journal() == []


@pytest.mark.parametrize("said", ["Traceback (most recent call last):", "error: internal error: KeyError"])
def test_a_fault_of_our_own_never_passes_for_a_clear_error(said: str) -> None:
    with pytest.raises(AssertionError):
        Finished(1, "", said, 0.0, 0.0).expect(1)
