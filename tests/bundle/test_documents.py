"""Objects as they stood at the end of a run, with the place that says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle.documents import is_bundle, recorded_documents
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.manifests import Origin


def pod(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    found = tmp_path / "run"
    (found / "cluster").mkdir(parents=True)
    return found


def write(root: Path, name: str, *lines: object) -> None:
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    (root / "cluster" / name).write_text("".join(text + "\n" for text in texts))


def event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"time": "2026-01-03T12:00:00Z", "type": kind, "object": item}


def test_what_came_changed_and_went_is_as_it_was_last(root: Path) -> None:
    write(root, "objects.jsonl", pod("web", a="1"), pod("old"))
    changes = (event("MODIFIED", pod("web", a="2")), event("DELETED", pod("old")), event("ADDED", pod("new")))
    write(root, "events.jsonl", *changes)
    findings: list[Finding] = []
    assert list(recorded_documents(root, findings)) == [
        (pod("web", a="2"), Origin("run/cluster/events.jsonl", 1)),
        (pod("new"), Origin("run/cluster/events.jsonl", 3)),
    ]
    assert findings == []


def test_damaged_lines_are_left_out_and_counted(root: Path) -> None:
    nameless = {"kind": "Pod", "metadata": {"name": 3}}
    write(root, "objects.jsonl", "{cut", "[]", nameless, {"kind": "Pod"}, pod("web"))
    findings: list[Finding] = []
    assert [document for document, _ in recorded_documents(root, findings)] == [pod("web")]
    (finding,) = findings
    assert (finding.code, finding.subject) == ("bundle-line-damaged", "run/cluster/objects.jsonl")
    assert "4 lines" in finding.message


def test_a_bundle_is_what_has_its_manifest(root: Path) -> None:
    assert not is_bundle(root)
    (root / "bundle.json").write_text("{}")
    assert is_bundle(root)
