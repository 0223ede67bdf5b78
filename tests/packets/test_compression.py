from __future__ import annotations

import gzip
import io
import random
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_netpolgen.packets.compression import PIECE, compression_of
from kubectl_netpolgen.packets.foreign import NotACapture
from kubectl_netpolgen.packets.source import open_source

CONTENT = random.Random(4).randbytes(3000) + bytes(3000) + b"packets " * 400
SKIPPABLE = b"\x5a\x2a\x4d\x18\x05\x00\x00\x00ABCDE"


def zstd(content: bytes, *, checksum: bool = True, sized: bool = True, level: int = 3) -> bytes:
    """One frame."""
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=checksum, write_content_size=sized)
    if sized:
        return compressor.compress(content)
    engine = compressor.compressobj()
    return engine.compress(content) + engine.flush()


def read(content: bytes, size: int = 1000) -> tuple[bytes, str | None]:
    """Everything that can be decoded, and the damage."""
    with open_source(None, stdin=io.BytesIO(content)) as source:
        assert source.compression
        parts = []
        while part := source.read(size):
            assert len(part) <= size
            parts.append(part)
        return b"".join(parts), source.damage


@pytest.mark.parametrize(
    ("start", "compression"),
    [
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (SKIPPABLE, "zstd"),
        (b"\x60\x2a\x4d\x18", ""),
        (b"\xd4\xc3\xb2\xa1", ""),
        (b"\x1f", ""),
        (b"", ""),
    ],
)
def test_compression_is_known_by_its_magic(start: bytes, compression: str) -> None:
    assert compression_of(start) == compression


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=99), st.integers(1, 3000)), min_size=1, max_size=4),
    st.integers(1, 5000),
    st.booleans(),
    st.booleans(),
)
def test_several_members_or_frames_come_back_as_one(
    parts: list[tuple[bytes, int]], size: int, checksum: bool, sized: bool
) -> None:
    contents = [part * times for part, times in parts]
    plain = b"".join(contents)
    assert read(b"".join(gzip.compress(content) for content in contents), size) == (plain, None)
    frames = [zstd(content, checksum=checksum, sized=sized) for content in contents]
    assert read(SKIPPABLE.join([b"", *frames, b""]), size) == (plain, None)


@pytest.mark.parametrize("compressed", [gzip.compress(CONTENT), zstd(CONTENT), zstd(CONTENT, checksum=False)])
def test_every_prefix_gives_what_was_decoded_and_says_so(compressed: bytes) -> None:
    longest = 0
    for length in range(4, len(compressed)):
        plain, damage = read(compressed[:length])
        assert CONTENT.startswith(plain)
        assert len(plain) >= longest
        assert damage is not None
        assert damage.endswith(f"data ends early, at byte {length} of the file")
        longest = len(plain)
    # Zstandard gives whole blocks only, and this is one
    assert longest > len(CONTENT) // 2 or not compressed.startswith(b"\x1f")


def test_a_cut_behind_the_content_loses_nothing_and_is_said() -> None:
    for compressed in (gzip.compress(CONTENT), zstd(CONTENT)):
        plain, damage = read(compressed[:-1])
        assert plain == CONTENT
        assert damage is not None


@given(st.integers(0, 1 << 20), st.integers(1, 255), st.sampled_from(["gzip", "zstd"]))
def test_no_damage_raises_and_what_precedes_it_is_kept(at: int, change: int, compression: str) -> None:
    compressed = bytearray(gzip.compress(CONTENT, mtime=0) if compression == "gzip" else zstd(CONTENT))
    at = 4 + at % (len(compressed) - 4)
    compressed[at] ^= change
    plain, damage = read(bytes(compressed))
    assert damage is not None or plain == CONTENT


def test_a_wrong_checksum_is_said_and_all_of_the_content_given() -> None:
    for compressed, where in ((gzip.compress(CONTENT), -8), (zstd(CONTENT), -4)):
        broken = bytearray(compressed)
        broken[where] ^= 1
        for size in (1000, 1 << 20):
            plain, damage = read(bytes(broken), size)
            assert plain == CONTENT
            assert damage is not None
            assert "damaged" in damage


