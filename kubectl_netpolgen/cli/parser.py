"""The one user of argparse: words to a verb and its arguments; imports no command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple, NoReturn

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag, Kind
from kubectl_netpolgen.cli.verb import Verb
from kubectl_netpolgen.cli.verbs import VERBS, VERSION, find_verb
from kubectl_netpolgen.model.errors import UsageError

_HELP_WORDS = ("-h", "--help", "--help=true")


class Invocation(NamedTuple):
    """A verb to run with its arguments."""

    verb: Verb
    arguments: argparse.Namespace


class HelpRequest(NamedTuple):
    """Help was asked for: of a verb, of the program, or, with nothing said at all, the short one."""

    verb: Verb | None
    short: bool = False


class _Formatter(argparse.HelpFormatter):
    """Checks arguments' words; told a width, because help is ours and asking the terminal is not free."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of printing and exiting, so that one place ends the program."""

    def error(self, message: str) -> NoReturn:
        # argparse names a flag by all of its spellings; people know it by the one with two dashes
        raise UsageError(message.removeprefix("argument "), way_out=f"see: {self.prog} --help")


def program_name(path: str) -> str:
    """`kubectl netpolgen` where the program was found as a plugin, so that usage can be copied and run."""
    return "kubectl netpolgen" if PurePath(path).name.startswith("kubectl-") else "kubectl-netpolgen"


def build_parser(verb: Verb, program: str) -> argparse.ArgumentParser:
    """The parser of one verb, which takes its own flags and kubectl's."""
    parser = _Parser(
        prog=f"{program} {verb.name}", add_help=False, allow_abbrev=False, formatter_class=_Formatter
    )
    for flag in verb.all_flags:
        _add_flag(parser, flag)
    for operand in verb.operands:
        parser.add_argument(
            operand.attribute,
            metavar=operand.name,
            nargs="+" if operand.repeated else "?" if operand.optional else None,
            type=_choice_of(operand.choices) if operand.choices else str,
        )
    return parser


def _add_flag(parser: argparse.ArgumentParser, flag: Flag) -> None:
    if flag.kind is Kind.REPEATED:
        parser.add_argument(
            *flag.spellings,
            dest=flag.attribute,
            action="append",
            default=None if flag.remembered else [],
            metavar=flag.placeholder,
        )
        return
    convert = _conversion(flag)
    default: Any = False if flag.kind is Kind.SWITCH else None
    parser.add_argument(
        *flag.spellings,
        dest=flag.attribute,
        default=None if flag.remembered else convert(flag.default) if flag.default else default,
        type=convert,
        # a bare flag has been given its `=value` before argparse sees it: with nargs="?" the next word,
        # `--dry-run shop`, would be taken for its value
        nargs="?" if flag.alone else None,
        const=flag.alone or None,
        metavar=flag.placeholder or "true|false",
    )


def _conversion(flag: Flag) -> Callable[[str], Any]:
    if flag.kind is Kind.CHOICE:
        return _choice_of(flag.choices)
    return {Kind.SWITCH: _truth, Kind.NUMBER: _number, Kind.DURATION: _duration}.get(flag.kind, str)


def _choice_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    # of `label=KEY` what follows the sign is the person's own word
    own = tuple(choice[: choice.index("=") + 1] for choice in choices if "=" in choice)

    def convert(text: str) -> str:
        said = any(text.startswith(start) and text != start for start in own)
        if not said and (text not in choices or "=" in text):
            raise argparse.ArgumentTypeError(f'"{text}" is none of {", ".join(choices)}')
        return text

    return convert


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f'"{text}" is neither true nor false')
    return text == "true"


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f'"{text}" is no number')
    return int(text)


def _duration(text: str) -> float:
    # its patterns take longer to compile than most commands have use for
    from kubectl_netpolgen.cli.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def known_flags() -> Iterator[Flag]:
    """Every flag of every verb, the common ones first; the same name may come more than once."""
    yield from COMMON_FLAGS
    for verb in VERBS:
        yield from verb.flags


def _spelled(*, alone: bool) -> frozenset[str]:
    return frozenset(
        spelling for flag in known_flags() if bool(flag.alone) is alone for spelling in flag.spellings
    )


