"""What the tests of the sample application ask of a cluster, whoever provides it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tests.harness.kubectl import Kubectl


class Cluster(Protocol):
    """A cluster under test: who may do what on it, and whether it is our own."""

    @property
    def kubectl(self) -> Kubectl:
        """Return kubectl with an administrator's rights."""

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""

    @property
    def dev_kubeconfig(self) -> Path | None:
        """Return the kubeconfig of a user called dev, who has no rights but those that a test binds."""

    @property
    def is_harness(self) -> bool:
        """Say whether this is the project's own cluster, with the world outside that it plays."""
