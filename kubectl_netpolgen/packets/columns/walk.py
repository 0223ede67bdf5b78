"""Where the records of a buffer begin.

One record tells where the next begins, so the walk is a loop; but it may be done at many places at once. The
buffer is cut into lanes, a record is looked for in each, and all lanes are walked in step. A lane is believed
only when the walk of the lane before lands exactly where it began, so what comes out is what the plain loop
finds; where one does not, the plain loop decides.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from kubectl_netpolgen.packets.pcap import LONGEST_FRAME, FileHeader, Stretch

Offsets = NDArray[np.int64]

_LANES = 256
_LEAST_RECORDS = 24
"""Of a lane; fewer do not pay for the search."""
_WINDOW = 4096
"""Bytes of a lane in which a record is looked for."""
_NEAR = 1 << 22
"""Seconds by which times of one buffer may differ for a record to look like one."""
_MOST_STEPS = 4096
_STEPS_AT_ONCE = 8
_CAPTURED_AT, _WIRE_AT = 8, 12
_LONGEST_WIRE = 1 << 20


def find_records(stretch: Stretch, header: FileHeader) -> tuple[Offsets, int]:
    """The offsets of a stretch's whole records, and where the first other begins."""
    found = _walk_lanes(stretch, header) if stretch.limit - stretch.begin > 1 << 20 else None
    if found is None:
        return _walk(stretch, stretch.begin, header)
    offsets, last = found
    # the end of a stretch is walked plainly: that knows what is whole
    rest, position = _walk(stretch, last, header)
    return np.concatenate((offsets, rest)), position


def _walk(stretch: Stretch, position: int, header: FileHeader) -> tuple[Offsets, int]:
    unpack = struct.Struct(f"{header.byte_order}I").unpack_from
    buffer, _, limit, size = stretch
    ahead = header.record_header
    found: list[int] = []
    note, last = found.append, min(limit - 1, size - ahead)
    while position <= last:
        (captured,) = unpack(buffer, position + _CAPTURED_AT)
        stop = position + ahead + captured
        if stop > size or captured > LONGEST_FRAME:
            break
        note(position)
        position = stop
    return np.array(found, np.int64), position


def _walk_lanes(stretch: Stretch, header: FileHeader) -> tuple[Offsets, int] | None:
    """The offsets before some record near the end, and that record's; None where lanes do not help."""
    buffer, begin, limit, _ = stretch
    probe, probed = _walk(stretch._replace(limit=begin + (1 << 16)), begin, header)
    if probe.size < 8:
        return None
    size = limit - begin
    ahead = header.record_header
    mean = (probed - begin) / probe.size
    lanes = min(_LANES, int(size / mean / _LEAST_RECORDS), size // (2 * _WINDOW))
    if lanes < 8:
        return None
    words: NDArray[Any] = np.ndarray((size - 3,), f"{header.byte_order}u4", buffer, begin, (1,))
    starts = _find_starts(words, size // lanes, lanes, header)
    ends = np.append(starts[1:], size - _WINDOW)
    if (np.diff(starts) <= 0).any() or ends[-1] <= starts[-1]:
        return None
    found = _step(words, starts, ends, ahead)
    return None if found is None else (found[0] + begin, found[1] + begin)


def _step(words: NDArray[Any], starts: Offsets, ends: Offsets, ahead: int) -> tuple[Offsets, int] | None:
    """Walk all lanes until each has passed its end; None where one does not land on the next one's first."""
    captured = words[_CAPTURED_AT:]
    limit = captured.size - 1
    rows: list[Offsets] = []
    current = starts
    while (current < ends).any():
        if len(rows) > _MOST_STEPS:
            return None
        # a lane that has arrived goes on beyond its end, which costs less than to look each time
        for _ in range(_STEPS_AT_ONCE):
            rows.append(current)
            current = np.minimum(current + captured[current] + ahead, limit)
    grid = np.stack((*rows, current))
    inside = grid < ends
    landed = grid[inside.sum(0), np.arange(starts.size)]
    found = grid.T[inside.T]
    if not np.array_equal(landed[:-1], ends[:-1]) or np.diff(found).max(initial=0) > ahead + LONGEST_FRAME:
        return None
    # the last may reach beyond the buffer's end
    return found[:-1], int(found[-1])


def _find_starts(words: NDArray[Any], lane: int, lanes: int, header: FileHeader) -> Offsets:
    """For each lane the first place behind its beginning where three records in a row look plausible."""
    ahead = header.record_header
    limit = words.size - 16
    earliest = np.uint32(max(0, int(words[0]) - _NEAR))
    starts = np.full(lanes, -1, np.int64)
    starts[0] = 0
    bases = lane * np.arange(1, lanes)
    waiting = np.arange(1, lanes)
    begin, width = 0, _WINDOW // 8
    while waiting.size and begin < _WINDOW:
        # the same stretch of every lane, as a view without indices
        windows = as_strided(words[lane + begin :], (lanes - 1, width), (lane, 1))
        if waiting.size < lanes - 1:
            windows = windows[waiting - 1]
        rows, columns = np.divmod(np.flatnonzero(windows - earliest <= 2 * _NEAR), width)
        candidates = bases[waiting[rows] - 1] + begin + columns
        at = candidates
        for _ in range(3):
            at = np.minimum(at, limit)
            captured, wire = words[at + _CAPTURED_AT].astype(np.int64), words[at + _WIRE_AT]
            likely = (
                (words[at] - earliest <= 2 * _NEAR)
                & (words[at + 4] < 1_000_000_000)
                & (captured <= wire)
                & (wire <= _LONGEST_WIRE)
                & (captured <= LONGEST_FRAME)
            )
            rows, candidates, at = rows[likely], candidates[likely], (at + ahead + captured)[likely]
        found, first = np.unique(rows, return_index=True)
        starts[waiting[found]] = candidates[first]
        waiting = np.delete(waiting, found)
        begin, width = begin + width, width * 2
    return starts[starts >= 0]
