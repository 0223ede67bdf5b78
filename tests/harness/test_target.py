"""Which cluster the end-to-end tests run against."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.cluster import Harness
from tests.harness.errors import HarnessError
from tests.harness.kubectl import Kubectl
from tests.harness.layout import Layout
from tests.harness.target import FOREIGN, Target, foreign_target


def test_without_the_variable_there_is_no_foreign_cluster() -> None:
    assert foreign_target({}) is None
    assert foreign_target({FOREIGN: ""}) is None


def test_a_given_kubeconfig_is_used_with_the_kubectl_in_path(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    kubectl = tmp_path / "kubectl"
    kubectl.touch(mode=0o755)
    target = foreign_target({FOREIGN: str(tmp_path / "config"), "PATH": str(tmp_path)})
    assert target == Target(Kubectl(kubectl, tmp_path / "config"))
    assert target is not None
    assert (target.is_harness, target.dev_kubeconfig) == (False, None)


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="which is no file"):
        foreign_target({FOREIGN: str(tmp_path / "config")})


def test_a_foreign_cluster_without_kubectl_is_no_use(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(HarnessError, match="no kubectl in PATH"):
        foreign_target({FOREIGN: str(tmp_path / "config"), "PATH": str(tmp_path)})


def test_the_harness_has_a_user_without_rights(tmp_path: Path) -> None:
    harness = Harness(Layout(build=tmp_path))
    target = Target(harness.kubectl, harness)
    assert target.is_harness
    assert target.kubeconfig == tmp_path / "admin.kubeconfig"
    assert target.dev_kubeconfig == tmp_path / "dev.kubeconfig"
