"""Folders and bundles as sets of policies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.runs.sources import read_source
from tests.cli.factories import an_environment
from tests.commands.test_connectivity import SHOP


def policy(name: str, port: int) -> dict[str, object]:
    spec = {"podSelector": {}, "ingress": [{"ports": [{"port": port}]}]}
    return {"kind": "NetworkPolicy", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    root = tmp_path / "run"
    for folder in ("cluster", "policies"):
        (root / folder).mkdir(parents=True)
    pod = {"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}}
    objects = (pod, policy("mine", 1), policy("theirs", 2))
    (root / "bundle.json").write_text("{}")
    (root / "cluster" / "objects.jsonl").write_text("".join(json.dumps(item) + "\n" for item in objects))
    (root / "policies" / "mine.yaml").write_text(json.dumps(policy("mine", 3)))
    return root


def test_a_folder_is_its_manifests(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    found = read_source("shop.yaml", environment=an_environment(directory=tmp_path), strict=False)
    assert ([item.name for item in found.manifests.policies], found.edges) == (["api"], None)


def test_a_bundle_is_who_was_there_with_the_policies_written_for_them(bundle: Path) -> None:
    found = read_source("run/", environment=an_environment(directory=bundle.parent), strict=False)
    assert [pod.name for pod in found.manifests.pods] == ["web-1"]
    ports = {item.name: item.ingress[0].ports[0].port for item in found.manifests.policies}
    assert ports == {"mine": 3, "theirs": 2}
    assert found.edges is None


def test_a_bundle_brings_what_was_seen(bundle: Path) -> None:
    (bundle / "edges.jsonl").write_text("")
    found = read_source(str(bundle), environment=an_environment(directory=bundle), strict=False)
    assert found.edges == bundle / "edges.jsonl"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such file or folder"):
        read_source("nowhere", environment=an_environment(directory=tmp_path), strict=False)
