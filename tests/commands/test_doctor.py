"""One screen: what a capture would meet, and whether it would work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_netpolgen.cluster.access import role
from kubectl_netpolgen.commands import doctor
from kubectl_netpolgen.model.errors import ClusterError, ExitStatus, NothingCaptured
from tests.cli.factories import Heard, an_environment
from tests.cluster.fake_api import FakeApi
from tests.cluster.rights import granted_by
from tests.commands.arguments import parsed


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.store.put("Namespace", "shop")
        running.store.put("Pod", "web-1", namespace="shop", status={"phase": "Running"})
        yield running


def examine(server: FakeApi, directory: Path, *, namespace: str = "shop") -> tuple[ExitStatus, Heard]:
    variables = {"KUBECONFIG": str(server.kubeconfig(directory)), "PATH": str(directory)}
    heard = Heard(an_environment(variables=variables))
    options = doctor.complete(parsed(namespace=namespace), heard.environment)
    doctor.validate(options)
    return doctor.run(options, heard.environment), heard


def test_a_cluster_that_is_ready_says_so(server: FakeApi, tmp_path: Path) -> None:
    dot = tmp_path / "dot"
    dot.touch(mode=0o700)
    status, heard = examine(server, tmp_path)
    assert status is ExitStatus.DONE
    assert heard.stdout == (
        "CHECK            RESULT\n"
        "context          fake\n"
        f"server           {server.url} (Kubernetes v1.34.4)\n"
        "namespace shop   1 pod to capture\n"
        f"graphs           {dot}\n"
        "\n"
        "ready to capture\n"
    )


def test_a_missing_right_would_make_a_capture_fail(server: FakeApi, tmp_path: Path) -> None:
    server.rights = lambda verb, target: target.permission != "pods/exec"
    status, heard = examine(server, tmp_path)
    assert status is ExitStatus.ERROR
    assert "create, get pods/exec" in heard.stdout
    assert "- pods/exec" in heard.stdout
    assert heard.stdout.endswith("a capture would fail\n")


def test_pods_that_may_not_be_listed_are_not_called_none(server: FakeApi, tmp_path: Path) -> None:
    server.rights = lambda verb, target: target.resource != "pods"
    status, heard = examine(server, tmp_path)
    assert status is ExitStatus.ERROR
    assert "namespace shop   its pods may not be listed\n" in heard.stdout


def test_namespace_rights_alone_are_enough_and_their_limit_is_told(server: FakeApi, tmp_path: Path) -> None:
    server.rights = granted_by(role("shop"))
    status, heard = examine(server, tmp_path)
    assert status is ExitStatus.DONE
    assert "peers there may stay addresses" in heard.stdout


def test_a_machine_without_graphviz_is_told_what_to_install(server: FakeApi, tmp_path: Path) -> None:
    status, heard = examine(server, tmp_path)
    assert status is ExitStatus.DONE
    assert "apt install graphviz" in heard.stdout


def test_what_ends_a_capture_at_once_ends_the_examination(server: FakeApi, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="does not exist"):
        examine(server, tmp_path, namespace="shopp")
    server.store.delete("Pod", "web-1", namespace="shop")
    with pytest.raises(NothingCaptured):
        examine(server, tmp_path)
