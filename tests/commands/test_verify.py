"""`verify` from the command line: flows in, verdicts out, and the answer in the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.model.errors import ExitStatus
from tests.cli.factories import Heard, an_environment
from tests.commands.test_connectivity import SHOP

WEB, API = "shop/Deployment/web", "shop/Deployment/api"


def a_flow(source: str, destination: str, port: int = 8080) -> str:
    ends = {"source": {"workload": source}, "destination": {"workload": destination}}
    return json.dumps({**ends, "protocol": "TCP", "port": port}) + "\n"


def verify(directory: Path, *words: str, piped: str = "") -> tuple[int, Heard]:
    heard = Heard(an_environment(directory=directory, answers=piped))
    return main(["kubectl-netpolgen", "verify", *words], heard.environment), heard


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "good.jsonl").write_text(a_flow(WEB, API) + a_flow(API, WEB, 1))
    (tmp_path / "bad.jsonl").write_text(a_flow(WEB, API) + a_flow(WEB, API, 81))
    return tmp_path


def test_every_flow_allowed_is_yes(shop: Path) -> None:
    status, heard = verify(shop, "-f", "shop.yaml", "--flows", "good.jsonl")
    found = json.loads(heard.stdout)
    assert status == ExitStatus.DONE
    assert (found["apiVersion"], found["kind"]) == ("netpolgen/v1", "VerdictList")
    assert [(item["id"], item["verdict"]) for item in found["items"]] == [("1", "allowed"), ("2", "allowed")]
    assert found["items"][0]["ingress"]["policies"] == [{"policy": "shop/api", "rule": 1}]
    assert heard.stderr == "2 flows: 2 allowed\n"


def test_one_that_is_not_is_no(shop: Path) -> None:
    status, heard = verify(
        shop, "-f", "shop.yaml", "--flows", "-", "--brief", "-o", "jsonl", piped=a_flow(WEB, API, 1)
    )
    assert (status, heard.stdout) == (ExitStatus.ERROR, '{"id":"1","verdict":"denied"}\n')
    status, _ = verify(shop, "-f", "shop.yaml", "--flows", "-", piped=a_flow(WEB, "shop/Deployment/x"))
    assert status == ExitStatus.ERROR


def test_table_is_for_people(shop: Path) -> None:
    status, heard = verify(shop, "-f", "shop.yaml", "--flows", "bad.jsonl", "-o", "table")
    assert status == ExitStatus.ERROR
    assert heard.stdout == (
        "ID   VERDICT   EGRESS    INGRESS   WHY\n"
        "1    allowed   allowed   allowed   shop/api rule 1\n"
        "2    denied    allowed   denied    isolated by shop/api\n"
    )
    _, heard = verify(
        shop, "-f", "shop.yaml", "--flows", "bad.jsonl", "-o", "table", "--brief", "--no-headers"
    )
    assert heard.stdout == "1   allowed\n2   denied\n"


def test_many_flows_are_one_document(shop: Path) -> None:
    many = a_flow(WEB, API) * 3000
    _, heard = verify(shop, "-f", "shop.yaml", "--flows", "-", "--brief", piped=many)
    assert [item["id"] for item in json.loads(heard.stdout)["items"]] == [str(n) for n in range(1, 3001)]
    _, heard = verify(shop, "-f", "shop.yaml", "--flows", "-", "--brief", "-o", "jsonl", piped=many)
    assert len(list(map(json.loads, heard.stdout.splitlines()))) == 3000


def test_no_flows_are_all_allowed(shop: Path) -> None:
    status, heard = verify(shop, "-f", "shop.yaml", "--flows", "-")
    assert (status, json.loads(heard.stdout)["items"], heard.stderr) == (ExitStatus.DONE, [], "no flows\n")


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["--flows", "good.jsonl"], "-f FILE"),
        (["-f", "shop.yaml"], "--flows FILE"),
        (["-f", "-", "--flows", "-"], "standard input"),
        (["-f", "shop.yaml", "--flows", "none.jsonl"], "none.jsonl: cannot be read"),
        (["-f", "shop.yaml", "--flows", "shop.yaml"], "shop.yaml:1: is no JSON"),
        (["-f", "shop.yaml", "--flows", "latin.jsonl"], "not UTF-8"),
    ],
)
def test_what_has_no_answer_says_why(shop: Path, words: list[str], word: str) -> None:
    (shop / "latin.jsonl").write_bytes(b"\xe9\n")
    status, heard = verify(shop, *words)
    assert (status, heard.stdout) == (ExitStatus.USAGE, "")
    assert word in heard.stderr


def test_flags_that_decide_what_plugins_differ_in(shop: Path) -> None:
    (shop / "block.yaml").write_text(
        "kind: Pod\nmetadata: {name: a, namespace: shop}\nspec: {}\nstatus: {podIP: 10.0.0.5}\n---\n"
        "kind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\n"
        "spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}\n"
    )
    flow = a_flow("shop/Pod/a", WEB)
    for words, expected in (
        ([], "cni-dependent"),
        (["--ipblock-pods=match"], "allowed"),
        (["--ipblock-pods=ignore"], "denied"),
    ):
        _, heard = verify(
            shop,
            "-f",
            "shop.yaml",
            "-f",
            "block.yaml",
            "--flows",
            "-",
            "--brief",
            "-o",
            "jsonl",
            *words,
            piped=flow,
        )
        assert json.loads(heard.stdout)["verdict"] == expected
