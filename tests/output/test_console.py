from __future__ import annotations

import io

import pytest
from rich.text import Text

from kubectl_netpolgen.output.console import open_console


def printed(what: object, *, colour: bool = False) -> str:
    stream = io.StringIO()
    open_console(stream, colour=colour, width=40, height=10).print(what)
    return stream.getvalue()


@pytest.mark.parametrize("text", ["[red]x[/red]", "x[/]y", ":smile:", "192.0.2.1 True 'quoted'"])
def test_nothing_in_a_text_is_interpreted(text: str) -> None:
    assert printed(text, colour=True) == text + "\n"


def test_colour_is_the_callers_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(Text("x", style="red"), colour=True) == "\x1b[31mx\x1b[0m\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR")
    assert printed(Text("x", style="red"), colour=False) == "x\n"


def test_size_is_the_callers_where_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    console = open_console(io.StringIO(), colour=False, width=40, height=10)
    assert (console.width, console.height) == (40, 10)