def test_all_is_given_that_precedes_damage_inside_a_gzip_member() -> None:
    content = random.Random(5).randbytes(100_000)
    engine = zlib.compressobj(0, wbits=31)
    stored = engine.compress(content) + engine.flush(zlib.Z_FULL_FLUSH)
    plain, damage = read(stored + b"\xff\xff\xff\xff", 1 << 20)
    assert plain == content
    assert damage is not None
    assert damage.endswith("(invalid block type)")


def test_zeros_behind_gzip_are_padding_and_anything_else_is_told() -> None:
    compressed = gzip.compress(CONTENT)
    assert read(compressed + bytes(3 * PIECE)) == (CONTENT, None)
    assert read(compressed + bytes(700) + compressed) == (CONTENT * 2, None)
    plain, damage = read(compressed + b"garbage")
    assert plain == CONTENT
    assert damage == f"what follows the gzip data, from byte {len(compressed)} of the file on, is no gzip"


def test_what_follows_zstandard_frames_and_is_none_is_damage() -> None:
    compressed = zstd(CONTENT)
    plain, damage = read(compressed + b"garbage")
    assert plain == CONTENT
    assert damage == (
        f"the Zstandard data is damaged at byte {len(compressed)} of the file (no frame begins there)"
    )


def test_what_lies_over_the_end_of_a_piece_of_the_file_is_put_together() -> None:
    # what cannot be compressed lies in blocks as large as the pieces, and headers push each over an end
    content = random.Random(6).randbytes(5 * PIECE)
    compressed = zstd(content)
    assert len(compressed) > 5 * PIECE
    assert read(compressed, 1 << 20) == (content, None)
    for shift in range(1, 6):
        # a frame to skip moves the ends of pieces through the next frame's header
        skipped = PIECE - 8 - shift
        filler = b"\x50\x2a\x4d\x18" + skipped.to_bytes(4, "little") + bytes(skipped)
        assert read(filler + compressed, 1 << 20) == (content, None)


def test_a_frame_to_skip_that_is_longer_than_the_file_is_damage() -> None:
    compressed = zstd(CONTENT) + b"\x50\x2a\x4d\x18" + b"\xff\xff\xff\xff" + bytes(3)
    plain, damage = read(compressed)
    assert plain == CONTENT
    assert damage == f"the Zstandard data ends early, at byte {len(compressed)} of the file"


def test_a_block_that_claims_too_much_is_damage_and_not_waited_for() -> None:
    header = zstd(b"", checksum=False, sized=False)[:6]
    for block in (b"\xff\xff\xff", (3 << 1).to_bytes(3, "little")):
        plain, damage = read(header + block + bytes(100))
        assert plain == b""
        assert damage is not None
        assert damage.endswith("at byte 6 of the file (no block begins there)")


def test_a_window_that_would_fill_the_memory_is_refused() -> None:
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + bytes((20 << 3,)) + b"\x01\x00\x00"
    plain, damage = read(frame)
    assert plain == b""
    assert damage is not None


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_bomb_is_decoded_only_as_far_as_is_asked(compression: str) -> None:
    zeros = bytes(64 << 20)
    compressed = gzip.compress(zeros, 9) if compression == "gzip" else zstd(zeros)
    del zeros
    tracemalloc.start()
    with open_source(None, stdin=io.BytesIO(compressed)) as source:
        assert source.read(1 << 20).strip(b"\0") == b""
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


def test_only_one_layer_is_taken_off() -> None:
    plain, damage = read(gzip.compress(gzip.compress(CONTENT, mtime=0)))
    assert (plain, damage) == (gzip.compress(CONTENT, mtime=0), None)


def test_without_the_library_the_error_names_the_extra_and_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pod.pcap.zst"
    path.write_bytes(zstd(CONTENT))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(NotACapture) as caught, open_source(path):
        pass
    assert str(path) in caught.value.message
    assert "zstd" in caught.value.message
    assert "kubectl-netpolgen[zstd]" in caught.value.way_out
    assert "zstd -d" in caught.value.way_out
