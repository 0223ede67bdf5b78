"""YAML text: the one door to PyYAML, with libyaml where it is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

# A folded annotation would change whole paragraphs of a diff when one edge is added.
_NEVER_FOLD = 1 << 20
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TextLoader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# Both loaders descend by recursion; libyaml's ends the whole process some ten thousand levels down.
_DEEPEST = 500


class NotYaml(ValueError):
    """The text is no YAML; says where."""


class _Dumper(yaml.SafeDumper):
    """Writes sequences at their key's column, as kubectl does, and never aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote whatever YAML 1.1 readers might take for something else (`on`, `0x1f`, `-1e3`, `12:30`)."""
    node = dumper.represent_scalar("tag:yaml.org,2002:str", text)
    if text[:1].isdigit() or text[:1] in ("+", "-", "."):
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
    return _load(text, _Loader)


def load_texts(text: str) -> list[Any]:
    """The same with every scalar as it stands there: an edge id of digits alone is no number."""
    return [document for document in _load(text, _TextLoader) if document != ""]


def _load(text: str, loader: Any) -> list[Any]:
    try:
        _refuse_depth(text)
        return [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise NotYaml(f"{where}{error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYaml(str(error)) from error


def _refuse_depth(text: str) -> None:
    """NotYaml for lists in lists in lists, found without recursion and only where there can be any."""
    brackets = text.count("[") + text.count("{")
    # a block inside a block begins further to the right, or at the same column as a list under its key
    if brackets < _DEEPEST and 2 * max(map(len, text.splitlines()), default=0) < _DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark is not None else 0
                raise NotYaml(f"line {line}: more than {_DEEPEST} collections inside one another")
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
