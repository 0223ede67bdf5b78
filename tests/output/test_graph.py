from __future__ import annotations

import stat
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from kubectl_netpolgen.output.dot import graph_dot
from kubectl_netpolgen.output.graph import INSTALL, find_dot, render
from tests.components import needs
from tests.output.factories import HOSTILE, a_workload, an_edge, an_external, many_edges

DOT = 'digraph { a -> b [style=solid, xlabel="80/TCP"] }'


@pytest.fixture
def fake_dot(tmp_path: Path) -> Callable[[str], Callable[[], str]]:
    """A program in the place of `dot`: the lines of a shell script; `$args` and `$graph` are given."""

    def write(script: str) -> Callable[[], str]:
        path = tmp_path / "dot"
        path.write_text(f'#!/bin/sh\nargs="$*"\ngraph=$(cat)\n{script}\n', encoding="utf-8")
        path.chmod(0o755)
        return lambda: str(path)

    return write


FakeDot = Callable[[str], Callable[[], str]]


def test_both_pictures_are_written_for_their_owner_only(tmp_path: Path, fake_dot: FakeDot) -> None:
    result = render(DOT, tmp_path, find_dot=fake_dot('echo "$args" "$graph"'))
    assert result.files == ("graph.svg", "graph.png")
    assert result.notes == ()
    assert (tmp_path / "graph.svg").read_text() == f"-Kdot -Tsvg {DOT}\n"
    assert (tmp_path / "graph.png").read_text().startswith("-Kdot -Tpng ")
    assert stat.S_IMODE((tmp_path / "graph.svg").stat().st_mode) == 0o600


def test_without_dot_a_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "graph.svg").write_text("of an earlier run")
    result = render(DOT, tmp_path, find_dot=lambda: None)
    assert result.files == ()
    assert result.notes == (f"graph.dot was written, but not drawn: no `dot` on PATH; {INSTALL}",)
    assert list(tmp_path.iterdir()) == []


def test_lost_edges_are_tried_with_the_newer_ranking(tmp_path: Path, fake_dot: FakeDot) -> None:
    find = fake_dot(
        'case "$args" in *newrank*) echo drawn ;; *) echo "lost a b edge" >&2; echo drawn ;; esac'
    )
    result = render(DOT, tmp_path, find_dot=find)
    assert (result.files, result.notes) == (("graph.svg", "graph.png"), ())


def test_edges_lost_again_are_drawn_without_ports_and_it_is_said(tmp_path: Path, fake_dot: FakeDot) -> None:
    find = fake_dot('case "$graph" in *xlabel*) echo "lost a b edge" >&2; exit 1 ;; esac; echo "$graph"')
    result = render(DOT, tmp_path, find_dot=find)
    assert result.files == ("graph.svg", "graph.png")
    assert "no ports" in result.notes[0]
    assert (tmp_path / "graph.svg").read_text() == "digraph { a -> b [style=solid] }\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('echo "lost a b edge" >&2; echo drawn', "dot leaves edges out"),
        ('echo "syntax error" >&2; exit 1', "dot ended with 1: syntax error"),
        ("exit 3", "dot ended with 3: and said nothing"),
        ("exit 0", "dot ended with 0: and said nothing"),
    ],
)
def test_no_picture_is_shown_that_is_not_whole(
    tmp_path: Path, fake_dot: FakeDot, script: str, reason: str
) -> None:
    result = render(DOT, tmp_path, find_dot=fake_dot(script))
    assert result.files == ()
    assert result.notes == (f"graph.dot was written, but not drawn: {reason}; try: sfdp -Tsvg graph.dot",)
    assert not list(tmp_path.glob("graph.*"))


def test_a_dot_that_hangs_is_given_up(tmp_path: Path, fake_dot: FakeDot) -> None:
    result = render(DOT, tmp_path, find_dot=fake_dot("exec sleep 60"), timeout=0.2)
    assert result.files == ()
    assert "took longer than 0.2 s" in result.notes[0]


def test_a_dot_that_cannot_be_run_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "dot").write_text("no program")
    result = render(DOT, tmp_path, find_dot=lambda: str(tmp_path / "dot"))
    assert "Permission denied" in result.notes[0]


@needs("dot")
def test_graphviz_draws_every_edge(tmp_path: Path) -> None:
    assert find_dot() is not None
    dot = graph_dot(many_edges(), dns=True, probes=True)
    result = render(dot, tmp_path)
    assert (result.files, result.notes) == (("graph.svg", "graph.png"), ())
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG\r\n")
    tree = ElementTree.parse(tmp_path / "graph.svg")
    drawn = tree.findall('.//{http://www.w3.org/2000/svg}g[@class="edge"]')
    assert len(drawn) == dot.count(" -> ")


@needs("dot")
def test_graphviz_takes_hostile_names_for_text(tmp_path: Path) -> None:
    edges = [
        an_edge(a_workload(f"{name}{number}"), an_external(f"203.0.113.{number}", name), port_name=name)
        for number, name in enumerate(HOSTILE)
    ]
    assert render(graph_dot(edges), tmp_path).files
    texts = {
        element.text
        for element in ElementTree.parse(tmp_path / "graph.svg").iter("{http://www.w3.org/2000/svg}text")
    }
    assert "&lt;b&gt;<b>9" in texts
    assert "\\N\\G\\l10" in texts
    assert 'quote" -> evil [label="3' in texts
