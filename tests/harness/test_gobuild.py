"""Which programs are built from what, and when a cached build may be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components import needs
from tests.harness import gobuild
from tests.harness.errors import HarnessError
from tests.harness.gobuild import GoModule


def test_kubectl_comes_from_the_same_module_as_the_cluster() -> None:
    kubernetes = gobuild.kubernetes()
    assert {"kube-apiserver", "kubelet", "kubectl"} <= {program for program, _ in kubernetes.programs}


def test_the_version_told_is_the_version_pinned() -> None:
    version = gobuild.pinned_version("kubernetes", "k8s.io/kubernetes")
    assert version.startswith("v1.")
    assert gobuild.kubernetes().linker_flags.endswith(f"gitVersion={version}")


def test_a_module_that_is_not_pinned_is_refused() -> None:
    with pytest.raises(HarnessError, match="does not require"):
        gobuild.pinned_version("kubernetes", "example.test/nothing")


def test_every_module_but_the_one_without_dependencies_pins_checksums() -> None:
    without = [module.name for module in gobuild.MODULES if not (module.source / "go.sum").is_file()]
    assert without == ["pause"]


def test_the_cache_is_keyed_by_everything_that_goes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gobuild, "SOURCES", tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "go.mod").write_text("module m\n")
    plain = GoModule("m", (("tool", "."),))
    before = plain.fingerprint()
    assert GoModule("m", (("tool", "."),), "-s").fingerprint() != before
    assert GoModule("m", (("other", "."),)).fingerprint() != before
    (tmp_path / "m" / "go.mod").write_text("module n\n")
    assert plain.fingerprint() != before


def test_nothing_is_missing_once_it_is_there(tmp_path: Path) -> None:
    assert gobuild.missing_modules(tmp_path) == list(gobuild.MODULES)
    for module in gobuild.MODULES:
        module.directory(tmp_path).mkdir(parents=True)
    assert gobuild.missing_modules(tmp_path) == []
    assert gobuild.built_programs(tmp_path)["kubectl"].parent.name.startswith("kubernetes-")


@needs("go")
def test_a_failed_build_leaves_nothing_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobuild, "SOURCES", tmp_path / "sources")
    source = tmp_path / "sources" / "broken"
    source.mkdir(parents=True)
    (source / "go.mod").write_text("module broken\n\ngo 1.24\n")
    (source / "main.go").write_text("package main\n\nfunc main() { nonsense }\n")
    with pytest.raises(HarnessError, match="go build of broken failed"):
        gobuild.build_module(GoModule("broken", (("broken", "."),)), tmp_path / "cache")
    assert list((tmp_path / "cache" / "binaries").iterdir()) == []
