"""Filters read as they are said, and errors know their column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.expressions import DEEPEST, LONGEST, write_expression
from kubectl_netpolgen.analysis.filter_parser import FilterError, parse_filter
from kubectl_netpolgen.model.rows import RowKind


def reading(text: str, kind: RowKind = RowKind.CONVERSATIONS) -> str:
    return write_expression(parse_filter(text, kind))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("port 443", "port == 443"),
        ("PORT = 443", "port == 443"),
        ("serverPort == 443", "port == 443"),
        ("tcp", "protocol == tcp"),
        ("10.0.0.1", "host == 10.0.0.1"),
        ("10.1.2.3/8", "host == 10.0.0.0/8"),
        ("::ffff:10.0.0.1", "host == 10.0.0.1"),
        ("client in 10.0.0.0/8 && !udp", "client in {10.0.0.0/8} and not protocol == udp"),
        ("port in {80,443}", "port in {80, 443}"),
        ("port == {80, 443}", "port in {80, 443}"),
        ("port != {80}", "port not in {80}"),
        ("port not in 8000-8999", "port not in {8000-8999}"),
        ("bytes > 10k", "bytes > 10000"),
        ("bytes >= 1Mi", "bytes >= 1048576"),
        ("first >= 2026-01-02", "first >= 2026-01-02T00:00:00.000000Z"),
        ("last < 2026-01-02T03:04", "last < 2026-01-02T03:04:00.000000Z"),
        ("name ~ *.Example.com", "name ~ *.example.com"),
        ("tcp and udp or sctp", "(protocol == tcp and protocol == udp) or protocol == sctp"),
        ("tcp and (udp or sctp)", "protocol == tcp and (protocol == udp or protocol == sctp)"),
        ("tunnel != none", "tunnel != none"),
        ("clientport 40000", "clientport == 40000"),
    ],
)
def test_a_filter_means_what_it_says(text: str, meaning: str) -> None:
    assert reading(text) == meaning


@pytest.mark.parametrize(
    ("text", "start", "message", "hint"),
    [
        ("", 0, "too early", "port == 443"),
        ("prot == tcp", 0, '"prot" is no field', "protocol"),
        ("tcp xyz", 4, "a new comparison", "and, or"),
        ("port == https", 8, '"https" is no value', "number"),
        ("outcome == establishd", 11, '"establishd" is no value', "established"),
        ("port ~ 4", 5, "has no ~", "expected"),
        ("(tcp", 4, "closed", ")"),
        ("tcp)", 3, "closes no parenthesis", ""),
        ("port in {80", 11, "set", "}"),
        ("port < {80}", 5, "one value", "in"),
        ('name == "x', 8, "never closed", ""),
        ("tcp and", 7, "too early", ""),
        ("port == and", 8, "needs a value", ""),
        ("port 9-1", 5, "is no value", ""),
        ("client == fe80::1%eth0", 10, "is no value", "network"),
        ("tcp & udp", 4, "means nothing", ""),
    ],
)
def test_an_error_names_its_place_and_what_was_expected(
    text: str, start: int, message: str, hint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, RowKind.CONVERSATIONS)
    assert (caught.value.start, message in caught.value.message) == (start, True), caught.value.message
    assert caught.value.end > caught.value.start
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "kind", "hint"),
    [
        ("clientport == 1", RowKind.FLOWS, "--conversations"),
        ("clientports == 1", RowKind.CONVERSATIONS, "leave --conversations out"),
        ("address == 10.0.0.1", RowKind.FLOWS, "host"),
        ("port == 1", RowKind.NAMES, "leave it out"),
    ],
)
def test_a_field_that_rows_of_a_kind_lack_is_said_to_be_lacking(text: str, kind: RowKind, hint: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, kind)
    assert "have no" in caught.value.message
    assert hint in caught.value.hint


def test_depth_and_length_are_bounded() -> None:
    assert reading("(" * DEEPEST + "tcp" + ")" * DEEPEST) == "protocol == tcp"
    for text in ("(" * 5000, "not " * (DEEPEST + 1) + "tcp", "tcp or " * LONGEST):
        with pytest.raises(FilterError):
            parse_filter(text, RowKind.FLOWS)


@given(st.text(max_size=60), st.sampled_from(RowKind))
def test_whatever_is_typed_is_read_or_refused_at_a_place_inside_it(text: str, kind: RowKind) -> None:
    try:
        parse_filter(text, kind)
    except FilterError as error:
        assert 0 <= error.start <= len(text)
        assert error.end > error.start


words = st.lists(
    st.sampled_from(
        [
            "tcp",
            "port",
            "==",
            "in",
            "{",
            "}",
            ",",
            "80",
            "(",
            ")",
            "and",
            "or",
            "not",
            "10.0.0.1",
            "~",
            '"',
            "<",
        ]
    ),
    max_size=14,
).map(" ".join)


@given(words, st.sampled_from(RowKind))
def test_whatever_words_are_put_together_are_read_or_refused(text: str, kind: RowKind) -> None:
    try:
        expression = parse_filter(text, kind)
    except FilterError as error:
        assert 0 <= error.start <= len(text)
    else:
        assert parse_filter(write_expression(expression), kind) == expression
