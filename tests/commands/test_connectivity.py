"""`connectivity` from the command line: manifests in, one of five forms out, doubts on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.model.errors import ExitStatus
from tests.cli.factories import Heard, an_environment

SHOP = """\
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: []}}}
---
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {metadata: {labels: {app: api}}, spec: {containers: []}}}
---
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 8080}]
"""


def connectivity(directory: Path, *words: str, piped: str = "") -> tuple[int, Heard]:
    heard = Heard(an_environment(directory=directory, answers=piped))
    return main(["kubectl-netpolgen", "connectivity", *words], heard.environment), heard


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SHOP)
    return tmp_path


def test_what_is_allowed_is_listed_pair_by_pair(shop: Path) -> None:
    status, heard = connectivity(shop, "-f", "shop.yaml")
    assert status == ExitStatus.DONE
    assert heard.stdout == (
        "SOURCE                DESTINATION           ALLOWED\n"
        "shop/Deployment/api   shop/Deployment/web   everything\n"
        "shop/Deployment/api   0.0.0.0/0             everything\n"
        "shop/Deployment/api   ::/0                  everything\n"
        "shop/Deployment/web   shop/Deployment/api   TCP 8080\n"
        "shop/Deployment/web   0.0.0.0/0             everything\n"
        "shop/Deployment/web   ::/0                  everything\n"
        "0.0.0.0/0             shop/Deployment/web   everything\n"
        "::/0                  shop/Deployment/web   everything\n"
    )
    assert heard.stderr == ""


def test_without_headers_there_are_none(shop: Path) -> None:
    _, heard = connectivity(shop, "-f", "shop.yaml", "--no-headers")
    assert heard.stdout.startswith("shop/Deployment/api ")


@pytest.mark.parametrize(
    ("output", "first"),
    [
        ("csv", "source,destination,protocol,ports\r\n"),
        ("md", "| source | destination | allowed |\n"),
        ("dot", "digraph connectivity {\n"),
    ],
)
def test_other_forms(shop: Path, output: str, first: str) -> None:
    status, heard = connectivity(shop, "-f", "shop.yaml", "-o", output)
    assert status == ExitStatus.DONE
    assert heard.stdout.startswith(first)
    assert "shop/Deployment/api" in heard.stdout


def test_standard_input_and_files_are_one_set(shop: Path) -> None:
    _, whole = connectivity(shop, "-f", "shop.yaml", "-o", "json")
    policy, rest = SHOP.rpartition("---\n")[2], SHOP.rpartition("---\n")[0]
    (shop / "rest.yaml").write_text(rest)
    _, parts = connectivity(shop, "-f", "rest.yaml", "-f", "-", "-o", "json", piped=policy)
    assert parts.stdout == whole.stdout
    assert json.loads(whole.stdout)["kind"] == "ConnectivityList"


def test_focus_is_what_touches_it(shop: Path) -> None:
    _, heard = connectivity(shop, "-f", "shop.yaml", "--focus", "shop/api", "--no-headers")
    assert heard.stdout
    assert all("shop/Deployment/api" in line for line in heard.stdout.splitlines())


def test_a_focus_on_nobody_is_told(shop: Path) -> None:
    status, heard = connectivity(shop, "-f", "shop.yaml", "--focus", "apy")
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")
    assert "apy" in heard.stderr


def test_doubts_are_on_stderr_and_the_answer_on_stdout(shop: Path) -> None:
    policy = SHOP.rpartition("---\n")[2].replace("app: web", "app: wbe").replace("name: api", "name: x")
    status, heard = connectivity(shop, "-f", "shop.yaml", "-f", "-", piped=policy)
    assert status == ExitStatus.DONE
    assert "selects no pod" in heard.stderr
    assert "selects no pod" not in heard.stdout


def test_what_the_api_server_refuses_gives_no_answer(shop: Path) -> None:
    (shop / "shop.yaml").write_text(SHOP.replace("8080", "80800"))
    status, heard = connectivity(shop, "-f", "shop.yaml")
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")
    assert "shop.yaml:9: NetworkPolicy shop/api: " in heard.stderr
    assert "80800" in heard.stderr


def test_broken_documents_are_left_out_or_with_strict_refused(shop: Path) -> None:
    (shop / "broken.yaml").write_text("a: [\n")
    status, heard = connectivity(shop, "-f", "shop.yaml", "-f", "broken.yaml")
    assert status == ExitStatus.DONE
    assert "broken.yaml:" in heard.stderr
    status, heard = connectivity(shop, "-f", "shop.yaml", "-f", "broken.yaml", "--strict")
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")


def test_nothing_named_is_nothing_answered(tmp_path: Path) -> None:
    status, heard = connectivity(tmp_path)
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")
    assert "-f" in heard.stderr
