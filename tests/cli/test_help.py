from __future__ import annotations

import pytest

from kubectl_netpolgen.cli.flags import Flag, Kind, dry_run_flag
from kubectl_netpolgen.cli.help import (
    flag_explanation,
    flag_text,
    program_help,
    short_help,
    usage,
    verb_help,
)
from kubectl_netpolgen.cli.verb import Verb
from kubectl_netpolgen.cli.verbs import ANALYSE, FLOWS, VERBS
from tests.goldens import check_golden

PROGRAM = "kubectl netpolgen"


def test_the_short_help_is_ten_lines_with_two_commands_to_copy() -> None:
    text = short_help(PROGRAM)
    assert len(text.splitlines()) <= 10
    assert text.count(f"  {PROGRAM} ") == 2
    check_golden("cli/help-short.txt", text)


@pytest.mark.parametrize("width", [80, 120])
def test_help_of_the_program(width: int) -> None:
    check_golden(f"cli/help-{width}.txt", program_help(PROGRAM, width=width))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_of_each_verb(verb: Verb) -> None:
    check_golden(f"cli/help-{verb.name}.txt", verb_help(verb, PROGRAM, width=80))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
@pytest.mark.parametrize("width", [1, 50, 80, 10_000])
def test_help_keeps_its_lines_within_the_width(verb: Verb, width: int) -> None:
    examples = [f"  {PROGRAM} {words}" for _, words in verb.examples]
    for line in verb_help(verb, PROGRAM, width=width).splitlines():
        assert line in examples or len(line) <= min(max(width, 66), 100)


def test_usage_names_the_operands() -> None:
    assert usage(ANALYSE, PROGRAM) == "kubectl netpolgen analyse BUNDLE [flags]"


@pytest.mark.parametrize(
    ("flag", "text"),
    [
        (Flag("namespace", "", short="n", metavar="NS"), "-n, --namespace=NS"),
        (Flag("yes", "", Kind.SWITCH), "    --yes"),
        (dry_run_flag(""), "    --dry-run[=none|client|server]"),
        (Flag("v", "", Kind.NUMBER, short="v", metavar="LEVEL"), "-v, --v=LEVEL"),
    ],
)
def test_flags_show_their_values(flag: Flag, text: str) -> None:
    assert flag_text(flag) == text


def test_defaults_are_said() -> None:
    assert flag_explanation(Flag("lease", "how long", default="180s")) == "how long (default: 180s)"
    assert flag_explanation(Flag("image", "which")) == "which"


def test_usage_says_that_an_operand_may_come_again() -> None:
    assert usage(FLOWS, "p") == "p flows INPUT [INPUT ...] [flags]"
