"""`kubectl_complete-netpolgen`: what may come next, in the protocol of cobra's `__complete`.

kubectl 1.26 and later runs that program with the words typed so far, the last one maybe empty, and expects
lines `value<TAB>help` and at the end `:DIRECTIVE` (cobra completions.go; kubernetes pull request 105867).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag
from kubectl_netpolgen.cli.parser import split_verb
from kubectl_netpolgen.cli.verb import Operand, Verb
from kubectl_netpolgen.cli.verbs import VERBS, find_verb

NO_FILES = ":4"
"""ShellCompDirectiveNoFileComp."""
DIRECTORIES = ":16"
"""ShellCompDirectiveFilterDirs."""
FILES = ":0"
"""ShellCompDirectiveDefault: the shell completes file names."""

Candidate = tuple[str, str]
"""A value and its help."""


def answer(words: Sequence[str]) -> str:
    """The candidates for the last of the words, one a line, then the directive."""
    *before, current = words or [""]
    candidates, directive = _candidates(before, current)
    lines = [f"{value}\t{text}" for value, text in candidates if value.startswith(current)]
    return "\n".join((*lines, directive)) + "\n"


def _candidates(before: Sequence[str], current: str) -> tuple[Iterable[Candidate], str]:
    word, others = split_verb(before)
    verb = find_verb(word)
    if word and verb is None:
        return (), NO_FILES
    flags = verb.all_flags if verb else COMMON_FLAGS
    if before and (flag := _flag_of(before[-1], flags)) is not None and not flag.alone:
        return _values(flag, prefix="")
    if "=" in current and (flag := _flag_of(current.split("=", 1)[0], flags)) is not None:
        return _values(flag, prefix=current.split("=", 1)[0] + "=")
    if current.startswith("-"):
        return ((f"--{flag.name}", flag.help) for flag in flags), NO_FILES
    if verb is None:
        return ((known.name, known.short) for known in VERBS), NO_FILES
    return _operands(verb, others)


def _flag_of(word: str, flags: Sequence[Flag]) -> Flag | None:
    return next((flag for flag in flags if word in flag.spellings), None)


def _values(flag: Flag, *, prefix: str) -> tuple[Iterable[Candidate], str]:
    if flag.metavar == "DIR":
        return (), DIRECTORIES
    if flag.metavar == "FILE":
        return (), FILES
    choices = flag.choices or (("true", "false") if flag.alone else ())
    # of `label=KEY` only what stands before the person's own word
    heads = [choice[: choice.index("=") + 1] if "=" in choice else choice for choice in choices]
    return ((prefix + head, flag.help) for head in heads), NO_FILES


def _operands(verb: Verb, others: Sequence[str]) -> tuple[Iterable[Candidate], str]:
    operand = _next_operand(verb, others)
    if operand is None:
        return (), NO_FILES
    if operand.directory:
        return (), DIRECTORIES
    if operand.files:
        return (), FILES
    return ((choice, operand.help) for choice in operand.choices), NO_FILES


def _next_operand(verb: Verb, others: Sequence[str]) -> Operand | None:
    """The operand that stands next, after those that were typed already."""
    given = 0
    word, rest = split_verb(others)
    while word:
        given += 1
        word, rest = split_verb(rest)
    if given < len(verb.operands):
        return verb.operands[given]
    last = verb.operands[-1:]
    return last[0] if last and last[0].repeated else None


def run() -> NoReturn:
    """The console script that kubectl looks for."""
    try:
        sys.stdout.write(answer(sys.argv[1:]))
        sys.stdout.flush()
    except BrokenPipeError:
        # the shell has moved on
        sys.exit(1)
    sys.exit(0)
