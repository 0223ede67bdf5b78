"""The one door to the bytes of a capture: a file, a pipe or standard input, plain or compressed.

Reading never raises once a source is open. A disk that fails and a stream that ends early become `damage`,
and everything before is delivered.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from kubectl_netpolgen.packets.compression import PIECE, Decoder, compression_of, decoder_for
from kubectl_netpolgen.packets.foreign import UnreadableCapture

STANDARD_INPUT = "standard input"
_LONGEST_START = 512
_SHORTEST_START = 28
"""The longer of the two headers by which a capture is known; a pipe is not waited on for more."""


class ByteSource(Protocol):
    """What is read from: any binary file object; short reads are fine."""

    def read(self, size: int, /) -> bytes | None: ...


class _Raw:
    """The bytes on disk, counted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        # read1 gives what a pipe has now, where read would wait for all of it
        self._read: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
        self._pushed_back = b""
        self.position = 0
        self.failure: str | None = None

    def peek(self, size: int) -> bytes:
        start = b""
        while len(start) < size and (more := self.read(PIECE)):
            start += more
        self._pushed_back = start
        self.position = 0
        return start

    def read(self, size: int, /) -> bytes:
        if self._pushed_back:
            found, self._pushed_back = self._pushed_back[:size], self._pushed_back[size:]
        elif self.failure is not None:
            return b""
        else:
            try:
                found = self._read(size) or b""
            except OSError as error:
                self.failure = error.strerror or str(error)
                return b""
        self.position += len(found)
        return found

    def read_at(self, offset: int, size: int) -> bytes:
        """So many bytes from a place of a file on, fewer at its end; the position goes there."""
        parts, lacking = [], size
        try:
            while lacking and (found := os.pread(self._stream.fileno(), lacking, offset + size - lacking)):
                parts.append(found)
                lacking -= len(found)
        except OSError as error:
            self.failure = error.strerror or str(error)
        self.position = offset + size - lacking
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_into(self, memory: memoryview, offset: int) -> int:
        """The same into memory that is there; how much of it was filled."""
        filled = 0
        try:
            while filled < len(memory) and (
                found := os.preadv(self._stream.fileno(), [memory[filled:]], offset + filled)
            ):
                filled += found
        except OSError as error:
            self.failure = error.strerror or str(error)
        self.position = offset + filled
        return filled


class Source:
    """The bytes of one capture, decompressed, once through."""

    def __init__(
        self, raw: _Raw, decoder: Decoder | None, *, name: str, compression: str, size: int | None
    ) -> None:
        self._raw = raw
        self._decoder = decoder
        self._ahead = b""
        self.name = name
        """How messages call it: the path, or `standard input`."""
        self.compression = compression
        """`gzip`, `zstd`, or "" when the bytes are delivered as they lie."""
        self.size = size
        """Bytes on disk; None when nobody can know, as of a pipe."""
        self._apart: tuple[int, str | None] | None = None
        self.start = self._peek()
        """The first bytes, up to 512, not consumed."""

    @property
    def position(self) -> int:
        """Bytes of the file on disk that were consumed so far, for a progress bar."""
        return self._raw.position if self._apart is None else self._apart[0]

    @property
    def damage(self) -> str | None:
        """Why there are no more bytes, when the end is not the end of the capture."""
        if self._apart is not None:
            return self._apart[1]
        if self._raw.failure is not None:
            return f"reading failed at byte {self._raw.position} of the file: {self._raw.failure}"
        return self._decoder.damage if self._decoder is not None else None

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size` and b"" only at the end; a regular file is read in full steps."""
        found = self._next(size)
        if self.size is None or self._decoder is None or not found:
            return found
        parts, lacking = [found], size - len(found)
        while lacking and (found := self._next(lacking)):
            parts.append(found)
            lacking -= len(found)
        return b"".join(parts)

    @property
    def read_at(self) -> Callable[[int, int], bytes] | None:
        """Reads so many bytes from a place on; None when the bytes are not those that lie on a disk."""
        plain = self.size is not None and self._decoder is None and hasattr(os, "pread")
        return self._raw.read_at if plain else None

    @property
    def read_into(self) -> Callable[[memoryview, int], int] | None:
        """Fills memory with what lies at a place; None where `read_at` is."""
        return self._raw.read_into if self.read_at is not None and hasattr(os, "preadv") else None

    def catch_up(self, position: int, damage: str | None) -> None:
        """Stand where another process has read to, with what it met."""
        self._apart = position, damage

    def explain(self, truncated: str | None) -> str | None:
        """What the reader of records said of its end, with the reason that lies below it."""
        if self.damage is None:
            return truncated
        return f"{truncated} ({self.damage})" if truncated else f"what follows is lost: {self.damage}"

    def _next(self, size: int) -> bytes:
        found = self._ahead or self._decode(size)
        self._ahead = found[size:]
        return found[:size] if self._ahead else found

    def _decode(self, size: int) -> bytes:
        return self._raw.read(size) if self._decoder is None else self._decoder.read(size)

    def _peek(self) -> bytes:
        while len(self._ahead) < _SHORTEST_START and (more := self._decode(PIECE)):
            self._ahead += more
        return self._ahead[:_LONGEST_START]


@contextmanager
def open_source(
    path: Path | None, *, stdin: BinaryIO | None = None, label: str | None = None
) -> Iterator[Source]:
    """Open a file, or standard input when there is no path, and know it by its content.

    Messages call a file by its label, which is the path unless something else is given.
    UnreadableCapture: the system would not open it, or not give its first byte. NotACapture: it is compressed
    with Zstandard and the library for that is absent. Standard input is left open.
    """
    name = STANDARD_INPUT if path is None else str(path) if label is None else label
    if path is not None:
        try:
            stream: BinaryIO | None = path.open("rb", buffering=0)
        except OSError as error:
            raise unreadable(name, error.strerror or str(error)) from error
    else:
        stream = stdin
    if stream is None:
        raise unreadable(name, "it is closed")
    try:
        yield _begin(stream, name)
    finally:
        if path is not None:
            stream.close()


def unreadable(name: str, reason: str) -> UnreadableCapture:
    """The error for a file that the system does not give."""
    return UnreadableCapture(
        f"cannot read the capture {name}: {reason}", way_out="check the path and its permissions"
    )


def fill(source: ByteSource, rest: bytes, wanted: int, *, chunk: int, padding: bytes = b"") -> bytes:
    """The rest and what follows: at least one read, and until there are `wanted` bytes; at the end, the rest.

    Joined once, with the padding, so that a pipe that gives a byte at a time costs no more than its length.
    """
    parts, length = [rest] if rest else [], len(rest)
    while more := source.read(chunk):
        parts.append(more)
        length += len(more)
        if length >= wanted:
            break
    if padding:
        parts.append(padding)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _begin(stream: BinaryIO, name: str) -> Source:
    raw = _Raw(stream)
    compression = compression_of(raw.peek(4))
    decoder = decoder_for(compression, raw, name) if compression else None
    source = Source(raw, decoder, name=name, compression=compression, size=_size_on_disk(stream))
    if raw.failure is not None and not source.start:
        raise unreadable(name, raw.failure)
    return source


def _size_on_disk(stream: BinaryIO) -> int | None:
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        # an object in memory has no file below it
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
