"""kubectl's door, with a script in kubectl's place that repeats what it was given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.harness.kubectl import Kubectl, KubectlError

SCRIPT = """#!/bin/sh
case "$*" in
  *fail*) echo "no such thing" >&2; exit 7 ;;
  *slow*) exec sleep 30 ;;
  *version*) echo '{"kind": "Version"}' ;;
  *) echo "$*"; cat ;;
esac
"""


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    """A kubectl that only repeats."""
    binary = tmp_path / "kubectl"
    binary.write_text(SCRIPT)
    binary.chmod(0o755)
    return Kubectl(binary, tmp_path / "config")


def test_the_kubeconfig_is_always_named(kubectl: Kubectl) -> None:
    assert kubectl.run("get", "pods").stdout == f"--kubeconfig={kubectl.kubeconfig} get pods\n"


def test_a_failure_carries_kubectls_own_words(kubectl: Kubectl) -> None:
    with pytest.raises(KubectlError, match="no such thing") as caught:
        kubectl.run("fail")
    assert caught.value.process.returncode == 7
    assert kubectl.run("fail", check=False).returncode == 7


def test_a_call_that_hangs_is_ended(kubectl: Kubectl) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        kubectl.run("slow", timeout=0.2)


def test_json_is_asked_for_and_parsed(kubectl: Kubectl) -> None:
    assert kubectl.json("version") == {"kind": "Version"}


def test_manifests_travel_as_one_list_in_order(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str | None] = []

    def keep(self: Kubectl, *args: str, stdin: str | None = None) -> None:
        sent.append(stdin)

    monkeypatch.setattr(Kubectl, "run", keep)
    kubectl.apply({"kind": "Namespace"}, {"kind": "Pod"})
    assert sent[0] is not None
    assert [item["kind"] for item in json.loads(sent[0])["items"]] == ["Namespace", "Pod"]


def test_exec_keeps_the_commands_own_options_apart(kubectl: Kubectl) -> None:
    said = kubectl.exec("shop", "web", "ls", "-n", container="main").stdout
    assert said.endswith("-n shop exec web -c main -- ls -n\n")


def test_wait_gives_kubectl_the_same_patience(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[tuple[str, ...], float]] = []

    def keep(self: Kubectl, *args: str, timeout: float) -> None:
        calls.append((args, timeout))

    monkeypatch.setattr(Kubectl, "run", keep)
    kubectl.wait("pod/web", "--for=condition=Ready", timeout=5)
    assert calls == [(("wait", "pod/web", "--for=condition=Ready", "--timeout=5s"), 15)]
