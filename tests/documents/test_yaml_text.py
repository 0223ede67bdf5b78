"""YAML that every reader takes for the same values: PyYAML's 1.1, Go's 1.1 with 1.2's floats, and 1.2."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.documents.yaml_text import (
    NotYaml,
    dump_documents,
    dump_yaml,
    load_documents,
    load_texts,
)

# What go-yaml v2 and v3 (and with them kubectl) resolve a plain scalar to something else by: resolve.go
_GO_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OTHER = re.compile(
    r"(?i:y|n|yes|no|on|off|true|false|null|~|[-+]?\.inf|\.nan|<<|=|)"
    r"|[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?[0-9][0-9_.]*([eE][-+]?[0-9]+)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)
TRAPS = [
    *("on", "On", "yes", "NO", "y", "N", "true", "FALSE", "null", "~", "=", "<<", "off"),
    *("0x1f", "1e3", "-1e3", "+1e3", ".1e3", ".5", "-.5", "12:30", "-12:30", "1_000", "0o17", "017", "0b11"),
    *("1", "-1", "+1", "1.5", "1.", ".inf", "-.inf", ".nan", "2026-01-02", "2026-01-02T03:04:05Z"),
    *("", " ", " lead", "trail ", "a: b", "a #b", "#c", "- x", "? x", "!tag", "&anchor", "*alias", "%dir"),
    *("{", "}", "[", "]", ",", "@at", "`tick", "'", '"', "\\", "|", ">", "---", "...", "a\nb", "\t", "\x00"),
    *("ünïcode", "日本", "\u2028", "\x85", "\ufeff", "\U0001f600", "\x1b[31m", "x" * 300, "a b " * 60),
]
TEXT = st.sampled_from(TRAPS) | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def plain_scalars(text: str) -> list[str]:
    """The scalars that are written without quotes."""
    return [
        token.value
        for token in yaml.scan(text, Loader=yaml.SafeLoader)
        if isinstance(token, yaml.ScalarToken) and token.plain
    ]


@given(VALUES)
def test_written_value_reads_back_the_same_with_and_without_libyaml(value: Any) -> None:
    text = dump_yaml({"key": value})
    assert load_documents(text) == [{"key": value}]
    assert yaml.load(text, Loader=yaml.SafeLoader) == {"key": value}


@given(TEXT)
def test_text_stays_text_for_every_reader(text: str) -> None:
    for plain in plain_scalars(dump_yaml([text, {text: text}])):
        assert not _GO_FLOAT.fullmatch(plain), plain
        assert not _OTHER.fullmatch(plain), plain


@pytest.mark.parametrize("text", TRAPS)
def test_trap_stays_text(text: str) -> None:
    assert load_texts(dump_yaml({"key": text})) == load_documents(dump_yaml({"key": text})) == [{"key": text}]
    assert all(not _GO_FLOAT.fullmatch(plain) for plain in plain_scalars(dump_yaml([text])))


@given(VALUES)
def test_text_is_ascii_without_control_characters(value: Any) -> None:
    assert re.fullmatch(r"[\n -~]*", dump_yaml(value))


def test_document_looks_as_kubectl_writes_it() -> None:
    assert dump_yaml({"b": [{"x": 1, "z": "2"}], "a": {}, "c": "plain text"}) == (
        'b:\n- x: 1\n  z: "2"\na: {}\nc: plain text\n'
    )


def test_value_that_stands_twice_is_written_twice() -> None:
    same = {"a": "b"}
    assert "&" not in dump_yaml([same, same])


def test_documents_follow_each_other() -> None:
    text = dump_documents([{"a": 1}, {"b": 2}])
    assert text == "---\na: 1\n---\nb: 2\n"
    assert load_documents(text + "---\n# nothing\n") == [{"a": 1}, {"b": 2}]


def test_json_is_yaml_too() -> None:
    assert load_documents('{"kind": "List", "items": [1]}') == [{"kind": "List", "items": [1]}]


TOO_DEEP = "inside one another|maximum nesting depth"
"""We refuse what is deeper than we read; a libyaml of 2026 does so before us, in its own words."""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: [1, 2", "line 2"),
        ("a: 1\nb: : 2", "line 2, column"),
        ("a: !!python/object/apply:os.system [true]", "line 1"),
        ("? [a]\n: b\n", "line 1"),
        ("a: 2026-99-99", "month"),
        ("a: *nobody", "undefined alias"),
        ("a: \x07", "unacceptable character"),
        ("[" * 100_000, TOO_DEEP),
        ('{"a":' * 100_000, TOO_DEEP),
        ("- " * 100_000, TOO_DEEP),
        ("\n".join(f"{' ' * depth}a:" for depth in range(1000)), TOO_DEEP),
    ],
)
def test_what_is_no_safe_yaml_says_where_or_why(text: str, named: str) -> None:
    with pytest.raises(NotYaml, match=named):
        load_documents(text)


def test_scalars_can_be_taken_as_they_stand() -> None:
    assert load_texts("a: 0123\nb: on\nc: 1e3\nd:\n---\n") == [{"a": "0123", "b": "on", "c": "1e3", "d": ""}]
