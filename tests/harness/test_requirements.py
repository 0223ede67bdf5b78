"""What a person reads when the machine lacks something."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.harness import requirements
from tests.harness.errors import HarnessError
from tests.harness.requirements import KERNEL_PROBES


def found(**needs: bool) -> list[str]:
    """Every lack as it is shown."""
    wanted = {"needs_go": False, "needs_mmdebstrap": False, **needs}
    return [str(lack) for lack in requirements.lacks(**wanted)]


def test_every_program_comes_from_a_package_that_is_installed_in_ci() -> None:
    assert set(requirements.PROGRAMS.values()) <= set(requirements.packages())
    assert {"containernetworking-plugins", "mmdebstrap"} <= set(requirements.packages())
    assert requirements.packages() == sorted(requirements.packages())


def test_without_root_the_message_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert any("not root" in line and "sudo make cluster-up" in line for line in found())


def test_missing_programs_become_one_line_for_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"containerd", "ctr", "etcd", "mmdebstrap"}
    monkeypatch.setattr(requirements, "_has", lambda program: program not in absent)
    line = next(line for line in found(needs_mmdebstrap=True) if "apt-get" in line)
    assert {"containerd", "etcd-server", "mmdebstrap"} <= set(line.split())
    assert line.split().count("containerd") == 1


def test_mmdebstrap_is_needed_only_while_the_toolbox_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "_has", lambda program: program not in {"mmdebstrap", "etcd"})
    assert not any("mmdebstrap" in line for line in found())


def test_missing_cni_plugins_are_named(tmp_path: Path) -> None:
    assert "containernetworking-plugins" in requirements.missing_packages((), tmp_path)
    for plugin in ("bridge", "host-local", "portmap"):
        (tmp_path / plugin).touch()
    assert requirements.missing_packages((), tmp_path) == []


def test_go_is_asked_for_only_where_something_has_to_be_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert any("no Go" in line for line in found(needs_go=True))
    assert not any("no Go" in line for line in found())


def test_a_missing_kernel_feature_is_named_with_its_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(requirements, "missing_packages", lambda programs: [])
    monkeypatch.setattr(requirements, "_load_modules", lambda: None)
    monkeypatch.setattr(requirements.KernelProbe, "works", lambda probe: probe is not KERNEL_PROBES[1])
    assert found() == ["the kernel has no virtual cables: it needs CONFIG_VETH (module veth)"]


def test_another_system_than_linux_is_told_of_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert len(found()) == 1
    assert "NETPOLGEN_E2E_KUBECONFIG" in found()[0]


def test_everything_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(requirements, "_has", lambda program: False)
    with pytest.raises(HarnessError) as caught:
        requirements.check(needs_go=False, needs_mmdebstrap=True)
    assert "not root" in str(caught.value)
    assert "apt-get install" in str(caught.value)
