"""The next piece of a file while the last one is still being looked at.

Reading and decompressing need no interpreter, so that they cost a second processor and no time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from kubectl_netpolgen.packets.source import ByteSource


class ReadAhead:
    """A source that has begun to read before it is asked, always as much as it was asked for last."""

    def __init__(self, source: ByteSource, reader: ThreadPoolExecutor) -> None:
        self._source, self._reader = source, reader
        self._next: Future[bytes | None] | None = None
        self._ahead = b""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size` and b"" only at the end."""
        if not self._ahead:
            self._ahead = (self._source.read(size) if self._next is None else self._next.result()) or b""
            self._next = self._reader.submit(self._source.read, size)
        found, self._ahead = self._ahead[:size], self._ahead[size:]
        return found


@contextmanager
def read_ahead(source: ByteSource) -> Iterator[ReadAhead]:
    """Read ahead of a source that is nobody else's meanwhile, and that never makes its reader wait."""
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        yield ReadAhead(source, reader)


def read_windows(
    read_at: Callable[[int, int], bytes], offset: int, *, step: int, size: int, padding: int
) -> Iterator[tuple[bytes, int]]:
    """Pieces of a file as `pcap.Windows`; the last has zeros behind it."""
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        ahead = reader.submit(read_at, offset, size)
        while len(found := ahead.result()) == size:
            offset += step
            ahead = reader.submit(read_at, offset, size)
            yield found, size
        yield found + bytes(padding), len(found)
