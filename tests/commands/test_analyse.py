"""`analyse` repeats everything after the capture: same bundle, same bytes, wherever and whenever."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.errors import ExitStatus
from tests.bundles import a_bundle, call, declaring_documents, shop_captures
from tests.cli.factories import Heard, an_environment

ROOT = Path(__file__).resolve().parents[2]


def analyse(directory: Path, *words: str) -> tuple[int, Heard]:
    """`kubectl netpolgen analyse` in a directory."""
    world = Heard(an_environment(directory=directory))
    return main(["kubectl-netpolgen", "analyse", *words], world.environment), world


def files(root: Path) -> dict[str, bytes]:
    """Every file of a bundle, pictures left out: they depend on the machine's Graphviz and fonts."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix not in (".svg", ".png")
    }


def test_bundle_is_analysed_where_it_is_named_from(tmp_path: Path) -> None:
    a_bundle(tmp_path / "bundle")
    status, world = analyse(tmp_path, "bundle")
    assert status == ExitStatus.DONE
    assert "203.0.113.10" in world.stdout
    assert "kubectl apply -f" in world.stderr
    assert sorted(path.name for path in (tmp_path / "bundle" / "policies").iterdir()) == [
        "netpolgen-allow-deployment-api.yaml",
        "netpolgen-allow-deployment-batch.yaml",
        "netpolgen-allow-deployment-web.yaml",
    ]


def test_flags_reach_the_policies(tmp_path: Path) -> None:
    a_bundle(tmp_path / "bundle")
    status, world = analyse(tmp_path, "bundle", "--default-deny", "--dns", "observed", "-o", "json")
    assert status == ExitStatus.DONE
    assert json.loads(world.stdout)["kind"] == "EdgeList"
    assert (tmp_path / "bundle/policies/netpolgen-default-deny.yaml").is_file()


