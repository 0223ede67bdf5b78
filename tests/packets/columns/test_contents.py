"""The same bytes are one group, and nothing else is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.columns.contents import LONGEST, group_contents

pieces = st.one_of(
    st.sampled_from([b"", b"a", b"b", b"ab", b"abcdefgh", b"abcdefgi", b"abcdefghi", b"x" * LONGEST]),
    st.binary(max_size=20),
    st.sampled_from([b"y" * (LONGEST + 1), b"y" * (LONGEST + 2)]),
)


@given(st.lists(st.tuples(pieces, st.integers(0, 1)), min_size=1, max_size=40))
def test_groups_are_those_of_the_bytes(content: list[tuple[bytes, int]]) -> None:
    buffer = b"".join(piece for piece, _ in content) + bytes(8)
    ends = np.cumsum([len(piece) for piece, _ in content])
    starts = ends - np.array([len(piece) for piece, _ in content])
    apart = np.array([number for _, number in content], np.uint64)
    found = group_contents(buffer, starts, ends, apart)
    assert found.group.max() < found.leaders.size
    expected: dict[tuple[bytes, int, int], int] = {}
    for number, (piece, other) in enumerate(content):
        own = number if len(piece) > LONGEST else -1
        first = expected.setdefault((piece, other, own), number)
        assert found.leaders[found.group[number]] == first
    assert sorted(found.leaders.tolist()) == sorted(expected.values())


def test_a_collision_of_the_hash_would_not_unite() -> None:
    # lengths are told apart before any byte is: a shorter payload is no beginning of a longer one
    buffer = b"aaaaaaaa" + b"aaaaaaaa\0" + bytes(8)
    found = group_contents(buffer, np.array([0, 8]), np.array([8, 17]), np.zeros(2, np.uint64))
    assert found.leaders.size == 2
