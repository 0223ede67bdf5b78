"""Write what is made from the command tree: plugin.yaml, docs/commands.md and the table in README.md.

`make docs` runs this; tests/test_docs.py fails while any of them is not what it would write.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag
from kubectl_netpolgen.cli.help import PURPOSE, flag_explanation, flag_text, usage, verb_help
from kubectl_netpolgen.cli.verb import Operand, Verb
from kubectl_netpolgen.cli.verbs import VERBS
from kubectl_netpolgen.documents.yaml_text import dump_yaml
from kubectl_netpolgen.model.bundle import SCHEMA
from kubectl_netpolgen.model.errors import ExitStatus

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = "kubectl netpolgen"
TABLE = re.compile(r"(?<=<!-- commands: made by `make docs` -->\n).*?(?=<!-- end of commands -->)", re.DOTALL)

PLUGIN_HEADER = """\
# The command tree in the schema of kubectl 1.8's plugin descriptors, made by `make docs` from the parser.
# kubectl 1.12 and later do not read it: this is documentation that a program can read.
"""

COMMANDS_HEADER = """\
# Commands

Made by `make docs` from the command tree; `kubectl netpolgen COMMAND --help` prints the same.
"""


def plugin_yaml() -> str:
    """The whole tree as plugin.yaml."""
    tree = {
        "name": "netpolgen",
        "shortDesc": "Write NetworkPolicies from observed traffic",
        "longDesc": PURPOSE,
        "example": f"{PROGRAM} capture -n shop",
        "command": "kubectl-netpolgen",
        "flags": [_flag(flag) for flag in COMMON_FLAGS],
        "tree": [_verb(verb) for verb in VERBS],
        "x-netpolgen": {
            "apiVersion": "netpolgen/v1",
            "bundleSchema": SCHEMA,
            "exitStatus": {status.name.lower(): int(status) for status in ExitStatus},
            "optionalPrograms": ["dot"],
        },
    }
    return PLUGIN_HEADER + dump_yaml(tree)


def _verb(verb: Verb) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": verb.name,
        "shortDesc": verb.short,
        "longDesc": verb.long,
        "example": "\n".join(f"# {comment}\n{PROGRAM} {words}" for comment, words in verb.examples),
        "command": f"kubectl-netpolgen {verb.name}",
    }
    if verb.flags:
        entry["flags"] = [_flag(flag) for flag in verb.flags]
    beyond: dict[str, Any] = {}
    if verb.aliases:
        beyond["aliases"] = list(verb.aliases)
    if verb.operands:
        beyond["operands"] = [
            {"name": operand.name, "desc": operand.help, **_choices(operand.choices), **_repeated(operand)}
            for operand in verb.operands
        ]
    if beyond:
        entry["x-netpolgen"] = beyond
    return entry


def _repeated(operand: Operand) -> dict[str, Any]:
    return {"repeated": True} if operand.repeated else {}


def _flag(flag: Flag) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": flag.name}
    if flag.short:
        entry["shorthand"] = flag.short
    entry["desc"] = flag.help
    if flag.default:
        entry["defValue"] = flag.default
    if flag.choices or flag.bare:
        bare = {"bare": flag.bare} if flag.bare else {}
        entry["x-netpolgen"] = {**_choices(flag.choices), **bare}
    return entry


def _choices(choices: Sequence[str]) -> dict[str, Any]:
    return {"choices": list(choices)} if choices else {}


def commands_page() -> str:
    """docs/commands.md: the help of every verb."""
    parts = [COMMANDS_HEADER, _flags_section()]
    for verb in VERBS:
        # the common flags are said once, at the top
        text = verb_help(verb, PROGRAM, width=100).split("\nFlags of every command:\n")[0].strip("\n")
        parts.append(f"## {verb.name}\n\n```\n{text}\n```\n")
    return "\n".join(parts)


def _flags_section() -> str:
    rows = "".join(
        f"| `{_cell(flag_text(flag))}` | {_cell(flag_explanation(flag))} |\n" for flag in COMMON_FLAGS
    )
    return f"## Flags of every command\n\nBefore the command or after it.\n\n| flag | |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    """Text for a table, in which a bar would end the cell."""
    return text.strip().replace("|", "\\|")


def commands_table() -> str:
    """The README's table: a line a verb."""
    rows = "".join(
        f"| [`{usage(verb, PROGRAM)}`](docs/commands.md#{verb.name}) | {verb.short} |\n" for verb in VERBS
    )
    return f"| command | does |\n|---|---|\n{rows}"


def readme(text: str) -> str:
    """The README with its table made anew; ValueError when the marks around the table are gone."""
    if len(TABLE.findall(text)) != 1:
        raise ValueError("README.md has lost the marks around its table of commands")
    return TABLE.sub(lambda match: commands_table(), text)


def generated() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    path = ROOT / "README.md"
    return {
        ROOT / "plugin.yaml": plugin_yaml(),
        ROOT / "docs" / "commands.md": commands_page(),
        path: readme(path.read_text(encoding="utf-8")),
    }


def main() -> None:
    """Write them all."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
