"""What is derived is written into the bundle, all of it or nothing that looks fine, and shown."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.generation.proof import Proof
from kubectl_netpolgen.generation.rules import Unresolved
from kubectl_netpolgen.model.errors import BundleError, ExitStatus, NetpolgenError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.runs.derive import Derived, derive
from kubectl_netpolgen.runs.publish import Format, publish, say_how_to_apply, show
from kubectl_netpolgen.semantics.policies import parse_policy
from tests.bundles import a_bundle, call, deployment_document, pod_document, shop_captures, shop_documents
from tests.cli.factories import Heard, heard
from tests.factories import a_policy

OPTIONS = GenerationOptions(default_deny=True)


def derived(root: Path, **given: Any) -> Derived:
    """What follows from a bundle at this place."""
    return derive(a_bundle(root, **given), OPTIONS)


def files(root: Path) -> dict[str, bytes]:
    """Everything in a bundle that was derived, the pictures left out: they depend on the machine."""
    recorded = ("cluster/", "captures/", "bundle.json", "session.jsonl", "decisions.yaml")
    found = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in found.items()
        if not name.startswith(recorded) and not name.endswith((".svg", ".png"))
    }


def shown(found: Derived, root: Path, *, format: Format = Format.TABLE) -> tuple[ExitStatus, Heard]:
    """What a person sees of it."""
    world = heard()
    status = show(found, publish(found), format=format, headers=True, environment=world.environment)
    return status, world


def test_everything_derived_is_written_and_private(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    published = publish(derived(root))
    assert list(files(root)) == [
        "coverage.json",
        "coverage.md",
        "declared.jsonl",
        "edges.jsonl",
        "evidence.jsonl",
        "evidence.md",
        "excess.jsonl",
        "findings.jsonl",
        "flows.jsonl",
        "graph.dot",
        "kustomization.yaml",
        "options.json",
        "policies/netpolgen-allow-deployment-api.yaml",
        "policies/netpolgen-allow-deployment-batch.yaml",
        "policies/netpolgen-allow-deployment-web.yaml",
        "policies/netpolgen-default-deny.yaml",
        "rollout.md",
    ]
    (kustomization,) = load_documents(files(root)["kustomization.yaml"].decode())
    assert kustomization["resources"] == list(published.policies)
    assert files(root)["rollout.md"].decode().count("\n") > len(published.policies)
    assert list(published.policies) == [name for name in files(root) if name.startswith("policies/")]
    assert published.graph[0] == "graph.dot"
    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in root.rglob("*")
        if path.is_file() and "captures" not in path.parts
    }
    assert modes == {0o600}
    assert len(files(root)["edges.jsonl"].splitlines()) == 3


def test_written_policies_are_those_that_were_proven(tmp_path: Path) -> None:
    found = derived(tmp_path / "bundle")
    publish(found)
    read = [
        parse_policy(load_documents(path.read_text())[0])
        for path in sorted((tmp_path / "bundle" / "policies").iterdir())
    ]
    assert tuple(read) == found.generated.policies


def test_writing_again_writes_the_same(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    publish(derived(root))
    before = files(root)
    publish(derive(root, OPTIONS))
    assert files(root) == before


def test_policies_of_an_earlier_run_go_and_what_a_person_put_there_stays(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    found = derived(root)
    (root / "policies").mkdir()
    (root / "policies" / "netpolgen-allow-deployment-gone.yaml").write_text("x")
    (root / "policies" / "pay.netpolgen-default-deny.yaml").write_text("x")
    mine = {
        "kustomization.yaml",
        "mine.yaml",
        "my-netpolgen-allow-web.yaml",
        "netpolgen-notes.yaml",
        "netpolgen-default-denying.yaml",
        "a.b.netpolgen-default-deny.yaml",
    }
    for name in mine:
        (root / "policies" / name).write_text("mine")
    publish(found)
    names = {path.name for path in (root / "policies").iterdir()}
    assert mine <= names
    assert len(names - mine) == 4


def test_failed_proof_writes_no_policy_and_takes_the_old_ones_away(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    found = derived(root)
    publish(found)
    row = replace(found.proof.rows[0], ingress=False, refused_by=("shop/legacy",))
    with pytest.raises(NetpolgenError, match="no policies were written") as caught:
        publish(replace(found, proof=Proof((row,))))
    assert "\n" not in caught.value.message
    edge, advice = caught.value.way_out.splitlines()
    assert edge.startswith("shop/Deployment/web -> ")
    assert edge.endswith("ingress refused (shop/legacy)")
    assert "capture it too" in advice
    assert not [name for name in files(root) if name.startswith("policies/")]
    assert "edges.jsonl" in files(root)


def test_folder_of_policies_that_is_a_link_is_neither_cleared_nor_written(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    found = derived(root)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "netpolgen-allow-mine.yaml").write_text("mine")
    (root / "policies").symlink_to(mine)
    with pytest.raises(BundleError, match="is a link"):
        publish(found)
    assert [path.name for path in mine.iterdir()] == ["netpolgen-allow-mine.yaml"]


def test_several_namespaces_are_told_apart_by_file_name_and_denied_last(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    objects = [
        *shop_documents(),
        deployment_document("web", "pay"),
        pod_document("far-1", "10.244.2.5", namespace="pay", labels={"app": "web"}),
    ]
    objects[-1]["metadata"]["ownerReferences"][0].update(name="web", uid="uid-deployment-web-pay")
    captures = {**shop_captures(), "far-1": call("10.244.2.5", "203.0.113.10", 443)}
    publish(derived(root, objects=objects, captures=captures, namespaces=("pay", "shop")))
    names = sorted(path.name for path in (root / "policies").iterdir())
    assert names == [
        "pay.netpolgen-allow-deployment-web.yaml",
        "pay.netpolgen-default-deny.yaml",
        "shop.netpolgen-allow-deployment-api.yaml",
        "shop.netpolgen-allow-deployment-batch.yaml",
        "shop.netpolgen-allow-deployment-web.yaml",
        "shop.netpolgen-default-deny.yaml",
    ]


def test_other_namespaces_are_asked_apart_and_an_earlier_run_asks_no_longer(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    objects = [
        *shop_documents(),
        deployment_document("ledger", "data"),
        pod_document("ledger-1", "10.244.2.5", namespace="data", labels={"app": "ledger"}),
    ]
    objects[-1]["metadata"]["ownerReferences"][0].update(name="ledger", uid="uid-deployment-ledger-data")
    captures = {**shop_captures(), "web-1": call("10.244.1.5", "10.244.2.5", 5432)}
    found = derived(root, objects=objects, captures=captures)
    (root / "requests").mkdir()
    (root / "requests" / "old.yaml").write_text("")
    published = publish(found)
    assert published.requests == ("requests/data.yaml",)
    assert [path.name for path in (root / "requests").iterdir()] == ["data.yaml"]
    (document,) = load_documents((root / "requests" / "data.yaml").read_text())
    assert parse_policy(document) == found.generated.requests[0]
    _, world = shown(found, root)
    assert "for those who look after other namespaces: requests/data.yaml" in world.stderr


@pytest.mark.parametrize("namespace", ["../../..", "/tmp/x", "a/b", "x" * 300, "\ud800", ".."])
def test_names_out_of_a_hostile_bundle_stay_inside_it(tmp_path: Path, namespace: str) -> None:
    root = tmp_path / "deep" / "er" / "bundle"
    found = derived(root)
    policies = tuple(replace(a_policy("web"), namespace=item, name="n" * 253) for item in (namespace, "shop"))
    publish(replace(found, generated=replace(found.generated, policies=policies)))
    written = [path for path in tmp_path.rglob("*.yaml") if path != root / "kustomization.yaml"]
    assert len(written) == 2
    assert all(path.parent == root / "policies" for path in written)
    steps = (root / "rollout.md").read_text()
    assert all(re.match(r"# |\d+\. |$", line) for line in steps.splitlines())


def test_longest_name_of_a_policy_fits_into_a_file_name(tmp_path: Path) -> None:
    found = derived(tmp_path / "bundle")
    policies = tuple(replace(a_policy("web"), name="netpolgen-allow-" + "n" * 236 + last) for last in "ab")
    published = publish(replace(found, generated=replace(found.generated, policies=policies)))
    assert len(set(published.policies)) == 2


def test_table_goes_to_stdout_and_everything_else_to_stderr(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    status, world = shown(derived(root), root)
    assert status is ExitStatus.DONE
    assert "203.0.113.10" in world.stdout
    assert "proof: all 3 accepted edges" in world.stderr
    assert f"to {root}" in world.stderr


def test_edges_that_wait_for_a_decision_are_counted_beside_the_proof(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    found = derived(root)
    open_ends = tuple(Unresolved(found.edges[0], direction, "nobody knows") for direction in PolicyType)
    _, world = shown(replace(found, generated=replace(found.generated, unresolved=open_ends)), root)
    assert "1 more got through and have no rule" in world.stderr
    _, world = shown(found, root)
    assert "wait for a decision" not in world.stderr


def test_json_is_the_versioned_list(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    _, world = shown(derived(root), root, format=Format.JSON)
    document = json.loads(world.stdout)
    assert (document["apiVersion"], document["kind"], len(document["items"])) == (
        "netpolgen/v1",
        "EdgeList",
        3,
    )


def test_partial_run_says_so_to_the_shell(tmp_path: Path) -> None:
    root = tmp_path / "bundle"
    found = derived(root, findings=(Finding("x", Severity.ERROR, "Pod shop/\x1b[2J", "gone"),))
    status, world = shown(found, root)
    assert status is ExitStatus.PARTIAL
    assert "\x1b" not in world.stderr
    assert "[x]" in world.stderr


def test_way_to_apply_can_be_pasted(tmp_path: Path) -> None:
    root = tmp_path / "a bundle; rm -rf x"
    world = heard()
    say_how_to_apply(publish(derived(root)), world.environment)
    assert f"kubectl apply -f '{root}/policies'\n" in world.stderr
    assert "--dry-run=server" in world.stderr
