from __future__ import annotations

import io
import re
import threading

import pytest

from kubectl_netpolgen.model.bundle import PodCapture, PodState, Rung
from kubectl_netpolgen.output.progress import (
    PlainProgress,
    TerminalProgress,
    open_progress,
    pod_words,
)
from tests.output.factories import HOSTILE


def a_capture(number: int = 0, state: PodState = PodState.CAPTURING, **changes: object) -> PodCapture:
    fields: dict[str, object] = {
        "uid": f"uid-{number}",
        "namespace": "shop",
        "name": f"web-{number}",
        "state": state,
        **changes,
    }
    return PodCapture(**fields)  # type: ignore[arg-type]


def shown(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", stream.getvalue())


@pytest.mark.parametrize(
    ("capture", "received", "words"),
    [
        (a_capture(state=PodState.DISCOVERED), 0, "discovered"),
        (a_capture(rung=Rung.STRICT), 2048, "capturing (strict), 2.0 KiB"),
        (a_capture(state=PodState.VERIFIED, rung=Rung.STRICT), 10, "verified, 10 B"),
        (a_capture(state=PodState.SKIPPED, reason="mirror pod"), 0, "skipped: mirror pod"),
    ],
)
def test_a_pods_state_in_words(capture: PodCapture, received: int, words: str) -> None:
    assert pod_words(capture, received=received) == words


def test_outside_a_terminal_only_news_are_lines() -> None:
    stream = io.StringIO()
    with open_progress(stream, terminal=False) as view:
        assert isinstance(view, PlainProgress)
        view.phase("attaching")
        for received in range(0, 5000, 1000):
            view.pod(a_capture(rung=Rung.STRICT), received=received)
        view.pod(a_capture(state=PodState.VERIFIED), received=5000)
        view.say("done")
    assert stream.getvalue() == (
        "attaching\nshop/web-0: capturing (strict)\nshop/web-0: verified, 4.9 KiB\ndone\n"
    )


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_names_are_text(text: str, terminal: bool) -> None:
    stream = io.StringIO()
    with open_progress(stream, terminal=terminal, width=200, height=24) as view:
        view.phase(text)
        view.say(text)
        view.pod(a_capture(name=text, state=PodState.GONE, reason=text), received=1)
    assert "\x1b[2J" not in stream.getvalue()
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x7f-\x9f\u202e\udcff]", stream.getvalue())
    if "[" in text:
        assert text.replace("\x1b", "\\x1b") in shown(stream)


def test_on_a_terminal_every_pod_has_its_bar() -> None:
    stream = io.StringIO()
    with open_progress(stream, terminal=True, width=100, height=24) as view:
        assert isinstance(view, TerminalProgress)
        view.phase("capturing")
        for number in range(3):
            view.pod(a_capture(number), received=0)
        view.pod(a_capture(1, PodState.PULLING, bytes=4096), received=2048)
        view.pod(a_capture(2, PodState.VERIFIED), received=0)
        view.say("one line above")
    last = shown(stream).splitlines()[-4:]
    assert [line.split()[0] for line in last] == ["capturing", "shop/web-0", "shop/web-1", "shop/web-2"]
    assert "pulling, 2.0 KiB" in last[2]
    assert "one line above" in shown(stream)


def test_pods_beyond_the_terminals_height_share_a_bar() -> None:
    stream = io.StringIO()
    with open_progress(stream, terminal=True, width=100, height=10) as view:
        view.phase("capturing")
        for number in range(150):
            view.pod(a_capture(number), received=1024)
        for number in range(100, 120):
            view.pod(a_capture(number, PodState.VERIFIED), received=2048)
    last = shown(stream).splitlines()[-8:]
    assert last[1].startswith("144 more pods")
    assert "20 done, 164 KiB" in last[1]
    assert len([line for line in last if line.startswith("shop/")]) == 6


def test_the_terminal_is_left_as_it_was_after_an_error() -> None:
    stream = io.StringIO()
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), open_progress(stream, terminal=True, width=80, height=24) as view:
        view.pod(a_capture(), received=1)
        raise KeyboardInterrupt
    assert stream.getvalue().rstrip("\n").endswith("\x1b[?25h")
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=10)
        assert not thread.is_alive()


def test_colour_is_there_only_when_asked_for() -> None:
    streams = {}
    for colour in (True, False):
        streams[colour] = io.StringIO()
        with open_progress(streams[colour], terminal=True, colour=colour, width=80, height=24) as view:
            view.pod(a_capture(state=PodState.VERIFIED), received=1)
    assert "\x1b[3" in streams[True].getvalue()
    assert "\x1b[3" not in streams[False].getvalue()