def split_verb(words: Sequence[str]) -> tuple[str, list[str]]:
    """The verb and all other words: flags may stand before it, as kubectl's may, and mean the same there.

    The verb is empty when there is none before `--`.
    """
    takes_value = _spelled(alone=False)
    position = 0
    while position < len(words) and words[position] != "--":
        word = words[position]
        if not word.startswith("-") or word == "-":
            return word, [*words[:position], *words[position + 1 :]]
        position += 2 if word in takes_value else 1
    return "", list(words)


def _attach_values(words: Sequence[str]) -> list[str]:
    """Write a flag that stands alone with the value that it means: `--dry-run` as `--dry-run=client`."""
    meanings = {spelling: flag.alone for flag in known_flags() for spelling in flag.spellings if flag.alone}
    end = words.index("--") if "--" in words else len(words)
    attached = [f"{word}={meanings[word]}" if word in meanings else word for word in words[:end]]
    return attached + list(words[end:])


def _join_choices(words: Sequence[str]) -> list[str]:
    """Write a choice of two words as one: `--per label app` as `--per=label=app`."""
    pairs = {
        (spelling, choice[: choice.index("=")])
        for flag in known_flags()
        for choice in flag.choices
        if "=" in choice
        for spelling in flag.spellings
    }
    end = words.index("--") if "--" in words else len(words)
    joined: list[str] = []
    position = 0
    while position < end:
        flag, equals, choice = words[position].partition("=")
        width = 2 if equals else 3
        if not equals and position + 1 < end:
            choice = words[position + 1]
        own = words[position + width - 1 : position + width] if position + width <= end else []
        if (flag, choice) in pairs and own and not own[0].startswith("-"):
            joined.append(f"{flag}={choice}={own[0]}")
            position += width
        else:
            joined.append(words[position])
            position += 1
    return joined + list(words[end:])


def nearest(word: str, choices: Sequence[str]) -> str:
    """`did you mean "capture"?`, or nothing when no choice is near."""
    import difflib

    found = difflib.get_close_matches(word, choices, n=1)
    return f'did you mean "{found[0]}"?' if found else ""


def parse(words: Sequence[str], *, program: str) -> Invocation | HelpRequest:
    """What the words after the program's name ask for; UsageError when they make no sense."""
    word, others = split_verb(_join_choices(words))
    if word == "help":
        word, others = split_verb(others)[0], ["--help"]
    verb = find_verb(word)
    if word and verb is None:
        names = [name for known in VERBS for name in (known.name, *known.aliases)]
        raise UsageError(
            f'unknown command "{word}"', way_out=nearest(word, names) or f"see: {program} --help"
        )
    before_dashes = others[: others.index("--")] if "--" in others else others
    if any(word in _HELP_WORDS for word in before_dashes):
        return HelpRequest(verb)
    if verb is None and "--version" in before_dashes:
        verb, others = VERSION, [word for word in others if word != "--version"]
    if verb is None:
        if others:
            raise UsageError("no command given", way_out=f"see: {program} --help")
        return HelpRequest(None, short=True)
    return Invocation(verb, _parse_arguments(verb, others, program=program))


def _gather_operands(words: Sequence[str]) -> list[str]:
    """The flags first, then the operands: argparse wants several operands side by side, and people do not."""
    takes_value = _spelled(alone=False)
    flags: list[str] = []
    operands: list[str] = []
    position = 0
    while position < len(words) and words[position] != "--":
        word = words[position]
        width = 2 if word in takes_value else 1
        (flags if word.startswith("-") and word != "-" else operands).extend(
            words[position : position + width]
        )
        position += width
    return [*flags, "--", *operands, *words[position + 1 :]]


def _parse_arguments(verb: Verb, words: Sequence[str], *, program: str) -> argparse.Namespace:
    words = _attach_values(words)
    if any(operand.repeated for operand in verb.operands):
        words = _gather_operands(words)
    arguments, unknown = build_parser(verb, program).parse_known_args(words)
    if unknown:
        way_out = f"see: {program} {verb.name} --help"
        name = unknown[0].split("=", 1)[0]
        if not name.startswith("-"):
            raise UsageError(f'{verb.name}: one word too many: "{name}"', way_out=way_out)
        flags = [spelling for flag in verb.all_flags for spelling in flag.spellings]
        raise UsageError(f"unknown flag: {name}", way_out=nearest(name, flags) or way_out)
    for flag in known_flags():
        # one shape for all verbs: a flag that a verb does not have reads as not given
        if not hasattr(arguments, flag.attribute):
            setattr(arguments, flag.attribute, False if flag.kind is Kind.SWITCH else None)
    return arguments
