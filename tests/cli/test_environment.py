from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from kubectl_netpolgen.cli.environment import Environment, decide_colour, decide_width
from kubectl_netpolgen.runs import ports
from tests.cli.factories import NOON, an_environment, heard


def test_it_is_what_the_rooms_below_ask_for() -> None:
    asked: ports.Environment = an_environment()
    assert asked.now() == NOON
    assert asked.monotonic() == 0.0


def test_what_is_said_is_one_line_whatever_it_holds() -> None:
    world = heard()
    world.environment.say("pod \x1b[2J\nerror: fake\u202e")
    assert world.stderr == "pod \\x1b[2J\\nerror: fake\\u202e\n"
    assert world.stdout == ""


@pytest.mark.parametrize(
    ("variables", "terminal", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_follows_the_variables_then_the_terminal(
    variables: dict[str, str], terminal: bool, colour: bool
) -> None:
    assert decide_colour(variables, terminal=terminal) is colour


@pytest.mark.parametrize(
    ("columns", "measured", "width"),
    [
        ("120", 90, 120),
        ("", 90, 90),
        ("", 0, 80),
        ("0", 90, 90),
        ("-5", 90, 90),
        ("999999999", 90, 90),
        ("x", 0, 80),
    ],
)
def test_width_is_columns_or_measured_or_eighty(columns: str, measured: int, width: int) -> None:
    assert decide_width({"COLUMNS": columns}, measure=lambda: measured) == width


def test_a_person_decides_over_everything() -> None:
    assert an_environment(colour=True).with_colour("never").colour is False
    assert an_environment().with_colour("always").stderr_colour is True
    assert an_environment(colour=True).with_colour("auto").colour is True


def test_a_process_without_a_terminal_is_seen_as_one() -> None:
    program = (
        "from kubectl_netpolgen.cli.environment import Environment as E\n"
        "e = E.from_process()\n"
        "print(e.stdin_is_terminal, e.stdout_is_terminal, e.stderr_is_terminal, e.colour, e.width)\n"
        "print(e.directory.is_absolute(), e.variables['COLUMNS'], e.now() > 0, e.monotonic() > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "77", "NO_COLOR": "1"},
    )
    assert done.stdout == "False False False False 77\nTrue 77 True True\n"


def test_streams_escape_what_their_encoding_cannot_carry() -> None:
    program = (
        "from kubectl_netpolgen.cli.environment import Environment as E\n"
        "E.from_process().stdout.write('naïve \\u2192')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout == b"na\\xefve \\u2192"


def test_missing_streams_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    environment = Environment.from_process()
    assert isinstance(environment.stdin, io.StringIO)
    assert environment.stdin_is_terminal is False
