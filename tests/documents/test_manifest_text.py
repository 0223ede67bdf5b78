"""Documents with their lines; what is broken costs no neighbour, and nothing grows without bound."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpolgen.documents.manifest_text import BadDocument, load_manifest


def read(text: str) -> list[tuple[int, Any]]:
    """Lines and values; of a bad document the line that it names."""
    return [
        (line, ("bad", document.line) if isinstance(document, BadDocument) else document)
        for line, document in load_manifest(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n# nothing\n---\n# nothing either\n", []),
        ("a: 1\n", [(1, {"a": 1})]),
        ("a: 1\n---\nb: 2\n", [(1, {"a": 1}), (3, {"b": 2})]),
        ("%YAML 1.1\n---\na: 1\n", [(3, {"a": 1})]),
        ("--- {a: 1}\n--- # said\n\nb: 2\n", [(1, {"a": 1}), (4, {"b": 2})]),
        # a marker inside of a text is indented, or no marker
        ("a: |\n  ---\n  b\n", [(1, {"a": "---\nb\n"})]),
        ("a: '---x'\n", [(1, {"a": "---x"})]),
        ('\n\n{"kind": "List"}', [(3, {"kind": "List"})]),
        ("[1, 2]", [(1, [1, 2])]),
        # flow style is no JSON and begins as such
        ("{a: 1}\n", [(1, {"a": 1})]),
    ],
)
def test_each_document_has_its_line(text: str, expected: list[tuple[int, Any]]) -> None:
    assert read(text) == expected


def test_windows_line_ends_and_a_long_file_keep_their_lines() -> None:
    text = "".join(f"---\r\na: {number}\r\nb: x\r\n" for number in range(500))
    assert read(text) == [(2 + 3 * number, {"a": number, "b": "x"}) for number in range(500)]


def test_a_broken_document_costs_itself_alone() -> None:
    found = read("a: 1\n---\nb: [1,\nc: }\n---\nd: 4\n")
    assert found[0] == (1, {"a": 1})
    assert found[2] == (6, {"d": 4})
    assert found[1][1][0] == "bad"
    assert 2 <= found[1][1][1] <= 5


def test_aliases_that_come_to_more_than_anybody_writes_are_refused() -> None:
    bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    ((_, document),) = load_manifest(bomb)
    assert isinstance(document, BadDocument)
    assert "aliases written out" in str(document)


def test_an_alias_that_holds_itself_is_refused() -> None:
    ((_, document),) = load_manifest("a: &a [1, *a]\n")
    assert isinstance(document, BadDocument)
    assert "holds itself" in str(document)


def test_aliases_of_a_few_values_are_used() -> None:
    assert read("x: &x {app: web}\na: *x\nb: *x\n")[0][1]["b"] == {"app": "web"}


@pytest.mark.parametrize("depth", [50, 900, 20_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_any_depth_is_a_value_or_an_error(depth: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    for text in (f"{opening * depth}1{closing * depth}", f"x: {opening * depth}1{closing * depth}"):
        for _, document in load_manifest(text):
            assert isinstance(document, (BadDocument, dict, list))


def test_json_of_a_cluster_is_one_document() -> None:
    items = {"kind": "List", "items": [{"kind": "Pod"}] * 3}
    assert read(json.dumps(items, indent=2)) == [(1, items)]
