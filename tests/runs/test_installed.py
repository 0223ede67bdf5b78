"""The version that bundles and people are told."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netpolgen.runs.installed import DISTRIBUTION, UNKNOWN, installed_version

ROOT = Path(__file__).parents[2]


def test_the_name_is_the_one_that_pip_installs() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    assert settings["metadata"]["name"] == DISTRIBUTION


def test_an_installed_tool_knows_its_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", installed_version())


def test_a_bare_checkout_says_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("sys.meta_path", [])
    assert installed_version() == UNKNOWN


def test_what_reads_the_metadata_is_imported_only_when_asked() -> None:
    program = (
        "import sys, kubectl_netpolgen.runs.installed as installed\n"
        "before = 'importlib.metadata' in sys.modules\n"
        "installed.installed_version()\n"
        "print(before, 'importlib.metadata' in sys.modules)"
    )
    # -S: the site module of an editable installation may have imported it already
    finished = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert finished.stdout == "False True\n"
