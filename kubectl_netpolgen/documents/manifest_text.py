"""Kubernetes manifests as text: documents with their lines, whatever is wrong with their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from kubectl_netpolgen.documents.json_text import NotJson, load_json
from kubectl_netpolgen.documents.yaml_text import NotYaml, load_documents

_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
"""A line that begins so is a marker wherever it stands: inside of a value it is indented (YAML 1.2, 9.1)."""
_LARGEST = 1_000_000
"""Values that a document may come to when its aliases are written out."""


class BadDocument(ValueError):
    """A document that nobody can read; says why, and at which line of the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def load_manifest(text: str) -> Iterator[tuple[int, Any | BadDocument]]:
    """Each document's line and its value, or what is wrong with it: one bad document costs one.

    JSON is one document; YAML is cut at its markers first, so that a broken one takes no other along.
    """
    if text.lstrip()[:1] in ("{", "["):
        line = 1 + text[: len(text) - len(text.lstrip())].count("\n")
        try:
            yield line, load_json(text)
        except NotJson:
            # flow style of YAML begins so, too
            yield from _yaml(text)
        return
    yield from _yaml(text)


def _yaml(text: str) -> Iterator[tuple[int, Any | BadDocument]]:
    for line, begun, part in _parts(text):
        try:
            for document in load_documents(part):
                _refuse_bomb(document)
                yield line, document
        except NotYaml as error:
            yield line, BadDocument(begun + _line_of(str(error)), str(error))


def _parts(text: str) -> Iterator[tuple[int, int, str]]:
    """The line of each document's first words, the line where its text begins, and its text."""
    starts = [0, *(match.start() for match in _MARKER.finditer(text)), len(text)]
    line = 1
    for start, end in pairwise(starts):
        part = text[start:end]
        for number, item in enumerate(part.splitlines()):
            # directives stand before the first marker and are a document of nothing
            words = item.strip()
            if words and words != "---" and not words.startswith(("#", "%", "--- #")):
                yield line + number, line, part
                break
        line += part.count("\n")


def _line_of(reason: str) -> int:
    found = re.match(r"line (\d+)", reason)
    return int(found.group(1)) - 1 if found else 0


def _refuse_bomb(document: Any) -> None:
    """NotYaml for aliases that come to a million values when written out, or that hold themselves."""
    sizes: dict[int, int] = {}

    def size(value: Any) -> int:
        if not isinstance(value, (dict, list)):
            return 1
        known = sizes.get(id(value))
        if known == 0:
            raise NotYaml("an alias holds itself")
        if known is None:
            sizes[id(value)] = 0
            items = value.values() if isinstance(value, dict) else value
            known = sizes[id(value)] = 1 + sum(map(size, items))
            if known > _LARGEST:
                raise NotYaml(f"more than {_LARGEST:,} values, with the aliases written out")
        return known

    size(document)
