"""YAML text: the one door to PyYAML, with libyaml where it is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

# A folded annotation would change whole paragraphs of a diff when one edge is added.
_NEVER_FOLD = 1 << 20
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotYaml(ValueError):
    """The text is no YAML; says where."""


class _Dumper(yaml.SafeDumper):
    """Indents sequences under their key, as kubectl's readers know it, and never writes aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote whatever YAML 1.1 readers might take for something else (`on`, `0x1f`, `1e3`, `12:30`)."""
    node = dumper.represent_scalar("tag:yaml.org,2002:str", text)
    if node.style is None and any(character.isdigit() for character in text[:1]):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    if text.lower() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    return node


_Dumper.add_representer(str, _represent_text)


def dump_yaml(value: Any) -> str:
    """One document in block style, keys in the order given, non-ASCII escaped."""
    return str(
        yaml.dump(
            value,
            Dumper=_Dumper,
            sort_keys=False,
            default_flow_style=False,
            width=_NEVER_FOLD,
            allow_unicode=False,
        )
    )


def dump_documents(values: Iterable[Any]) -> str:
    """Several documents, each introduced by `---`."""
    return "".join("---\n" + dump_yaml(value) for value in values)


def load_documents(text: str) -> list[Any]:
    """All documents of a text, safely (no tags, no objects); NotYaml names line and column."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise NotYaml(f"{where}{error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYaml(str(error)) from error
