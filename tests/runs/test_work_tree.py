"""What would be committed by mistake is told, and what git ignores is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kubectl_netpolgen.runs.work_tree import committable_in
from tests.components import needs

BUNDLE = "netpolgen-shop-20260103-120000"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A work tree with a folder in it."""
    folder = tmp_path / "project"
    (folder / ".git" / "info").mkdir(parents=True)
    (folder / "deploy").mkdir()
    return folder


def test_a_path_outside_of_every_work_tree_is_none_of_gits(tmp_path: Path) -> None:
    assert committable_in(tmp_path / BUNDLE) is None


@pytest.mark.parametrize("name", [BUNDLE, f"deploy/{BUNDLE}", f"not/there/yet/{BUNDLE}"])
def test_a_path_in_a_work_tree_is_told_with_its_top(top: Path, name: str) -> None:
    assert committable_in(top / name) == top


def test_dots_are_followed_before_anything_is_looked_for(top: Path) -> None:
    assert committable_in(top / "deploy" / ".." / ".." / BUNDLE) is None
    assert committable_in(top.parent / "elsewhere" / ".." / "project" / BUNDLE) == top


def test_links_are_followed_to_where_the_files_will_lie(top: Path) -> None:
    (top / "out").symlink_to(top.parent / "elsewhere")
    (top.parent / "in").symlink_to(top)
    assert committable_in(top / "out" / BUNDLE) is None
    assert committable_in(top.parent / "in" / BUNDLE) == top
    (top / "circle").symlink_to("circle")
    assert committable_in(top / "circle" / BUNDLE) in (None, top)


def test_the_nearest_work_tree_counts_and_a_file_marks_one_too(top: Path) -> None:
    module = top / "deploy" / "module"
    module.mkdir()
    (module / ".git").write_text("gitdir: ../../.git/modules/module\n", encoding="utf-8")
    assert committable_in(module / BUNDLE) == module


def test_a_folder_that_cannot_be_looked_into_is_none(top: Path) -> None:
    # to the superuser every folder is open, so a name that no file system takes plays a closed one
    assert committable_in(top / ("x" * 300) / BUNDLE) is None


PATTERNS = [
    ("netpolgen-*/", True),
    ("netpolgen-*", True),
    (BUNDLE, True),
    ("deploy", True),
    ("deploy/", True),
    ("/deploy/netpolgen-*", True),
    ("deploy/netpolgen-*/", True),
    ("# deploy", False),
    ("", False),
    ("netpolgen", False),
    ("/netpolgen-*", False),
    ("other/netpolgen-*", False),
    ("dep*20000", False),
    ("/dep*20000", False),
    ("netpolgen-*\n!netpolgen-shop-*", False),
    ("!netpolgen-shop-*\nnetpolgen-*", True),
    ("netpolgen-*   ", True),
    ("netpolgen-shop-2026010[34]-*", True),
    ("Netpolgen-*", False),
]


@pytest.mark.parametrize("file", [".gitignore", ".git/info/exclude"])
@pytest.mark.parametrize(("patterns", "ignored"), PATTERNS)
def test_what_is_ignored_is_not_told(top: Path, file: str, patterns: str, ignored: bool) -> None:
    (top / file).write_text(patterns + "\n", encoding="utf-8")
    assert (committable_in(top / "deploy" / BUNDLE) is None) is ignored


def test_a_nearer_ignore_file_is_stronger_and_relative_to_its_folder(top: Path) -> None:
    (top / ".gitignore").write_text("netpolgen-*\n", encoding="utf-8")
    (top / "deploy" / ".gitignore").write_text(f"!/{BUNDLE}\n", encoding="utf-8")
    assert committable_in(top / "deploy" / BUNDLE) == top
    assert committable_in(top / BUNDLE) is None


@needs("git")
@pytest.mark.parametrize(("patterns", "ignored"), PATTERNS)
def test_git_itself_says_the_same(tmp_path: Path, patterns: str, ignored: bool) -> None:
    own = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=own)
    (tmp_path / "deploy" / BUNDLE).mkdir(parents=True)
    (tmp_path / ".gitignore").write_text(patterns + "\n", encoding="utf-8")
    question = ["git", "check-ignore", "-q", f"deploy/{BUNDLE}"]
    asked = subprocess.run(question, cwd=tmp_path, check=False, env=own)
    assert (asked.returncode == 0) is ignored
    assert (committable_in(tmp_path / "deploy" / BUNDLE) is None) is ignored
