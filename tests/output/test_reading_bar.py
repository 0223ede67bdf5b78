from __future__ import annotations

import io

from kubectl_netpolgen.output.reading_bar import LARGE, PATIENCE, ReadingBar


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.2
        return self.now


def told(*, total: int, shown: bool, steps: int = 5, clock: Clock | None = None) -> str:
    stream = io.StringIO()
    with ReadingBar(stream, total=total, shown=shown, ticks=clock or Clock(), width=80) as bar:
        bar.file("dir/\x1b[1mbig.pcap", total)
        for step in range(steps):
            bar.at(total * step // steps, total)
    return stream.getvalue()


def test_a_large_file_has_a_bar_and_hostile_names_steer_nothing() -> None:
    text = told(total=2 * LARGE, shown=True)
    assert "big.pcap" in text
    assert "\\x1b[1mbig" in text
    assert "of 60" in text


def test_nothing_is_shown_where_nobody_looks() -> None:
    assert told(total=2 * LARGE, shown=False) == ""


def test_a_small_file_has_one_only_when_it_takes_long() -> None:
    assert told(total=1000, shown=True, steps=3) == ""
    assert told(total=1000, shown=True, steps=int(PATIENCE / 0.2) + 3) != ""


def test_of_a_pipe_nobody_knows_the_end() -> None:
    stream, clock = io.StringIO(), Clock()
    with ReadingBar(stream, total=0, shown=True, ticks=clock, width=80) as bar:
        bar.file("-", 0)
        for step in range(20):
            bar.at(step << 20, None)
        bar.stop()
        bar.at(99 << 20, None)
    assert "MiB" in stream.getvalue()
    assert "99.0" not in stream.getvalue()
