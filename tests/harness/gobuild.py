"""The cluster's programs, built by Go from pinned modules and kept by the hash of their sources."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.harness.errors import HarnessError

SOURCES = Path(__file__).parent / "binaries"


def pinned_version(module: str, required: str) -> str:
    """The version of `required` that a module's go.mod pins.

    Read rather than repeated, so that go.mod is the only place to raise a version.
    """
    text = (SOURCES / module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require)?\s*{re.escape(required)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise HarnessError(f"{SOURCES / module / 'go.mod'} does not require {required}")
    return found.group(1)


@dataclass(frozen=True)
class GoModule:
    """One pinned module and the programs built from it.

    `programs` maps a program's file name to its Go package.
    """

    name: str
    programs: tuple[tuple[str, str], ...]
    linker_flags: str = "-s -w"

    @property
    def source(self) -> Path:
        """The directory with go.mod, go.sum and perhaps a main.go."""
        return SOURCES / self.name

    def fingerprint(self) -> str:
        """A hash of everything that decides what the programs do."""
        digest = hashlib.sha256(repr((self.programs, self.linker_flags)).encode())
        for path in sorted(self.source.iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:16]

    def directory(self, cache: Path) -> Path:
        """Where the built programs are kept."""
        return cache / "binaries" / f"{self.name}-{self.fingerprint()}"


def kubernetes() -> GoModule:
    """The control plane, the node agents and kubectl, all of one version."""
    version = pinned_version("kubernetes", "k8s.io/kubernetes")
    names = (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
    )
    return GoModule(
        "kubernetes",
        tuple((name, f"k8s.io/kubernetes/cmd/{name}") for name in names),
        f"-s -w -X k8s.io/component-base/version.gitVersion={version}",
    )


MODULES = (
    GoModule("pause", (("pause", "."),)),
    GoModule("coredns", (("coredns", "."),)),
    GoModule("network-policies", (("kube-network-policies", "sigs.k8s.io/kube-network-policies/cmd"),)),
    kubernetes(),
)


@dataclass(frozen=True)
class Programs:
    """The built programs by name."""

    paths: dict[str, Path]

    def __getitem__(self, name: str) -> Path:
        """The file of one program."""
        return self.paths[name]


def missing_modules(cache: Path) -> list[GoModule]:
    """The modules that still have to be built: only then does the machine need Go."""
    return [module for module in MODULES if not module.directory(cache).is_dir()]


def built_programs(cache: Path) -> Programs:
    """Where every program is once `build_module` has run for each missing module."""
    return Programs(
        {program: module.directory(cache) / program for module in MODULES for program, _ in module.programs}
    )


def build_module(module: GoModule, cache: Path) -> None:
    """Build a module's programs into the cache, all or nothing.

    They are built beside their place and renamed, so that a killed build leaves no half of one.
    """
    target = module.directory(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{module.name}-") as scratch:
        programs = Path(scratch) / "programs"
        programs.mkdir()
        for name, packages in _build_steps(module):
            _go_build(module, programs / name, packages)
        if not target.exists():
            programs.rename(target)


def _build_steps(module: GoModule) -> list[tuple[str, list[str]]]:
    """One call of Go for all programs where Go's own choice of file name is the right one."""
    if all(name == package.rsplit("/", 1)[-1] for name, package in module.programs):
        return [("", [package for _, package in module.programs])]
    return [(name, [package]) for name, package in module.programs]


def _go_build(module: GoModule, output: Path, packages: list[str]) -> None:
    # A trailing slash tells Go that the output is a directory.
    target = f"{output}/" if output.is_dir() else str(output)
    command = ["go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
    finished = subprocess.run(
        [*command, "-ldflags", module.linker_flags, "-o", target, *packages],
        cwd=module.source,
        env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise HarnessError(f"go build of {module.name} failed:\n{finished.stderr[-4000:]}")