def test_how_policies_were_asked_for_holds_for_the_next_run(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle")
    analyse(tmp_path, "bundle", "--per", "namespace", "--default-deny")
    first = files(root)
    assert [path.name for path in sorted((root / "policies").iterdir())] == [
        "netpolgen-allow-namespace.yaml",
        "netpolgen-default-deny.yaml",
    ]
    assert first["excess.jsonl"]
    status, world = analyse(tmp_path, "bundle")
    assert status == ExitStatus.DONE
    assert "as recorded in the bundle: --per=namespace --default-deny" in world.stderr
    assert files(root) == first
    _, world = analyse(tmp_path, "bundle", "--per=workload", "--default-deny=false")
    assert "as recorded" not in world.stderr
    assert len(list((root / "policies").iterdir())) == 3
    assert "as recorded" not in analyse(tmp_path, "bundle")[1].stderr


def test_label_that_groups_nothing_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    status, world = analyse(tmp_path, "nowhere", "--per", "label", "pod-template-hash")
    assert status == ExitStatus.USAGE
    assert "another one for every roll-out" in world.stderr


def test_options_that_are_not_understood_stop_the_run(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle")
    (root / "options.json").write_text("{}")
    status, world = analyse(tmp_path, "bundle")
    assert status == ExitStatus.ERROR
    assert "options.json: not understood" in world.stderr
    assert not (root / "policies").exists()


def test_recorded_part_of_the_bundle_is_never_touched(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle", decisions="decisions: []\n")
    before = files(root)
    analyse(tmp_path, "bundle")
    after = files(root)
    assert {name: after[name] for name in before} == before


def test_decisions_file_must_be_there(tmp_path: Path) -> None:
    a_bundle(tmp_path / "bundle")
    status, world = analyse(tmp_path, "bundle", "--decisions", "mine.yaml")
    assert status == ExitStatus.USAGE
    assert "mine.yaml: no such file" in world.stderr
    assert not (tmp_path / "bundle" / "policies").exists()


def test_decision_turns_a_partial_run_into_a_whole_one(tmp_path: Path) -> None:
    captures = {**shop_captures(), "batch-1": call("10.244.1.7", "10.9.8.7", 5432)}
    a_bundle(tmp_path / "bundle", captures=captures)
    status, world = analyse(tmp_path, "bundle", "-o", "json")
    assert status == ExitStatus.PARTIAL
    (edge,) = [
        item for item in json.loads(world.stdout)["items"] if item["server"].get("address") == "10.9.8.7"
    ]
    (tmp_path / "mine.yaml").write_text(f"decisions: [{{edge: {edge['id']}, verdict: drop}}]")
    assert analyse(tmp_path, "bundle", "--decisions", "mine.yaml")[0] == ExitStatus.DONE


def declared(root: Path) -> dict[str, Any]:
    """The items of declared.jsonl by the name of the client."""
    lines = (root / "declared.jsonl").read_text().splitlines()
    return {item["client"].get("name", "whoever"): item for item in map(json.loads, lines)}


def spec_of(root: Path, name: str) -> Any:
    """The spec of one policy."""
    (policy,) = load_documents((root / f"policies/netpolgen-allow-deployment-{name}.yaml").read_text())
    return policy["spec"]


def test_what_is_declared_and_unseen_is_listed_and_changes_nothing(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle", objects=declaring_documents(), read_config=True)
    plain = a_bundle(tmp_path / "plain")
    status, world = analyse(tmp_path, "bundle")
    assert status == ExitStatus.DONE
    assert "2 edges are declared and were not seen: declared.jsonl" in world.stderr
    assert analyse(tmp_path, "plain")[1].stdout == world.stdout
    policies = {name: text for name, text in files(root).items() if name.startswith("policies/")}
    assert policies == {name: text for name, text in files(plain).items() if name.startswith("policies/")}
    assert not any(b"hunter2" in content for content in files(root).values())
    assert declared(root)["batch"]["declaredBy"] == [
        {
            "kind": "Deployment",
            "namespace": "shop",
            "name": "batch",
            "field": "env API_URL of container main",
        }
    ]


def test_all_that_can_be_accepted_is_allowed_proven_and_marked_on_demand(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle", objects=declaring_documents(), read_config=True)
    status, world = analyse(tmp_path, "bundle", "--declared")
    assert status == ExitStatus.DONE, world.stderr
    assert "proof: all 4 accepted edges" in world.stderr
    assert "1 edge is allowed though not seen" in world.stderr
    assert "1 edge is declared and was not seen: declared.jsonl" in world.stderr
    (row,) = [line.split() for line in world.stdout.splitlines() if "shop/deployment/batch" in line]
    assert row == [
        *("shop/deployment/batch", "shop/deployment/api", "8080/TCP", "<none>", "declared"),
        *("<none>", "<none>", "<none>", "medium", "edge"),
    ]
    batch = (root / "policies/netpolgen-allow-deployment-batch.yaml").read_text()
    assert f"netpolgen.io/declared: egress/1={declared(root)['batch']['id']}" in batch
    assert len(spec_of(root, "api")["ingress"][0]["from"]) == 2


def test_decision_accepts_a_declared_edge_and_names_whoever_its_client_is(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle", objects=declaring_documents(), read_config=True)
    analyse(tmp_path, "bundle")
    lines = [item["decision"] for item in declared(root).values()]
    text = (
        "\n".join(["decisions:", *lines])
        .replace("NAMESPACE", "ingress")
        .replace("LABEL: VALUE", "app: nginx")
    )
    (root / "decisions.yaml").write_text(text)
    status, world = analyse(tmp_path, "bundle", "-o", "json")
    assert status == ExitStatus.DONE, world.stderr
    assert "2 edges are allowed though not seen" in world.stderr
    outcomes = {item["outcome"] for item in json.loads(world.stdout)["items"]}
    assert "declared" in outcomes
    assert spec_of(root, "batch")["egress"][0]["to"] == [{"podSelector": {"matchLabels": {"app": "api"}}}]
    (rule,) = spec_of(root, "web")["ingress"]
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}},
            "podSelector": {"matchLabels": {"app": "nginx"}},
        }
    ]


def test_declared_edge_whose_client_nobody_named_asks_who_it_is(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle", objects=declaring_documents(), read_config=True)
    analyse(tmp_path, "bundle")
    edge = declared(root)["whoever"]["id"]
    (root / "decisions.yaml").write_text(f"decisions: [{{edge: {edge}, verdict: accept}}]")
    status, world = analyse(tmp_path, "bundle")
    assert status == ExitStatus.PARTIAL
    assert "nobody knows who the controller of Ingress class nginx was" in world.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere", "no such directory"), (".", "holds no bundle.json"), ("empty", "no readable capture")],
)
def test_what_cannot_be_analysed_is_said_without_a_traceback(tmp_path: Path, name: str, words: str) -> None:
    a_bundle(tmp_path / "empty", captures={})
    status, world = analyse(tmp_path, name)
    assert status == (ExitStatus.NOTHING if name == "empty" else ExitStatus.ERROR)
    assert words in world.stderr
    assert "Traceback" not in world.stderr


@pytest.mark.parametrize(
    ("seed", "zone", "locale"),
    [("1", "UTC", "C"), ("2", "Pacific/Chatham", "tr_TR.UTF-8"), ("3", "America/St_Johns", "C.UTF-8")],
)
def test_same_bundle_is_the_same_bytes_under_any_seed_zone_and_locale(
    tmp_path: Path, seed: str, zone: str, locale: str
) -> None:
    captures = {**shop_captures(), "batch-1": call("10.244.1.7", "10.9.8.7", 5432)}
    recorded = a_bundle(tmp_path / "recorded", captures=captures)
    # the same files, made in another order, so that the directory lists them in another
    other = tmp_path / "other"
    for path in sorted(recorded.rglob("*"), reverse=True):
        if path.is_file():
            (other / path.relative_to(recorded)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, other / path.relative_to(recorded))
    analyse(tmp_path, "recorded", "--default-deny")
    done = subprocess.run(
        [sys.executable, "-m", "kubectl_netpolgen", "analyse", str(other), "--default-deny"],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "LC_ALL": locale,
            "LANG": locale,
            "PYTHONWARNINGS": "error",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitStatus.PARTIAL, done.stderr
    assert files(other) == files(recorded)
