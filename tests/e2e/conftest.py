"""What every end-to-end test starts from: a cluster, and a namespace of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from tests.harness.errors import HarnessError
from tests.harness.kubectl import Kubectl
from tests.harness.target import FOREIGN, Target, find_target

KEEP = "NETPOLGEN_E2E_KEEP"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of the tests that take the cluster down."""
    config.addinivalue_line("markers", "lifecycle: takes the cluster down and up again; runs last")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what a given cluster cannot show, and run what takes the cluster down after all else."""
    foreign = pytest.mark.skip(reason=f"needs the project's own harness, and {FOREIGN} names another cluster")
    kept = pytest.mark.skip(reason=f"{KEEP} is set: the running cluster is to be kept")
    for item in items:
        if os.environ.get(FOREIGN) and item.get_closest_marker("harness_only"):
            item.add_marker(foreign)
        if os.environ.get(KEEP) and item.get_closest_marker("lifecycle"):
            item.add_marker(kept)
    items.sort(key=lambda item: item.get_closest_marker("lifecycle") is not None)


@pytest.fixture(scope="session")
def cluster() -> Target:
    """The cluster under test; the harness is brought up when it is not, and left up.

    A machine that cannot run it fails the tests with the list of what it lacks: a skip would look
    like success.
    """
    lack = ""
    try:
        return find_target()
    except HarnessError as error:
        lack = str(error)
    # Outside of the handler: the message is for a person, and a chain of exceptions would bury it.
    pytest.fail(lack, pytrace=False)


@pytest.fixture
def kubectl(cluster: Target) -> Kubectl:
    """The administrator's kubectl."""
    return cluster.kubectl


@pytest.fixture
def namespace(cluster: Target) -> Iterator[str]:
    """A fresh namespace, deleted afterwards without waiting."""
    name = f"e2e-{secrets.token_hex(3)}"
    cluster.kubectl.run("create", "namespace", name)
    # Pods are refused until the namespace's account is there.
    cluster.kubectl.wait("-n", name, "--for=create", "serviceaccount/default")
    yield name
    cluster.kubectl.run("delete", "namespace", name, "--wait=false")
