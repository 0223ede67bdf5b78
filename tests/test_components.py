"""What is skipped, and where nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components import needs

PRESENT = "netpolgen-present"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of PATH, with one program in it."""
    program = tmp_path / PRESENT
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def is_skipped(program: str) -> bool:
    return bool(needs(program).mark.args[0])


def test_a_test_runs_where_its_program_is(programs: Path) -> None:
    assert not is_skipped(PRESENT)


def test_a_machine_without_it_skips_and_names_it(programs: Path) -> None:
    assert is_skipped("netpolgen-absent")
    assert needs("netpolgen-absent").mark.kwargs["reason"] == "needs the program netpolgen-absent"


@pytest.mark.parametrize(("said", "skipped"), [("true", False), ("", True), ("false", True)])
def test_in_ci_the_test_runs_and_so_fails(
    programs: Path, monkeypatch: pytest.MonkeyPatch, said: str, skipped: bool
) -> None:
    monkeypatch.setenv("CI", said)
    assert is_skipped("netpolgen-absent") is skipped
