"""A source read ahead gives the same bytes, and reads on its own thread."""

from __future__ import annotations

import io
import threading

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.read_ahead import read_ahead, read_windows


@given(st.binary(max_size=200), st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_the_bytes_are_those_of_the_source_whatever_is_asked_for(content: bytes, sizes: list[int]) -> None:
    found = b""
    with read_ahead(io.BytesIO(content)) as source:
        number = 0
        while piece := source.read(sizes[number % len(sizes)]):
            assert len(piece) <= sizes[number % len(sizes)]
            found += piece
            number += 1
        assert source.read(1) == b""
    assert found == content


def test_the_next_piece_is_read_before_it_is_asked_for() -> None:
    began = threading.Event()

    class Watching(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                assert threading.current_thread() is not threading.main_thread()
                began.set()
            return super().read(size)

    with read_ahead(Watching(bytes(100))) as source:
        assert len(source.read(40)) == 40
        assert began.wait(10)
        assert len(source.read(40)) == 40
        assert len(source.read(40)) == 20


@given(st.binary(max_size=300), st.integers(0, 40), st.integers(1, 60), st.integers(0, 60))
def test_windows_are_stretches_of_the_file(content: bytes, offset: int, step: int, longer: int) -> None:
    def read_at(place: int, size: int) -> bytes:
        return content[place : place + size]

    found = list(read_windows(read_at, offset, step=step, size=step + longer, padding=3))
    for number, (window, length) in enumerate(found):
        begin = offset + number * step
        assert window[:length] == content[begin : begin + step + longer]
        assert (length < step + longer) == (number == len(found) - 1)
    assert found[-1][0].endswith(bytes(3))
