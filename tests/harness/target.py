"""The cluster that the end-to-end tests run against: the harness, or any other that is given."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.harness.cluster import Harness
from tests.harness.errors import HarnessError
from tests.harness.kubectl import Kubectl

FOREIGN = "NETPOLGEN_E2E_KUBECONFIG"
NODES = 2


@dataclass(frozen=True)
class Target:
    """A cluster under test, with its administrator's kubectl.

    Another cluster than the harness has neither a user `dev` nor a played Internet.
    """

    kubectl: Kubectl
    harness: Harness | None = None

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubectl.kubeconfig

    @property
    def dev_kubeconfig(self) -> Path | None:
        """The kubeconfig of user `dev`, who has no rights but those that a test binds."""
        return self.harness.where.dev_kubeconfig if self.harness else None

    @property
    def is_harness(self) -> bool:
        """Whether this is the project's own cluster."""
        return self.harness is not None


def foreign_target(environment: Mapping[str, str]) -> Target | None:
    """The cluster that the environment names, if it names one."""
    named = environment.get(FOREIGN)
    if not named:
        return None
    kubeconfig = Path(named).expanduser().absolute()
    if not kubeconfig.is_file():
        raise HarnessError(f"{FOREIGN} names {kubeconfig}, which is no file")
    binary = shutil.which("kubectl", path=environment.get("PATH"))
    if binary is None:
        raise HarnessError(f"{FOREIGN} is set, and there is no kubectl in PATH")
    return Target(Kubectl(Path(binary), kubeconfig))


def find_target() -> Target:
    """The given cluster, or the harness, which is brought up unless it is."""
    foreign = foreign_target(os.environ)
    if foreign is not None:
        return foreign
    harness = Harness()
    harness.up(NODES, lambda line: print(line, file=sys.stderr, flush=True))
    return Target(harness.kubectl, harness)
