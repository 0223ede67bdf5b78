"""Captures are made once, and again when the generator changed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bench.captures import STAMP, CannotMake, Store, size, warm


def test_a_capture_is_made_once(tmp_path: Path) -> None:
    path = Store(tmp_path / "new").mix(100)
    path.write_bytes(b"kept")
    assert Store(tmp_path / "new").mix(100).read_bytes() == b"kept"


def test_another_generator_makes_them_anew_and_touches_nothing_else(tmp_path: Path) -> None:
    path = Store(tmp_path).mix(100)
    content = path.read_bytes()
    path.write_bytes(b"old")
    foreign = tmp_path / "mine.pcap"
    foreign.touch()
    (tmp_path / STAMP).write_text("other\n")
    assert Store(tmp_path).mix(100).read_bytes() == content
    assert foreign.exists()


def test_a_series_is_a_directory_of_different_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.series(2, 50)
    first, second = sorted(path.iterdir())
    assert first.read_bytes() != second.read_bytes()
    assert size(path) == first.stat().st_size + second.stat().st_size
    warm(path)


def test_gzip_holds_the_same_bytes_and_no_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plain = store.mix(100)
    packed = store.compressed(plain, "gz").read_bytes()
    assert gzip.decompress(packed) == plain.read_bytes()
    assert packed[4:8] == bytes(4)


def test_zstandard_without_its_program_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    plain = store.mix(100)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotMake, match="zstd"):
        store.compressed(plain, "zst")


def test_an_empty_capture_has_only_a_header(tmp_path: Path) -> None:
    assert size(Store(tmp_path).empty()) == 24
