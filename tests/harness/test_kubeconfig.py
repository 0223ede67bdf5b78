"""Kubeconfigs must work wherever they are copied to, and be nobody else's to read."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.harness import kubeconfig
from tests.harness.layout import API_URL


def test_a_kubeconfig_needs_no_other_file() -> None:
    written = kubeconfig.kubeconfig("dev", "secret", b"CERTIFICATE")
    cluster = written["clusters"][0]["cluster"]
    assert base64.b64decode(cluster["certificate-authority-data"]) == b"CERTIFICATE"
    assert cluster["server"] == API_URL
    assert "certificate-authority" not in cluster


def test_the_current_context_joins_the_user_and_the_cluster() -> None:
    written = kubeconfig.kubeconfig("dev", "secret", b"")
    context = next(one for one in written["contexts"] if one["name"] == written["current-context"])["context"]
    assert context["user"] == written["users"][0]["name"] == "dev"
    assert context["cluster"] == written["clusters"][0]["name"]


def test_a_written_kubeconfig_is_its_owners_alone_and_gives_its_token_back(tmp_path: Path) -> None:
    path = kubeconfig.write(tmp_path / "new" / "config", kubeconfig.kubeconfig("dev", "secret", b""))
    assert path.stat().st_mode & 0o777 == 0o600
    assert kubeconfig.token_of(path) == "secret"
    assert json.loads(path.read_text())["kind"] == "Config"
