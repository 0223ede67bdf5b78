from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.foreign import UnreadableCapture
from kubectl_netpolgen.packets.source import Source, _Raw, fill, open_source
from tests.packets.factories import a_pcap, tcp_handshake

CONTENT = a_pcap([*tcp_handshake(), bytes(4000)])


class Failing(io.BytesIO):
    """A disk that gives up after its bytes."""

    def read1(self, size: int | None = -1, /) -> bytes:
        found = self.read(size)
        if not found:
            raise OSError(5, "Input/output error")
        return found


@contextmanager
def a_pipe(content: bytes, *, close: bool = True) -> Iterator[io.BufferedReader]:
    """The reading end of a pipe into which somebody writes; left open, its reader would wait for more."""
    reading, writing = os.pipe()

    def write() -> None:
        os.write(writing, content)
        if close:
            os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with os.fdopen(reading, "rb") as reader:
            yield reader
    finally:
        writer.join()
        if not close:
            os.close(writing)


def drain(source: Source, size: int = 100) -> bytes:
    parts = []
    while part := source.read(size):
        assert len(part) <= size
        parts.append(part)
    return b"".join(parts)


def test_a_plain_file_is_given_as_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "named.gz"
    path.write_bytes(CONTENT)
    with open_source(path) as source:
        assert (source.name, source.compression, source.size) == (str(path), "", len(CONTENT))
        assert source.start == CONTENT[: len(source.start)]
        assert len(source.start) >= 28
        assert drain(source) == CONTENT
        assert (source.position, source.damage, source.read(9)) == (len(CONTENT), None, b"")


def test_compression_is_known_by_content_and_progress_by_bytes_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "named.pcap"
    path.write_bytes(gzip.compress(CONTENT))
    with open_source(path) as source:
        assert (source.compression, source.size) == ("gzip", path.stat().st_size)
        assert source.start == CONTENT[: len(source.start)]
        assert source.read(3000) == CONTENT[:3000]
        assert drain(source) == CONTENT[3000:]
        assert (source.position, source.damage) == (source.size, None)


def test_a_gzip_file_is_read_in_full_steps(tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    path.write_bytes(gzip.compress(bytes(5 << 20)))
    with open_source(path) as source:
        assert [len(source.read(2 << 20)) for _ in range(4)] == [2 << 20, 2 << 20, 1 << 20, 0]


@pytest.mark.parametrize("content", [CONTENT, gzip.compress(CONTENT)])
def test_a_pipe_is_read_without_seeking(content: bytes) -> None:
    with a_pipe(content) as stdin, open_source(None, stdin=stdin) as source:
        assert (source.name, source.size) == ("standard input", None)
        assert drain(source) == CONTENT
        assert source.position == len(content)


def test_a_pipe_that_stays_open_is_not_waited_on() -> None:
    with a_pipe(CONTENT[:100], close=False) as stdin, open_source(None, stdin=stdin) as source:
        assert source.read(4 << 20) == CONTENT[:100]


def test_standard_input_may_be_a_file_and_is_left_open(tmp_path: Path) -> None:
    path = tmp_path / "pod.pcap"
    path.write_bytes(CONTENT)
    with path.open("rb") as stdin:
        with open_source(None, stdin=stdin) as source:
            assert source.size == len(CONTENT)
            assert drain(source) == CONTENT
        assert not stdin.closed


def test_a_plain_file_may_be_read_anywhere_and_tells_how_far(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(bytes(range(200)))
    with open_source(path) as source:
        assert source.read_at is not None
        assert source.read_at(10, 20) == bytes(range(10, 30))
        assert source.position == 30
        assert source.read_at(190, 20) == bytes(range(190, 200))
        assert source.read_at(300, 20) == b""
        assert source.damage is None
    packed = tmp_path / "a.pcap.gz"
    packed.write_bytes(gzip.compress(bytes(range(200))))
    with open_source(packed) as source:
        assert source.read_at is None
    with open_source(None, stdin=io.BytesIO(bytes(100))) as source:
        assert source.read_at is None


def test_a_disk_that_fails_somewhere_is_damage() -> None:
    # reading a directory's descriptor fails as a broken disk does
    descriptor = os.open(".", os.O_RDONLY)
    try:
        raw = _Raw(_Descriptor(descriptor))
        assert raw.read_at(0, 10) == b""
        assert raw.failure is not None
    finally:
        os.close(descriptor)


class _Descriptor(io.BytesIO):
    """A stream of nothing over a descriptor."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


def test_a_named_pipe_is_a_file_like_others(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(CONTENT,))
    writer.start()
    with open_source(path) as source:
        assert source.size is None
        assert drain(source) == CONTENT
    writer.join()


def test_what_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    for path, reason in [(tmp_path / "absent", "No such file"), (tmp_path, "directory")]:
        with pytest.raises(UnreadableCapture, match=reason) as caught, open_source(path):
            pass
        assert str(path) in caught.value.message
    with pytest.raises(UnreadableCapture, match="standard input: it is closed"), open_source(None):
        pass


def test_a_disk_that_fails_at_once_makes_the_file_unreadable() -> None:
    with (
        pytest.raises(UnreadableCapture, match="standard input: Input/output error"),
        open_source(None, stdin=Failing()),
    ):
        pass


def test_a_disk_that_fails_later_is_damage_and_nothing_before_it_is_lost() -> None:
    with open_source(None, stdin=Failing(CONTENT)) as source:
        assert drain(source) == CONTENT
        assert source.damage == f"reading failed at byte {len(CONTENT)} of the file: Input/output error"
        assert source.explain(None) == f"what follows is lost: {source.damage}"
        assert source.explain("record 5 is lost") == f"record 5 is lost ({source.damage})"


def test_a_sound_source_adds_nothing_to_what_is_said() -> None:
    with open_source(None, stdin=io.BytesIO(CONTENT)) as source:
        drain(source)
        assert source.explain(None) is None
        assert source.explain("record 5 is lost") == "record 5 is lost"


@given(st.binary(max_size=300), st.integers(1, 200), st.booleans())
def test_any_content_comes_back_by_any_step(content: bytes, size: int, compressed: bool) -> None:
    # content that happens to be compressed itself is the matter of test_compression
    content = b"\0" + content
    stdin = io.BytesIO(gzip.compress(content) if compressed else content)
    with open_source(None, stdin=stdin) as source:
        assert source.start == content
        assert drain(source, size) == content


@pytest.mark.parametrize("length", range(6))
def test_the_shortest_files_are_given_too(length: int) -> None:
    with open_source(None, stdin=io.BytesIO(CONTENT[:length])) as source:
        assert source.start == drain(source) == CONTENT[:length]


def test_a_buffer_is_filled_up_to_what_is_wanted_and_kept_at_the_end() -> None:
    source = io.BytesIO(b"abcdefgh")
    assert fill(source, b"", 1, chunk=2) == b"ab"
    assert fill(source, b"ab", 5, chunk=2) == b"abcdef"
    assert fill(source, b"f", 1, chunk=2) == b"fgh"
    assert fill(source, b"h", 9, chunk=2) == b"h"
