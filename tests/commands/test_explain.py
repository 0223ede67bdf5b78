"""`explain` from the command line: one connection, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.model.errors import ExitStatus
from tests.cli.factories import Heard, an_environment
from tests.commands.test_connectivity import SHOP


def explain(directory: Path, *words: str) -> tuple[int, Heard]:
    heard = Heard(an_environment(directory=directory))
    return main(["kubectl-netpolgen", "explain", *words, "-f", "shop.yaml"], heard.environment), heard


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SHOP)
    return tmp_path


def test_denial_names_who_isolates_where_it_stands_and_what_would_turn_it(shop: Path) -> None:
    status, heard = explain(shop, "web", "api", "81/TCP", "-n", "shop")
    assert status == ExitStatus.ERROR
    assert heard.stdout == (
        "DENIED   web -> api   TCP 81\n"
        "  egress   allowed  no policy selects web: the default\n"
        "  ingress  denied   isolated by shop/api (shop.yaml:9)\n"
        "    shop/api (shop.yaml:9) rule 1: the peer matches, the port does not\n"
        "  smallest change: add port 81/TCP to shop/api ingress rule 1\n"
    )


def test_allowance_names_its_rules(shop: Path) -> None:
    status, heard = explain(shop, "shop/web", "shop/Deployment/api", "8080")
    assert status == ExitStatus.DONE
    assert "  ingress  allowed  shop/api (shop.yaml:9) rule 1\n" in heard.stdout
    assert "or take away shop/api ingress rule 1\n" in heard.stdout


def test_programs_get_the_verdict_item_or_a_list_of_all_ports(shop: Path) -> None:
    _, heard = explain(shop, "shop/web", "shop/api", "8080", "-o", "json")
    found = json.loads(heard.stdout)
    assert (found["verdict"], found["ingress"]["policies"]) == (
        "allowed",
        [{"policy": "shop/api", "rule": 1}],
    )
    status, heard = explain(shop, "shop/web", "shop/api", "-o", "json")
    every = json.loads(heard.stdout)
    assert (status, every["kind"]) == (ExitStatus.ERROR, "VerdictList")
    assert [(item["verdict"], item["ports"]) for item in every["items"] if item["protocol"] == "TCP"] == [
        ("denied", [[1, 8079], [8081, 65535]]),
        ("allowed", [[8080, 8080]]),
    ]


TIER = """---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: closed}
spec:
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - {action: Deny, from: [{namespaces: {}}]}
"""


def test_an_administrators_rule_is_named_with_its_place(shop: Path) -> None:
    before = (shop / "shop.yaml").read_text()
    (shop / "shop.yaml").write_text(before + TIER)
    status, heard = explain(shop, "shop/web", "shop/api", "8080")
    assert status == ExitStatus.ERROR
    where = f"shop.yaml:{len(before.splitlines()) + 2}"
    assert f"denied by AdminNetworkPolicy/closed ({where}) rule 1\n" in heard.stdout
    assert "smallest change: accept it before AdminNetworkPolicy/closed ingress rule 1\n" in heard.stdout


def test_nobody_is_unresolved_and_counts_as_no(shop: Path) -> None:
    status, heard = explain(shop, "shop/nobody", "shop/api", "80")
    assert status == ExitStatus.ERROR
    assert heard.stdout.startswith(
        "UNRESOLVED   shop/nobody -> shop/api   TCP 80\n  because the manifests have no "
    )


def test_what_is_no_port_is_no_question(shop: Path) -> None:
    status, heard = explain(shop, "shop/web", "shop/api", "http")
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")
    assert "http: is no port" in heard.stderr
