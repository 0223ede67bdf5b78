from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.cli.environment import Environment
from kubectl_netpolgen.cli.main import Load, load_command, load_for_good, main, restore_library_path
from kubectl_netpolgen.cli.verb import Verb
from kubectl_netpolgen.cli.verbs import VERBS
from kubectl_netpolgen.model.errors import ClusterError, ExitStatus, NothingCaptured, UsageError
from tests.cli.factories import heard

HEAVY = ("kubernetes", "rich", "pyshark", "graphviz", "numpy", "yaml", "websocket")


class Recorder:
    """A command that notes its steps and ends as told."""

    def __init__(self, ending: Callable[[Environment], ExitStatus]) -> None:
        self.ending = ending
        self.steps: list[str] = []
        self.colour: bool | None = None

    def complete(self, arguments: argparse.Namespace, environment: Environment) -> Any:
        self.steps.append(f"complete {arguments.namespace}")
        self.colour = environment.colour
        return arguments

    def validate(self, options: Any) -> None:
        self.steps.append("validate")

    def run(self, options: Any, environment: Environment) -> ExitStatus:
        self.steps.append("run")
        return self.ending(environment)


def loading(command: Recorder) -> Load:
    def load(verb: Verb) -> Recorder:
        return command

    return load


def done(environment: Environment) -> ExitStatus:
    environment.stdout.write("product\n")
    return ExitStatus.DONE


def raising(error: BaseException) -> Callable[[Environment], ExitStatus]:
    def end(environment: Environment) -> ExitStatus:
        raise error

    return end


def ran(words: str, ending: Callable[[Environment], ExitStatus]) -> tuple[int, str, str]:
    world = heard()
    status = main(["kubectl-netpolgen", *words.split()], world.environment, load=loading(Recorder(ending)))
    return status, world.stdout, world.stderr


def test_a_command_completes_validates_and_runs() -> None:
    recorder = Recorder(done)
    world = heard()
    assert main(["x", "-n", "shop", "doctor"], world.environment, load=loading(recorder)) == 0
    assert recorder.steps == ["complete shop", "validate", "run"]
    assert (world.stdout, world.stderr) == ("product\n", "")


def test_the_commands_status_is_the_programs() -> None:
    assert ran("doctor", lambda environment: ExitStatus.PARTIAL)[0] == 3


@pytest.mark.parametrize(
    ("words", "colour"), [("--color=always", True), ("--no-color --color=always", False)]
)
def test_colour_flags_reach_the_command(words: str, colour: bool) -> None:
    recorder = Recorder(done)
    main(["x", "doctor", *words.split()], heard().environment, load=loading(recorder))
    assert recorder.colour is colour


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UsageError("no"), 2, "error: no\n"),
        (NothingCaptured("none of 3 pods"), 4, "error: none of 3 pods\n"),
        (
            ClusterError("pods is \x1b[2J forbidden", way_out="apply:\nkind: Role"),
            1,
            "error: pods is \\x1b[2J forbidden\n  apply:\n  kind: Role\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (BrokenPipeError(), 1, ""),
        (OSError(28, "No space left on device", "b/x"), 1, "error: No space left on device: b/x\n"),
        (OSError(28, "No space left on device"), 1, "error: No space left on device\n"),
        (
            ZeroDivisionError("odd\nthing"),
            1,
            "error: internal error: ZeroDivisionError: odd\\nthing; run again with -v=8 for the traceback\n",
        ),
    ],
)
def test_errors_end_in_a_line_and_a_status(error: BaseException, status: int, said: str) -> None:
    assert ran("doctor", raising(error)) == (status, "", said)


def test_a_traceback_only_for_those_who_ask() -> None:
    status, _, said = ran("doctor -v=8", raising(ZeroDivisionError("odd")))
    assert status == 1
    assert said.startswith("Traceback (most recent call last):\n")
    assert said.endswith("error: internal error: ZeroDivisionError: odd\n")
    assert "Traceback" not in ran("doctor -v=7", raising(ZeroDivisionError("odd")))[2]


def test_an_error_shows_its_cause_to_those_who_ask() -> None:
    error = ClusterError("the server said no")
    error.__cause__ = ValueError("deep down")
    assert "ValueError: deep down" in ran("doctor -v=9", raising(error))[2]


def test_usage_errors_end_with_two() -> None:
    status, out, said = ran("captur", done)
    assert (status, out) == (2, "")
    assert said == 'error: unknown command "captur"\n  did you mean "capture"?\n'


def test_help_and_completion_go_to_stdout() -> None:
    for words in ("", "--help", "capture --help", "__complete cap"):
        status, out, said = ran(words, done)
        assert (status, said) == (0, "")
        assert "capture" in out
    assert "kubectl netpolgen" in ran("", done)[1]


def test_what_a_process_has_imported_for_good_is_spared_by_the_collector() -> None:
    before = gc.get_freeze_count()
    try:
        load_for_good(VERBS[0])
        assert gc.get_freeze_count() > before
        assert gc.isenabled()
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_its_command(verb: Verb) -> None:
    command = load_command(verb)
    assert all(callable(getattr(command, step)) for step in ("complete", "validate", "run"))


@pytest.mark.parametrize(
    ("variables", "frozen", "left"),
    [
        ({"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/mine"}, True, {"LD_LIBRARY_PATH": "/mine"}),
        ({"LD_LIBRARY_PATH": "/bundle"}, True, {}),
        ({"LD_LIBRARY_PATH": "/mine"}, False, {"LD_LIBRARY_PATH": "/mine"}),
        ({}, True, {}),
    ],
)
def test_children_of_a_frozen_program_get_the_systems_libraries(
    variables: dict[str, str], frozen: bool, left: dict[str, str]
) -> None:
    restore_library_path(variables, frozen=frozen)
    assert variables == left


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "kubectl_netpolgen", "--help"],
        ["-m", "kubectl_netpolgen", "capture", "--help"],
        ["-m", "kubectl_netpolgen", "--version"],
        ["-m", "kubectl_netpolgen", "__complete", "capture", "--d"],
        ["-c", "import sys; sys.argv[1:] = ['']; from kubectl_netpolgen.cli.completion import run; run()"],
    ],
)
def test_the_quick_answers_import_nothing_heavy(words: list[str]) -> None:
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", *words], capture_output=True, text=True, check=True
    )
    assert finished.stdout
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in finished.stderr.splitlines()}
    assert not imported.intersection(HEAVY)


def test_a_reader_that_leaves_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    finished = subprocess.run(
        [sys.executable, "-m", "kubectl_netpolgen", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (finished.returncode, finished.stderr) == (1, b"")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes stdout")
def test_a_stdout_that_was_closed_is_no_traceback() -> None:
    finished = subprocess.run(
        ["sh", "-c", 'exec "$0" -m kubectl_netpolgen --help >&-', sys.executable],
        stderr=subprocess.PIPE,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which only Linux has")
def test_a_full_disk_behind_stdout_is_said_once() -> None:
    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "kubectl_netpolgen", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (finished.returncode, finished.stderr) == (1, b"error: No space left on device\n")
