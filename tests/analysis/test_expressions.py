"""Expressions are written as they would be read, whatever they are."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.analysis.expressions import (
    FIELDS,
    NONE,
    OPERATORS,
    All,
    Comparison,
    Expression,
    Field,
    Kind,
    Moment,
    Not,
    Operator,
    Some,
    Span,
    Value,
    write_expression,
)
from kubectl_netpolgen.analysis.filter_parser import parse_filter
from kubectl_netpolgen.model.rows import RowKind

NETWORKS = [
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "10.1.2.3/32", "fd00::/8", "::1/128", "0.0.0.0/0")
]
ORDERED = (Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST)


def values_of(field: Field, operator: Operator) -> st.SearchStrategy[Value]:
    if field.kind is Kind.ADDRESS:
        return st.sampled_from(NETWORKS)
    if field.kind is Kind.NUMBER:
        low = st.integers(0, 10**9)
        if operator in ORDERED:
            return low.map(lambda number: Span(number, number))
        return st.builds(lambda one, more: Span(one, one + more), low, st.integers(0, 1000))
    if field.kind is Kind.TIME:
        return st.integers(0, 4 * 10**18).map(Moment)
    if field.kind is Kind.WORD:
        return st.sampled_from(field.words)
    text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
    return text.map(str.lower) if field.name == "name" else text


@st.composite
def comparisons(draw: st.DrawFn, kind: RowKind) -> Comparison:
    field = draw(st.sampled_from([field for field in FIELDS.values() if kind in field.rows]))
    operator = draw(st.sampled_from(sorted(OPERATORS[field.kind], key=list(Operator).index)))
    several = operator in (Operator.IN, Operator.NOT_IN)
    values = draw(st.lists(values_of(field, operator), min_size=1, max_size=3 if several else 1))
    return Comparison(field.name, operator, tuple(values))


def expressions(kind: RowKind) -> st.SearchStrategy[Expression]:
    def further(parts: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        several = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(Not, parts), st.builds(All, several), st.builds(Some, several))

    return st.recursive(comparisons(kind), further, max_leaves=6)


@pytest.mark.parametrize("kind", RowKind)
@given(data=st.data())
def test_what_is_written_reads_as_the_same(kind: RowKind, data: st.DataObject) -> None:
    expression = data.draw(expressions(kind))
    assert parse_filter(write_expression(expression), kind) == expression


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (Comparison("port", Operator.EQUAL, (Span(443, 443),)), "port == 443"),
        (Comparison("port", Operator.NOT_IN, (Span(1, 9), Span(80, 80))), "port not in {1-9, 80}"),
        (Comparison("vlan", Operator.EQUAL, (NONE,)), "vlan == none"),
        (Comparison("name", Operator.LIKE, ("*.test",)), "name ~ *.test"),
        (Comparison("file", Operator.EQUAL, ('a "b"',)), 'file == "a \\"b\\""'),
        (Comparison("file", Operator.EQUAL, ("and",)), 'file == "and"'),
        (Not(Comparison("protocol", Operator.EQUAL, ("tcp",))), "not protocol == tcp"),
    ],
)
def test_expressions_read_as_a_person_would_write_them(expression: Expression, text: str) -> None:
    assert write_expression(expression) == text


def test_every_field_has_operators_and_words_where_it_needs_them() -> None:
    for field in FIELDS.values():
        assert OPERATORS[field.kind]
        assert bool(field.words) is (field.kind is Kind.WORD)
        assert field.name == field.name.lower()
