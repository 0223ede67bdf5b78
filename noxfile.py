"""The tests on every supported interpreter that this machine has: `make test-all`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nox

VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def add_pyenv_interpreters() -> None:
    """Put pyenv's real interpreters on PATH: its shims answer only for the versions that are global."""
    try:
        listed = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return
    directories = [
        str(path.parent)
        for version in VERSIONS
        for path in Path(listed).glob(f"versions/{version}*/bin/python{version}")
    ]
    os.environ["PATH"] = os.pathsep.join([*directories, os.environ.get("PATH", "")])


def found() -> list[str]:
    """The versions whose interpreter answers."""
    return [version for version in VERSIONS if _answers(f"python{version}")]


def _answers(program: str) -> bool:
    try:
        return subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


add_pyenv_interpreters()
nox.options.default_venv_backend = "venv"
nox.options.envdir = ".venvs/nox"
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=found())
def unit(session: nox.Session) -> None:
    """The tests that need no cluster."""
    session.install("--quiet", "--editable", ".[test,fast,zstd]")
    session.run("python", "-m", "pytest", "tests", "--ignore=tests/e2e", "-q", *session.posargs)
