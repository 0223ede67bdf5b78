from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.commands.completion import COMPLETER, COMPLETER_SCRIPT, PLUGIN, install
from kubectl_netpolgen.model.errors import NetpolgenError
from tests.cli.factories import an_environment, heard
from tests.components import needs


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The plugin as kubectl finds it: an executable on PATH."""
    path = tmp_path / "bin" / PLUGIN
    path.parent.mkdir()
    package = Path(__file__).parents[2]
    path.write_text(
        f'#!/bin/sh\nPYTHONPATH="{package}" exec "{sys.executable}" -m kubectl_netpolgen "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def ran(shell: str, *, path: str = "") -> tuple[int, str, str]:
    world = heard(an_environment(variables={"PATH": path}))
    status = main(["kubectl-netpolgen", "completion", shell], world.environment)
    return status, world.stdout, world.stderr


def test_install_lets_kubectl_complete_the_plugin(plugin: Path) -> None:
    status, out, said = ran("install", path=str(plugin.parent))
    completer = plugin.parent / COMPLETER
    assert (status, out) == (0, "")
    assert said.startswith(f"wrote {completer};")
    finished = subprocess.run(
        [completer, "rbac", "--cluster-w"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{plugin.parent}:{os.environ['PATH']}"},
    )
    assert finished.stdout.startswith("--cluster-wide\t")
    assert finished.stdout.endswith(":4\n")


def test_install_twice_leaves_the_first_as_it_is(plugin: Path) -> None:
    install(plugin.parent)
    (plugin.parent / COMPLETER).write_text("mine")
    status, _, said = ran("install", path=str(plugin.parent))
    assert status == 0
    assert "left as it is" in said
    assert (plugin.parent / COMPLETER).read_text() == "mine"


def test_install_goes_next_to_the_link_that_is_on_path(plugin: Path, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / PLUGIN).symlink_to(plugin)
    ran("install", path=str(links))
    assert (links / COMPLETER).is_file()
    assert not (plugin.parent / COMPLETER).exists()


def test_install_without_the_plugin_on_path_says_so(tmp_path: Path) -> None:
    status, _, said = ran("install", path=str(tmp_path))
    assert status == 1
    assert said.startswith("error: kubectl-netpolgen is not on PATH")


def test_a_directory_that_cannot_be_written_gets_the_lines_to_write(tmp_path: Path) -> None:
    with pytest.raises(NetpolgenError) as caught:
        install(tmp_path / "absent")
    assert str(tmp_path / "absent" / COMPLETER) in caught.value.message
    assert COMPLETER_SCRIPT in caught.value.way_out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    status, out, said = ran(shell)
    assert (status, said) == (0, "")
    assert f"{shell} completion of {PLUGIN}" in out


@pytest.mark.parametrize("shell", [pytest.param(one, marks=needs(one)) for one in ("bash", "zsh", "fish")])
def test_each_script_is_sound_to_its_shell(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(ran(shell)[1], encoding="utf-8")
    subprocess.run([shell, "-n", script], check=True)


BASH_QUESTION = """
source "$1"; shift
COMP_WORDS=(kubectl-netpolgen "$@"); COMP_CWORD=$#
_kubectl_netpolgen
printf '%s\\n' "${COMPREPLY[@]}"
"""


@needs("bash")
@pytest.mark.parametrize(
    ("words", "replies"),
    [
        (["comp"], ["completion"]),
        (["capture", "--dns", ""], ["assumed", "observed"]),
        (["analyse", "dir"], ["directory"]),
        (["analyse", "--decisions", "dec"], ["decisions.yaml"]),
    ],
)
def test_bash_completes_words_files_and_directories(
    plugin: Path, tmp_path: Path, words: list[str], replies: list[str]
) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "decisions.yaml").touch()
    script = tmp_path / "script"
    script.write_text(ran("bash")[1], encoding="utf-8")
    finished = subprocess.run(
        ["bash", "-c", BASH_QUESTION, "bash", script, *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{plugin.parent}:{os.environ['PATH']}"},
    )
    assert finished.stdout.splitlines() == replies
