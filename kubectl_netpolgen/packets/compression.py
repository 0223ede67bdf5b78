"""Compressed captures, decoded a bounded piece at a time.

gzip: RFC 1952, by zlib. Zstandard: RFC 8878; its frames are walked here, block by block, because a block is
at most 128 KiB when decoded, so that neither a bomb nor a length in the file decides how much memory is used.
What was decoded before the damage is always delivered.
"""

from __future__ import annotations

import importlib
import zlib
from typing import Any, Protocol

from kubectl_netpolgen.packets.foreign import NotACapture

GZIP, ZSTD = "gzip", "zstd"
PIECE = 128 << 10
"""Bytes read from the file at a time, and the most that a decoder gives beyond what it was asked for."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = b"\x2a\x4d\x18"
"""Behind a byte from 0x50 to 0x5f: a frame without content (RFC 8878, 3.1.2)."""
_LARGEST_BLOCK = 128 << 10
_LARGEST_WINDOW = 128 << 20
"""What the zstd program accepts too, without `--long`."""
_RLE, _RESERVED = 1, 3
_DICTIONARY_LENGTHS = (0, 1, 2, 4)
_CONTENT_LENGTHS = (0, 2, 4, 8)


class RawBytes(Protocol):
    """The file as it lies on disk."""

    @property
    def position(self) -> int: ...

    def read(self, size: int, /) -> bytes: ...


class Decoder(Protocol):
    """What makes plain bytes of the file's; `read` gives at most the size or PIECE, and b"" at the end."""

    damage: str | None

    def read(self, size: int, /) -> bytes: ...


def compression_of(start: bytes) -> str:
    """The compression that a file beginning like this has, or ""."""
    if start.startswith(_GZIP_MAGIC):
        return GZIP
    if start.startswith(_ZSTD_MAGIC) or _is_skippable(start):
        return ZSTD
    return ""


def decoder_for(compression: str, raw: RawBytes, name: str) -> Decoder:
    """The decoder of GZIP or ZSTD; NotACapture when the library for it is not installed."""
    return Gzip(raw) if compression == GZIP else Zstandard(raw, _zstandard(name))


def _zstandard(name: str) -> Any:
    try:
        # loaded only when such a file comes: the library is an extra
        return importlib.import_module("zstandard")
    except ImportError as error:
        raise NotACapture(
            f"{name} is compressed with Zstandard, and the extra that reads it, zstd, is not installed",
            way_out="pip install 'kubectl-netpolgen[zstd]', or decompress it first: zstd -d FILE",
        ) from error


class Gzip:
    """One gzip member after the other; zeros behind the last are padding, anything else is told."""

    def __init__(self, raw: RawBytes) -> None:
        self._raw = raw
        self._engine = zlib.decompressobj(wbits=31)
        self._input = b""
        self._members = 0
        self._begun = False
        self._ended = False
        self.damage: str | None = None

    def read(self, size: int, /) -> bytes:
        """The next decoded bytes, at most `size`."""
        while not self._ended:
            at_end = not self._feed()
            if at_end and not self._begun:
                self._ended = True
                break
            found = self._decode(size)
            if found:
                return found
            if at_end and not self._ended and self._begun:
                self._end(f"the gzip data ends early, at byte {self._raw.position} of the file")
        return b""

    def _feed(self) -> bool:
        """Have input, or say that there is no more."""
        while not self._input:
            self._input = self._raw.read(PIECE)
            if not self._input:
                return False
            if not self._begun and self._members:
                self._input = self._input.lstrip(b"\0")
        return True

    def _decode(self, size: int) -> bytes:
        # an error takes with it what the same call had decoded; the copy is there to get that back
        before = self._engine.copy()
        try:
            found = self._engine.decompress(self._input, size)
        except zlib.error as error:
            found = _before_the_error(before, self._input, size)
            offset = self._raw.position - len(self._input)
            if self._begun or not self._members:
                self._end(f"the gzip data is damaged behind byte {offset} of the file ({_reason(error)})")
            else:
                self._end(f"what follows the gzip data, from byte {offset} of the file on, is no gzip")
            return found
        self._begun = True
        self._input = self._engine.unconsumed_tail
        if self._engine.eof:
            self._input = self._engine.unused_data.lstrip(b"\0")
            self._engine = zlib.decompressobj(wbits=31)
            self._members += 1
            self._begun = False
        return found

    def _end(self, damage: str) -> None:
        self.damage = damage
        self._ended = True


