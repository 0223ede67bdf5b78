"""The same promise with less: PodSecurity baseline, and a user with exactly the Role that `rbac` prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e.boutique.edges import REFUSED_EDGE, all_edges
from tests.e2e.boutique.forbidden import CANARIES, FEW_PAIRS
from tests.e2e.boutique.leftovers import agents, privileges, wait_until_none_runs
from tests.e2e.boutique.product import Bundle, Finished, Product, edges_of
from tests.e2e.boutique.stage import Stage, attempt, temporary_namespace, wait_for_denial
from tests.e2e.boutique.workloads import boutique
from tests.harness.kubectl import Kubectl
from tests.harness.target import Target

BASELINE = {"pod-security.kubernetes.io/enforce": "baseline"}
# Every call is made once in four seconds, so this sees each of them several times.
DURATION = "20s"
REFUSED_CALL = (REFUSED_EDGE.client, "adservice-legacy")


@dataclass(frozen=True)
class Modest:
    """One capture in a baseline namespace by a user with nothing but the printed Role."""

    stage: Stage
    finished: Finished
    bundle: Bundle


def bind_printed_role(kubectl: Kubectl, product: Product, namespace: str, user: str = "dev") -> None:
    """Create the Roles that `rbac` prints and bind them unchanged: a missing right then fails the capture."""
    printed = product.run("rbac", "-n", namespace).expect(0).stdout
    documents = [document for document in yaml.safe_load_all(printed) if document]
    roles = [document["metadata"]["name"] for document in documents if document["kind"] == "Role"]
    assert roles and {document["kind"] for document in documents} <= {"Role", "RoleBinding"}
    kubectl.run("-n", namespace, "apply", "-f", "-", stdin=printed)
    for role in roles:
        binding = (f"test-{role}", f"--role={role}", f"--user={user}")
        kubectl.run("-n", namespace, "create", "rolebinding", *binding)


@pytest.fixture(scope="module")
def modest(cluster: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modest]:
    """Capture the whole application once, from a position in which little is allowed."""
    if cluster.dev_kubeconfig is None:
        pytest.skip("this cluster gives no second user without rights")
    kubectl = cluster.kubectl
    with temporary_namespace(kubectl, "baseline", BASELINE) as namespace:
        stage = Stage(kubectl, namespace, boutique(cluster.is_harness))
        stage.deploy()
        bind_printed_role(kubectl, Product(kubectl, cluster.kubeconfig), namespace)
        stage.wait_for_calls(stage.calls() - {REFUSED_CALL})
        bundle = Bundle(tmp_path_factory.mktemp("modest") / "bundle")
        where = ("-n", namespace, "--duration", DURATION, "--bundle", str(bundle.path))
        # By flag and not by environment: both ways of naming a kubeconfig have to work.
        dev = ("--kubeconfig", str(cluster.dev_kubeconfig))
        nobody = Product(kubectl, Path("/nonexistent"))
        finished = nobody.run("capture", *where, *dev, "--default-deny", "--yes", "-o", "json")
        yield Modest(stage, finished.expect(0), bundle)


def test_the_edges_are_found_with_namespace_rights_alone(modest: Modest, cluster: Target) -> None:
    """Nothing outside the namespace is needed to see and name what happens inside it."""
    assert edges_of(modest.finished.items(), modest.stage.namespace) == sorted(all_edges(cluster.is_harness))


def test_the_agents_fit_into_baseline_and_end(modest: Modest, cluster: Target) -> None:
    """PodSecurity baseline admits no added NET_RAW; the runtime's default capabilities have to be enough."""
    attached = agents(cluster.kubectl, modest.stage.namespace)

    assert len(attached) >= len(modest.stage.workloads)
    assert all(privileges(agent)[1] == set() for agent in attached)
    wait_until_none_runs(cluster.kubectl, modest.stage.namespace)


def test_the_application_survives_these_policies_too(modest: Modest, cluster: Target) -> None:
    """What was written with less knowledge still allows every edge anew, and still closes the rest."""
    stage = modest.stage
    before = attempt(FEW_PAIRS, stage, stage)
    cluster.kubectl.run("apply", "-n", stage.namespace, "-f", str(modest.bundle.path / "policies"))
    wait_for_denial(CANARIES, stage, stage)
    stage.restart()
    stage.wait_for_calls(stage.calls() - {REFUSED_CALL})

    assert set(before.values()) == {"connected"}
    assert set(attempt(FEW_PAIRS, stage, stage).values()) == {"timeout"}
