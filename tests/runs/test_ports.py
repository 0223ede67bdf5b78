"""The world that commands may ask of is the one that the command line hands them, and that tests play."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from kubectl_netpolgen.cli.environment import Environment
from kubectl_netpolgen.runs import ports
from tests.cli.factories import NOON, an_environment, heard

# mypy holds these two assignments: what the command line makes, and what tests make, fulfil the protocol.
FROM_PROCESS: Callable[[], ports.Environment] = Environment.from_process
PLAYED: Callable[[], ports.Environment] = an_environment

MEMBERS = sorted(name for name in vars(ports.Environment) if not name.startswith("_"))


@pytest.mark.parametrize("make", [FROM_PROCESS, PLAYED], ids=["from-process", "played"])
@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_that_is_asked_for_is_there(make: Callable[[], ports.Environment], name: str) -> None:
    environment = make()
    asked = inspect.getattr_static(ports.Environment, name)
    assert callable(getattr(environment, name)) is not isinstance(asked, property)


def test_nothing_that_the_command_line_decides_is_out_of_the_commands_reach() -> None:
    # the clocks are asked by their methods
    assert {field.name for field in fields(Environment)} - {"clock", "ticks"} <= set(MEMBERS)


def test_both_streams_are_asked_for_colour_apart() -> None:
    environment: ports.Environment = an_environment(colour=True, stderr_colour=False)
    assert (environment.colour, environment.stderr_colour) == (True, False)


def test_a_relative_path_is_read_against_the_given_directory(tmp_path: Path) -> None:
    environment: ports.Environment = an_environment(directory=tmp_path)
    assert environment.directory / "bundle" == tmp_path / "bundle"


def test_the_clocks_are_those_that_were_handed_in() -> None:
    environment: ports.Environment = an_environment(ticks=lambda: 7.5)
    assert (environment.now(), environment.monotonic()) == (NOON, 7.5)


def test_what_is_said_never_reaches_the_product() -> None:
    world = heard()
    asked: ports.Environment = world.environment
    asked.say("hello")
    assert (world.stdout, world.stderr) == ("", "hello\n")
