"""A yes is demanded of a person, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.errors import NetpolgenError, UsageError
from kubectl_netpolgen.runs.confirmation import demand_yes
from tests.cli.factories import an_environment, heard

WORDS = {"alone": "nobody is here", "way_out": "add --yes"}


@pytest.mark.parametrize("answer", ["y\n", "YES\n", " yes "])
def test_yes_goes_on_and_the_question_stays_off_stdout(answer: str) -> None:
    world = heard(an_environment(answers=answer, stdin_is_terminal=True))
    demand_yes("Go on?", world.environment, **WORDS)
    assert (world.stdout, world.stderr) == ("", "Go on? [y/N] ")


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yep\n"])
def test_any_other_answer_does_nothing(answer: str) -> None:
    world = heard(an_environment(answers=answer, stdin_is_terminal=True))
    with pytest.raises(NetpolgenError, match="nothing was done"):
        demand_yes("Go on?", world.environment, **WORDS)


def test_nobody_at_a_terminal_is_not_asked() -> None:
    world = heard(an_environment(answers="y\n"))
    with pytest.raises(UsageError, match="nobody is here") as caught:
        demand_yes("Go on?", world.environment, **WORDS)
    assert caught.value.way_out == "add --yes"
    assert world.stderr == ""
