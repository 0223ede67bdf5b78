from __future__ import annotations

import shlex

import pytest

from kubectl_netpolgen.cli.parser import Invocation, parse
from kubectl_netpolgen.cli.verb import Verb
from kubectl_netpolgen.cli.verbs import VERBS, find_verb

by_name = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)


def test_both_spellings_of_analyse_are_the_same_verb() -> None:
    assert find_verb("analyze") is find_verb("analyse")
    assert find_verb("analyze") is not None


def test_an_unknown_word_is_no_verb() -> None:
    assert find_verb("captur") is None
    assert find_verb("") is None


@by_name
def test_no_two_flags_of_a_verb_share_a_spelling_or_an_attribute(verb: Verb) -> None:
    spellings = [spelling for flag in verb.all_flags for spelling in flag.spellings]
    assert len(spellings) == len(set(spellings))
    attributes = [flag.attribute for flag in verb.all_flags]
    attributes += [operand.attribute for operand in verb.operands]
    assert len(attributes) == len(set(attributes))


def test_a_flag_means_the_same_with_every_verb() -> None:
    # the verb is looked for before its flags are known, so whether a flag takes a value must not depend on it
    alone: dict[str, str] = {}
    for verb in VERBS:
        for flag in verb.all_flags:
            for spelling in flag.spellings:
                assert alone.setdefault(spelling, flag.alone) == flag.alone


@by_name
def test_every_example_parses_to_its_own_verb(verb: Verb) -> None:
    assert verb.examples
    for comment, words in verb.examples:
        assert comment
        invocation = parse(shlex.split(words.split(" > ")[0]), program="kubectl netpolgen")
        assert isinstance(invocation, Invocation)
        assert invocation.verb is verb


@by_name
def test_short_descriptions_fit_a_list(verb: Verb) -> None:
    assert len(verb.short) <= 66
    assert not verb.short.endswith(".")
    assert verb.long.endswith(".")


@by_name
def test_output_is_always_a_format_and_a_directory_is_always_the_bundle(verb: Verb) -> None:
    for flag in verb.flags:
        if flag.short == "o":
            assert flag.name == "output"
            assert flag.choices
        if flag.metavar == "DIR":
            assert flag.name == "bundle"
