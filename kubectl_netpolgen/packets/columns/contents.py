"""Payloads that are the same, found without looking at each: clients say the same few things often."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.columns.keys import Words

LONGEST = 256
"""Bytes; longer payloads stand for themselves."""

_FIRST, _NEXT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_FULL = np.uint64(64)


class Contents(NamedTuple):
    """Payloads in groups of the same bytes."""

    leaders: Numbers
    """The first payload of each group, by its number; in no order."""
    group: Numbers
    """The group of each payload."""


def group_contents(buffer: bytes, starts: Numbers, ends: Numbers, apart: Words) -> Contents:
    """Group stretches of a buffer by their bytes, and by a number that must be the same too.

    The buffer has at least eight bytes behind the last stretch. A hash brings together what may be the same;
    the bytes themselves decide.
    """
    words: NDArray[Any] = np.ndarray((len(buffer) - 7,), ">u8", buffer, strides=(1,))
    size = starts.size
    lengths = ends - starts
    mixed = (apart ^ lengths.astype(np.uint64)) * _FIRST
    for at in range(0, LONGEST, 8):
        rows = np.flatnonzero((lengths > at) & (lengths <= LONGEST))
        if not rows.size:
            break
        found = _word(words, starts[rows] + at, lengths[rows] - at)
        mixed[rows] = (mixed[rows] ^ found) * _NEXT
        mixed[rows] ^= mixed[rows] >> np.uint64(29)
    _, leaders, group = np.unique(mixed, return_index=True, return_inverse=True)
    first = leaders[group]
    alike = (lengths == lengths[first]) & (apart == apart[first]) & (lengths <= LONGEST)
    for at in range(0, LONGEST, 8):
        rows = np.flatnonzero(alike & (lengths > at))
        if not rows.size:
            break
        here = _word(words, starts[rows] + at, lengths[rows] - at)
        there = _word(words, starts[first[rows]] + at, lengths[rows] - at)
        alike[rows[here != there]] = False
    alone = np.flatnonzero(~alike & (first != np.arange(size)))
    group = group.copy()
    group[alone] = leaders.size + np.arange(alone.size)
    return Contents(np.concatenate((leaders, alone)), group)


def _word(words: Words, places: Numbers, left: Numbers) -> Words:
    """Eight bytes at each place, of which so many count."""
    found = words[places].astype(np.uint64)
    short = np.maximum(8 - left, 0).astype(np.uint64) * np.uint64(8)
    found >>= np.minimum(short, _FULL - np.uint64(8))
    return found
