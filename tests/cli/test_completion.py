from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.cli.completion import DIRECTORIES, FILES, NO_FILES, answer
from kubectl_netpolgen.cli.verbs import VERBS


def values(*words: str) -> list[str]:
    *lines, directive = answer(words).splitlines()
    assert directive.startswith(":")
    return [line.split("\t")[0] for line in lines]


def directive(*words: str) -> str:
    return answer(words).splitlines()[-1]


def test_with_nothing_typed_the_verbs_are_offered_with_their_help() -> None:
    assert values("") == [verb.name for verb in VERBS]
    assert answer([""]).splitlines()[0] == f"capture\t{VERBS[0].short}"
    assert answer([]) == answer([""])


def test_only_what_continues_the_word_is_offered() -> None:
    assert values("c") == ["capture", "connectivity", "clean", "completion"]
    assert values("-n", "shop", "cap") == ["capture"]


def test_flags_of_the_verb_and_of_kubectl() -> None:
    expected = ["--duration", "--default-deny", "--dns", "--direction", "--declared", "--dry-run"]
    assert values("capture", "--d") == expected
    assert "--context" in values("capture", "--")
    assert "--duration" not in values("--")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("capture", "-o", ""), ["table", "json"]),
        (("capture", "--output", "j"), ["json"]),
        (("capture", "--dns=o"), ["--dns=observed"]),
        (("capture", "--dry-run="), ["--dry-run=none", "--dry-run=client", "--dry-run=server"]),
        (("capture", "--yes="), ["--yes=true", "--yes=false"]),
        (("analyse", "--per", ""), ["workload", "namespace", "label="]),
        (("--color", "a"), ["auto", "always"]),
    ],
)
def test_values_of_a_flag(words: tuple[str, ...], expected: list[str]) -> None:
    assert values(*words) == expected


def test_operands_are_offered_once() -> None:
    assert values("completion", "") == ["bash", "zsh", "fish", "install"]
    assert values("completion", "bash", "") == []
    assert values("completion", "--no-color", "f") == ["fish"]


def test_files_and_directories_are_left_to_the_shell() -> None:
    assert directive("analyse", "") == DIRECTORIES
    assert directive("capture", "--bundle", "") == DIRECTORIES
    assert directive("analyse", "--decisions", "") == FILES
    assert directive("capture", "--kubeconfig=") == FILES
    assert directive("capture", "") == NO_FILES


def test_an_unknown_verb_has_no_continuation() -> None:
    assert answer(["captur", ""]) == ":4\n"


def test_a_bare_flag_does_not_swallow_the_next_word() -> None:
    assert values("completion", "--no-color", "") == ["bash", "zsh", "fish", "install"]


@given(st.lists(st.text(), max_size=5))
def test_any_words_get_an_answer_in_the_protocol(words: list[str]) -> None:
    assert answer(words).splitlines()[-1] in (NO_FILES, DIRECTORIES, FILES)


def test_the_program_that_kubectl_looks_for() -> None:
    program = "import sys; sys.argv[1:] = ['vers']; from kubectl_netpolgen.cli.completion import run; run()"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout == "version\tPrint the version\n:4\n"


def test_files_are_offered_for_every_operand_that_may_come_again() -> None:
    for words in (["flows", ""], ["flows", "a.pcap", "b.pcap", ""]):
        assert answer(words) == FILES + "\n"
