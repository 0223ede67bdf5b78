from __future__ import annotations

import random
import re

import pytest

from kubectl_netpolgen.model.edge import Endpoint
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.output.table import PLAIN_HEADINGS, edges_table
from tests.goldens import check_golden
from tests.output.factories import HOSTILE, a_workload, an_edge, an_external, many_edges


@pytest.mark.parametrize("width", [80, 120, 200])
def test_on_a_terminal(width: int) -> None:
    text = edges_table(many_edges(), width=width, colour=False, terminal=True)
    check_golden(f"output/table-{width}.txt", text)
    assert all(len(line) <= width for line in text.splitlines())
    assert "\x1b" not in text


def test_on_a_terminal_with_colour() -> None:
    coloured = edges_table(many_edges(), width=120, colour=True, terminal=True)
    check_golden("output/table-colour.txt", coloured)
    plain = edges_table(many_edges(), width=120, colour=False, terminal=True)
    without = "".join(line.rstrip() + "\n" for line in re.sub(r"\x1b\[[\d;]*m", "", coloured).splitlines())
    assert without == plain


def test_in_a_pipe() -> None:
    text = edges_table(many_edges(), width=80, colour=False, terminal=False)
    check_golden("output/table-piped.txt", text)
    columns = [re.split(r" {3,}", line) for line in text.splitlines()]
    assert {len(row) for row in columns} == {len(PLAIN_HEADINGS)}


def test_in_a_pipe_neither_width_nor_colour_matter() -> None:
    wide = edges_table(many_edges(), width=300, colour=True, terminal=False)
    assert wide == edges_table(many_edges(), width=20, colour=False, terminal=False)


def test_one_namespace_is_said_once() -> None:
    text = edges_table([an_edge()], width=80, colour=False, terminal=True)
    assert text.startswith("Edges in and around shop\n")
    assert text.count("shop") == 1


def test_the_same_edges_give_the_same_text_in_any_order() -> None:
    edges = many_edges()
    expected = [edges_table(edges, width=100, colour=False, terminal=terminal) for terminal in (True, False)]
    random.Random(1).shuffle(edges)
    assert expected == [
        edges_table(edges, width=100, colour=False, terminal=terminal) for terminal in (True, False)
    ]


def test_headings_can_be_left_out() -> None:
    for terminal in (True, False):
        with_them = edges_table([an_edge()], width=80, colour=False, terminal=terminal)
        without = edges_table([an_edge()], width=80, colour=False, terminal=terminal, headers=False)
        assert len(without.splitlines()) == len(with_them.splitlines()) - (2 if terminal else 1)
        assert "OUTCOME" not in without


def test_declared_edge_was_last_seen_never() -> None:
    edge = an_edge(outcome=Outcome.DECLARED, connections=None, bytes=None, first=0, last=0)
    _, row = edges_table([edge], width=80, colour=False, terminal=False).splitlines()
    assert row.split()[4:8] == ["declared", "<none>", "<none>", "<none>"]
    text = edges_table([edge], width=120, colour=False, terminal=True)
    assert "declared, not seen" in text
    assert " UTC" not in text and "1970" not in text


def test_no_edges_are_no_rows() -> None:
    assert edges_table([], width=80, colour=False, terminal=True) == ""
    assert len(edges_table([], width=80, colour=False, terminal=False).splitlines()) == 1


def hostile_ends(name: str) -> list[Endpoint]:
    return [a_workload(name), a_workload("x", owner_kind=name or "Pod"), an_external("203.0.113.1", name)]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_names_are_text(name: str, terminal: bool) -> None:
    for end in hostile_ends(name):
        text = edges_table([an_edge(end, end, port_name=name)], width=200, colour=False, terminal=terminal)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\udcff]", text)
    if name == "[red]x[/red]":
        assert name in text


@pytest.mark.parametrize("width", [1, 10, 40])
def test_a_narrow_terminal_is_no_error(width: int) -> None:
    assert edges_table(many_edges(), width=width, colour=False, terminal=True)


def test_what_does_not_fit_is_folded_and_never_cut() -> None:
    name = "postgresql-primary-" * 8
    text = edges_table([an_edge(server=a_workload(name))], width=80, colour=False, terminal=True)
    assert name in re.sub(
        r"\s+|8080/TCPhttpestablished3", "", re.sub(r"8080/TCP http +established +3", "", text)
    )