def _before_the_error(engine: Any, compressed: bytes, size: int) -> bytes:
    """All that can be decoded, found by giving it less and less."""
    good, bad, best = 0, len(compressed), b""
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            best = engine.copy().decompress(compressed[:middle], size)
        except zlib.error:
            bad = middle
        else:
            good = middle
    return best


def _reason(error: zlib.error) -> str:
    """`incorrect data check` of `Error -3 while decompressing data: incorrect data check`."""
    return str(error).rpartition(": ")[2]


class Zstandard:
    """One Zstandard frame after the other; skippable frames are skipped."""

    def __init__(self, raw: RawBytes, library: Any) -> None:
        self._raw = raw
        self._error: type[Exception] = library.ZstdError
        self._decompressor = library.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        self._frame: Any = None
        self._checksum = False
        self._input = b""
        self._at = 0
        self._ended = False
        self.damage: str | None = None

    def read(self, size: int, /) -> bytes:
        """The next decoded block, at most PIECE bytes whatever the size."""
        while not self._ended:
            offset = self._raw.position - len(self._input) + self._at
            try:
                found = self._open_frame() if self._frame is None else self._decode_block()
            except EOFError:
                self._end(f"the Zstandard data ends early, at byte {self._raw.position} of the file")
            except (self._error, ValueError) as error:
                self._end(f"the Zstandard data is damaged at byte {offset} of the file ({error})")
            else:
                if found:
                    return found
        return b""

    def _open_frame(self) -> bytes:
        if not self._refill():
            self._ended = True
            return b""
        magic = self._take(4)
        if _is_skippable(magic):
            self._skip(int.from_bytes(self._take(4), "little"))
            return b""
        if magic != _ZSTD_MAGIC:
            raise ValueError("no frame begins there")
        descriptor = self._take(1)
        flags = descriptor[0]
        single_segment = flags >> 5 & 1
        content = _CONTENT_LENGTHS[flags >> 6] or single_segment
        header = self._take(1 - single_segment + _DICTIONARY_LENGTHS[flags & 3] + content)
        self._checksum = bool(flags & 4)
        self._frame = self._decompressor.decompressobj()
        found: bytes = self._frame.decompress(magic + descriptor + header)
        return found

    def _decode_block(self) -> bytes:
        header = self._take(3)
        fields = int.from_bytes(header, "little")
        last, kind, size = fields & 1, fields >> 1 & 3, fields >> 3
        if kind == _RESERVED or size > _LARGEST_BLOCK:
            raise ValueError("no block begins there")
        content = self._take(1 if kind == _RLE else size)
        found: bytes = self._frame.decompress(header + content)
        if last:
            # what the last block held is delivered even when the checksum behind it is cut or wrong
            frame, self._frame = self._frame, None
            if self._checksum:
                self._verify(frame)
        return found

    def _verify(self, frame: Any) -> None:
        offset = self._raw.position - len(self._input) + self._at
        try:
            frame.decompress(self._take(4))
        except EOFError:
            self._end(f"the Zstandard data ends early, at byte {self._raw.position} of the file")
        except self._error as error:
            self._end(f"the Zstandard data before byte {offset} of the file is damaged ({error})")

    def _refill(self) -> bool:
        if self._at == len(self._input):
            self._input, self._at = self._raw.read(PIECE), 0
        return bool(self._input)

    def _take(self, size: int) -> bytes:
        """Exactly that many bytes of the file, never more than a block; EOFError when there are fewer."""
        found = self._input[self._at : self._at + size]
        self._at += len(found)
        while len(found) < size:
            if not self._refill():
                raise EOFError
            more = self._input[: size - len(found)]
            self._at = len(more)
            found += more
        return found

    def _skip(self, size: int) -> None:
        while size:
            if not self._refill():
                raise EOFError
            step = min(size, len(self._input) - self._at)
            self._at += step
            size -= step

    def _end(self, damage: str) -> None:
        self.damage = damage
        self._ended = True


def _is_skippable(start: bytes) -> bool:
    return start[1:4] == _SKIPPABLE and start[0] & 0xF0 == 0x50
