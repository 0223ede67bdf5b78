"""Help as text, laid out as kubectl lays out its own."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag, Kind
from kubectl_netpolgen.cli.verb import Operand, Verb
from kubectl_netpolgen.cli.verbs import VERBS

_LEFT = 30
"""Column where the explanation of a flag begins."""
_NARROWEST, _WIDEST = 50, 100

PURPOSE = (
    "Watch the real traffic of a Kubernetes namespace and write the NetworkPolicies that allow exactly that."
)


def short_help(program: str) -> str:
    """What the program says when it is asked nothing: ten lines, two of them to copy."""
    return f"""\
{PURPOSE}

See what it makes of a recorded application, without a cluster:
  {program} demo

Watch your own namespace for a minute:
  {program} capture -n NAMESPACE

All commands: {program} --help
"""


def program_help(program: str, *, width: int) -> str:
    """The commands and the flags that all of them take."""
    return "\n".join(
        (
            _paragraph(PURPOSE, width),
            f"Usage:\n  {program} COMMAND [flags]\n",
            "Commands:\n" + "".join(_entry(f"  {verb.name}", verb.short, width, left=16) for verb in VERBS),
            "Flags of every command:\n" + _flag_entries(COMMON_FLAGS, width),
            _paragraph(
                "Exit status: 0 done, 1 error, 2 usage, 3 partial (it says what is missing), "
                "4 nothing captured, 130 interrupted.",
                width,
            ),
            f"More about a command: {program} COMMAND --help\n",
        )
    )


def verb_help(verb: Verb, program: str, *, width: int) -> str:
    """One verb: what it does, its usage, examples and flags."""
    parts = [_paragraph(verb.long, width), f"Usage:\n  {usage(verb, program)}\n"]
    if verb.aliases:
        parts.append(f"Also as: {', '.join(verb.aliases)}\n")
    parts.append(
        "Examples:\n" + "\n".join(f"  # {comment}\n  {program} {words}\n" for comment, words in verb.examples)
    )
    if verb.operands:
        parts.append(
            "Arguments:\n"
            + "".join(_entry(f"  {operand.name}", _with_choices(operand), width) for operand in verb.operands)
        )
    if verb.flags:
        parts.append("Flags:\n" + _flag_entries(verb.flags, width))
    parts.append("Flags of every command:\n" + _flag_entries(COMMON_FLAGS, width))
    return "\n".join(parts)


def usage(verb: Verb, program: str) -> str:
    """`kubectl netpolgen analyse BUNDLE [flags]`."""
    return " ".join((program, verb.name, *map(_operand_text, verb.operands), "[flags]"))


def _operand_text(operand: Operand) -> str:
    text = f"[{operand.name}]" if operand.optional else operand.name
    return f"{text} [{operand.name} ...]" if operand.repeated else text


def _with_choices(operand: Operand) -> str:
    return f"{operand.help}: {', '.join(operand.choices)}" if operand.choices else operand.help


def flag_text(flag: Flag) -> str:
    """`-n, --namespace=NS`, with brackets around a value that may be left out."""
    value = f"={flag.placeholder}" if flag.placeholder else ""
    if flag.bare:
        value = f"[{value}]"
    if flag.name == flag.short:
        return f"-{flag.short}, --{flag.name}{value}"
    return (f"-{flag.short}, " if flag.short else "    ") + f"--{flag.name}{value}"


def flag_explanation(flag: Flag) -> str:
    """The flag's help with its default."""
    if not flag.default or flag.kind is Kind.SWITCH:
        return flag.help
    return f"{flag.help} (default: {flag.default})"


def _flag_entries(flags: Sequence[Flag], width: int) -> str:
    return "".join(_entry(f"  {flag_text(flag)}", flag_explanation(flag), width) for flag in flags)


def _entry(head: str, explanation: str, width: int, *, left: int = _LEFT) -> str:
    lines = textwrap.wrap(explanation, max(_clamp(width) - left, 20), break_on_hyphens=False)
    if len(head) + 2 > left:
        return head + "\n" + "".join(f"{'':{left}}{line}\n" for line in lines)
    first, *rest = lines
    return f"{head:{left}}{first}\n" + "".join(f"{'':{left}}{line}\n" for line in rest)


def _paragraph(text: str, width: int) -> str:
    return textwrap.fill(text, _clamp(width), break_on_hyphens=False) + "\n"


def _clamp(width: int) -> int:
    return min(max(width, _NARROWEST), _WIDEST)
