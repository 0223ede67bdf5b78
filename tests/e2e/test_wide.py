"""The promise over two namespaces, with workloads, Services and events that the shop has not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml

from tests.e2e.boutique.leftovers import wait_until_none_runs
from tests.e2e.boutique.product import Bundle, Finished, Product, application_rows
from tests.e2e.pods import eventually
from tests.e2e.wide.edges import ALL, wide_edges
from tests.e2e.wide.matrix import Attempt, Outcomes, forbidden, try_all, try_from_outside
from tests.e2e.wide.scene import Scene, wide_scene
from tests.harness.target import Target

pytestmark = pytest.mark.harness_only

DURATION = os.environ.get("NETPOLGEN_E2E_WIDE_DURATION", "50s")
# One for each captured workload, and one for each namespace that denies the rest.
POLICIES = 12 + 2
CANARIES = (Attempt("web", "operator", 9901), Attempt("auditor", "db", 5432))


@dataclass(frozen=True)
class Captured:
    """One capture, and what it left behind."""

    scene: Scene
    product: Product
    finished: Finished
    bundle: Bundle


@pytest.fixture(scope="module")
def captured(cluster: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Captured]:
    """Run the application until everything works, then capture it while things happen to it."""
    assert cluster.harness is not None
    product = Product(cluster.kubectl, cluster.kubeconfig)
    bundle = Bundle(tmp_path_factory.mktemp("first") / "bundle")
    with wide_scene(cluster.harness, tmp_path_factory.mktemp("wide")) as scene:
        yield Captured(scene, product, scene.capture(product, bundle, DURATION).expect(0), bundle)


@dataclass(frozen=True)
class Enforced:
    """What the forbidden attempts said before and after the policies."""

    before: Outcomes
    after: Outcomes


@pytest.fixture(scope="module")
def enforced(captured: Captured) -> Enforced:
    """Apply the written policies and restart every pod, so that everything has to open anew under them."""
    scene = captured.scene
    attempts = forbidden((*scene.ordering.workloads, *scene.storage.workloads), scene.elsewhere.workloads)
    before = try_all(attempts, scene) | try_from_outside(scene)
    scene.kubectl.run("apply", "-f", str(captured.bundle.path / "policies"))
    assert eventually(lambda: set(try_all(CANARIES, scene).values()) == {"timeout"}, 60), "not in force"
    scene.restart()
    scene.wait_for_calls()
    return Enforced(before, try_all(attempts, scene) | try_from_outside(scene))


@pytest.fixture(scope="module")
def repeated(captured: Captured, enforced: Enforced, tmp_path_factory: pytest.TempPathFactory) -> Captured:
    """Capture again, as long and with the same events, under the policies of the first capture."""
    bundle = Bundle(tmp_path_factory.mktemp("second") / "bundle")
    finished = captured.scene.capture(captured.product, bundle, DURATION).expect(0)
    return Captured(captured.scene, captured.product, finished, bundle)


def written(bundle: Bundle) -> dict[str, str]:
    """The files that a person applies, hands on or keeps, by their names."""
    single = [bundle.path / name for name in ("kustomization.yaml", "rollout.md", "graph.dot")]
    files = [*bundle.policies(), *(bundle.path / "requests").iterdir(), *single]
    return {str(file.relative_to(bundle.path)): file.read_text(encoding="utf-8") for file in files}


def edges_of(captured: Captured) -> list[object]:
    """The application's own rows of a capture, as the list of expected edges writes them."""
    rows = application_rows(captured.finished.items())
    return list(wide_edges(rows, captured.scene.places.aliases()))


def test_the_edges_are_exactly_those_of_the_application(captured: Captured) -> None:
    """None is missing, none is invented, and an address that two pods had stands for each at its time."""
    assert edges_of(captured) == sorted(ALL)


def test_the_neighbour_is_told_what_its_own_side_needs(captured: Captured) -> None:
    """The namespace that is not captured is not ours to isolate: its needs are written apart."""
    text = (captured.bundle.path / "requests" / f"{captured.scene.places.elsewhere}.yaml").read_text()
    asked = {
        item["metadata"]["name"]: sorted({"ingress", "egress"} & set(item["spec"]))
        for item in yaml.safe_load_all(text)
    }

    assert asked == {
        "netpolgen-allow-deployment-auditor": ["egress"],
        "netpolgen-allow-deployment-ledger": ["ingress"],
    }


def test_nothing_of_ours_runs_afterwards(captured: Captured) -> None:
    """Also of pods that came, ended or were replaced during the capture."""
    for stage in (captured.scene.ordering, captured.scene.storage):
        wait_until_none_runs(captured.scene.kubectl, stage.namespace)


def test_every_forbidden_attempt_connected_before_the_policies(enforced: Enforced) -> None:
    """An attempt that never connected would prove nothing by timing out."""
    assert len(enforced.before) >= 600
    assert {str(key): said for key, said in enforced.before.items() if said != "connected"} == {}


def test_every_forbidden_attempt_times_out_under_the_policies(enforced: Enforced) -> None:
    """Every pod at every port of every other, but for the edges, which worked or the fixture had failed."""
    assert len(enforced.after) == len(enforced.before)
    assert {str(key): said for key, said in enforced.after.items() if said != "timeout"} == {}


def test_a_second_capture_finds_the_same_edges(repeated: Captured, captured: Captured) -> None:
    """Also through the policies, with other pods, other addresses and another job; DNS and probes too."""
    first, second = ({row["id"] for row in item.finished.items()} for item in (captured, repeated))

    assert edges_of(repeated) == edges_of(captured)
    assert second == first


def test_a_second_capture_writes_the_same_bytes(repeated: Captured, captured: Captured) -> None:
    """Of the policies, of what the neighbour is told and of the order, so that a diff in git is empty."""
    first, second = (written(item.bundle) for item in (captured, repeated))

    assert len([name for name in first if name.startswith("policies/")]) == POLICIES
    assert second == first


def test_what_the_cluster_stores_is_what_was_written(repeated: Captured) -> None:
    """The form is the API server's own, so an apply of the second run's policies changes nothing."""
    policies = str(repeated.bundle.path / "policies")
    difference = repeated.scene.kubectl.run("diff", "-f", policies, check=False)

    assert (difference.returncode, difference.stdout) == (0, ""), difference.stderr
