"""`analyse` repeats everything after the capture: same bundle, same bytes, wherever and whenever."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.model.errors import ExitStatus
from tests.bundles import a_bundle, call, shop_captures
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
