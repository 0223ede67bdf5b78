from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.spill import BLOCK, PARTITIONS, Partitions, Sorter, pack_block, read_blocks

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=8) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=8,
)
rows = st.lists(st.lists(plain, max_size=4).map(tuple), max_size=5)


def a_sorter(most: int) -> Sorter[list[int]]:
    """Adds up lists by their key."""
    return Sorter(encode=tuple, decode=list, combine=lambda one, other: one + other, most=most)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path


@given(st.lists(rows, max_size=4))
def test_blocks_come_back_as_they_were_written(blocks: list[list[tuple[Any, ...]]]) -> None:
    partitions = Partitions()
    with closing(partitions):
        for block in blocks:
            partitions.append(3, pack_block(block))
        assert list(read_blocks(partitions.open(3))) == blocks


def test_partitions_are_apart_and_may_grow_after_they_were_read() -> None:
    partitions = Partitions()
    with closing(partitions):
        for number in range(PARTITIONS):
            partitions.append(number, pack_block([(number,)]))
        assert [list(read_blocks(partitions.open(number))) for number in range(PARTITIONS)] == [
            [[(number,)]] for number in range(PARTITIONS)
        ]
        partitions.append(5, pack_block([("more",)]))
        assert list(read_blocks(partitions.open(5))) == [[(5,)], [("more",)]]
        assert list(read_blocks(partitions.open(6))) == [[(6,)]]


items = st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=1), st.integers(0, 99)), max_size=40)


@given(items, st.integers(1, 50))
def test_items_come_in_order_and_once_whatever_fits_the_memory(
    added: list[tuple[int, bytes, int]], most: int
) -> None:
    expected: dict[tuple[int, bytes], list[int]] = {}
    with closing(a_sorter(most)) as sorter:
        for first, second, value in added:
            sorter.add((first, second), [value])
            expected.setdefault((first, second), []).append(value)
        found = [sorted(item) for item in sorter]
        again = [sorted(item) for item in sorter]
    assert found == again == [sorted(expected[key]) for key in sorted(expected)]


def test_a_sorter_may_be_added_to_after_it_was_asked() -> None:
    with closing(a_sorter(2)) as sorter:
        for key in (3, 1, 2):
            sorter.add((key,), [key])
        assert list(sorter) == [[1], [2], [3]]
        sorter.add((1,), [10])
        sorter.add((0,), [0])
        assert list(sorter) == [[0], [1, 10], [2], [3]]


def test_runs_longer_than_a_block_are_merged() -> None:
    keys = range(3 * BLOCK + 1)
    with closing(a_sorter(BLOCK + 7)) as sorter:
        for key in reversed(keys):
            sorter.add((key,), [key])
        assert list(sorter) == [[key] for key in keys]


def test_an_empty_sorter_gives_nothing() -> None:
    with closing(a_sorter(1)) as sorter:
        assert list(sorter) == []


def test_nothing_is_written_before_the_memory_is_full(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "absent"))
    with closing(a_sorter(3)) as sorter:
        for key in (2, 1):
            sorter.add((key,), [key])
        assert list(sorter) == [[1], [2]]
        with pytest.raises(FileNotFoundError):
            sorter.add((3,), [3])


def test_temporary_files_have_no_name_that_could_stay_behind(temporary: Path) -> None:
    partitions = Partitions()
    with closing(partitions), closing(a_sorter(1)) as sorter:
        partitions.append(0, pack_block([(1,)]))
        sorter.add((1,), [1])
        assert list(temporary.iterdir()) == []


def test_closing_gives_the_files_back() -> None:
    partitions = Partitions()
    files = [partitions.open(number) for number in range(PARTITIONS)]
    partitions.close()
    assert all(file.closed for file in files)
