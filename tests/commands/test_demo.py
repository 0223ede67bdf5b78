"""The bundle that ships with the package, through the real analysis: what a newcomer sees first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle.reader import read_bundle
from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.commands import demo
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.bundle import SCHEMA
from kubectl_netpolgen.model.errors import BundleError, ExitStatus
from tests.cli.factories import NOON, Heard, an_environment
from tests.components import needs
from tests.e2e.boutique.edges import BOUTIQUE_EDGES

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "kubectl_netpolgen" / demo.RECORDED
LARGEST = 2 * 1024 * 1024
Finished = tuple[int, Heard, Path]


def ran(directory: Path, *words: str) -> tuple[int, Heard]:
    """`kubectl netpolgen demo` in a directory, with nothing that leads to a cluster."""
    world = Heard(an_environment(directory=directory, variables={"PATH": os.environ["PATH"]}))
    return main(["kubectl-netpolgen", "demo", *words], world.environment), world


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One demo, looked at by many tests."""
    directory = tmp_path_factory.mktemp("demo")
    status, world = ran(directory, "--bundle", "out")
    yield status, world, directory / "out"


def policies(bundle: Path) -> dict[str, Any]:
    """The policies by the names of their files."""
    return {
        path.name: load_documents(path.read_text(encoding="utf-8"))[0]
        for path in sorted((bundle / "policies").iterdir())
    }


def rows(world: Heard) -> set[tuple[str, str, str]]:
    """Client, server and port of each row of the table."""
    return {
        (cells[0], cells[1], cells[2])
        for cells in (line.split() for line in world.stdout.splitlines()[1:])
        if len(cells) > 2
    }


def test_it_succeeds_and_says_where_everything_is(finished: Finished) -> None:
    status, world, bundle = finished
    assert status == ExitStatus.DONE, world.stderr
    assert world.stderr.startswith(f"analysing a recorded capture of a sample shop in {bundle} ...\n")
    assert f"to {bundle}\n" in world.stderr


def test_the_table_has_every_edge_of_the_sample_shop(finished: Finished) -> None:
    _, world, _ = finished
    (namespace,) = read_bundle(RECORDED).manifest.namespaces
    expected = {
        (
            f"{namespace}/deployment/{edge.client}",
            f"{namespace}/deployment/{edge.server}",
            f"{edge.port}/{edge.protocol}",
        )
        for edge in BOUTIQUE_EDGES
    }
    assert len(expected) == 16
    assert expected <= rows(world)


def test_every_workload_has_a_policy_and_the_deny_all_is_there(finished: Finished) -> None:
    _, _, bundle = finished
    written = policies(bundle)
    assert {document["kind"] for document in written.values()} == {"NetworkPolicy"}
    names = {edge.client for edge in BOUTIQUE_EDGES} | {edge.server for edge in BOUTIQUE_EDGES}
    assert {f"netpolgen-allow-deployment-{name}.yaml" for name in names} <= set(written)
    assert written["netpolgen-default-deny.yaml"]["spec"]["podSelector"] == {}
    for document in written.values():
        assert document["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_the_graph_is_text_everywhere(finished: Finished) -> None:
    _, _, bundle = finished
    assert "digraph" in (bundle / "graph.dot").read_text()


@needs("dot")
def test_the_graph_is_a_picture_where_graphviz_is(finished: Finished) -> None:
    _, _, bundle = finished
    assert (bundle / "graph.svg").read_bytes().rstrip().endswith(b"</svg>")
    assert (bundle / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_does_what_analyse_does_with_its_bundle(finished: Finished) -> None:
    _, shown, bundle = finished
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    world = Heard(an_environment(directory=bundle.parent, variables={"PATH": os.environ["PATH"]}))
    words = ["kubectl-netpolgen", "analyse", bundle.name, "--default-deny"]
    assert main(words, world.environment) == ExitStatus.DONE
    assert world.stdout == shown.stdout
    changed = [path.name for path, content in before.items() if path.read_bytes() != content]
    assert changed in ([], ["graph.png"])


def test_the_recorded_bundle_is_left_as_it_was(finished: Finished) -> None:
    assert not (RECORDED / "policies").exists()
    assert not (RECORDED / "edges.jsonl").exists()


def test_the_recorded_bundle_is_small_whole_and_of_this_schema() -> None:
    recorded = read_bundle(RECORDED)
    assert recorded.manifest.schema == SCHEMA
    assert recorded.findings == ()
    assert all(pod.verified for pod in recorded.manifest.pods)
    assert sum(path.stat().st_size for path in RECORDED.rglob("*") if path.is_file()) < LARGEST


def test_without_a_name_it_is_named_after_the_second(tmp_path: Path) -> None:
    status, _ = ran(tmp_path)
    assert status == ExitStatus.DONE
    assert [path.name for path in tmp_path.iterdir()] == [f"netpolgen-demo-{NOON // 1_000_000_000}"]


def test_what_is_there_already_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    status, world = ran(tmp_path, "--bundle", "mine")
    assert status == ExitStatus.USAGE
    assert world.stderr == f"error: --bundle: {tmp_path / 'mine'} exists\n  name a directory to create\n"
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_package_without_its_bundle_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "RECORDED", "absent")
    with pytest.raises(BundleError, match="the recorded bundle is not installed"):
        demo.run(demo.Options(tmp_path / "out"), an_environment())
    assert not (tmp_path / "out").exists()


def test_no_cluster_library_is_even_imported(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from kubectl_netpolgen.cli.environment import Environment\n"
        "from kubectl_netpolgen.cli.main import main\n"
        "status = main(['kubectl-netpolgen', 'demo', '--bundle', sys.argv[1]], Environment.from_process())\n"
        "names = {name.split('.')[0] for name in sys.modules}\n"
        "sys.stderr.write(str(names & {'kubernetes', 'urllib3', 'websocket', 'pyshark'}))\n"
        "sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stderr.splitlines()[-1] == "set()"
