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
from numpy.typing import NDArray

from kubectl_netpolgen.packets.pcap import LONGEST_FRAME, FileHeader

Offsets = NDArray[np.int64]

_LANES = 256
_LEAST_RECORDS = 24
"""Of a lane; fewer do not pay for the search."""
_WINDOW = 4096
"""Bytes of a lane in which a record is looked for."""
_NEAR = 1 << 22
"""Seconds by which times of one buffer may differ for a record to look like one."""
_MOST_STEPS = 4096
_CAPTURED_AT, _WIRE_AT = 8, 12
_LONGEST_WIRE = 1 << 20


def find_records(buffer: bytes, header: FileHeader) -> tuple[Offsets, int]:
    """The offsets of the whole records of a buffer that begins with one, and where the first other begins."""
    found = _walk_lanes(buffer, header) if len(buffer) > 1 << 20 else None
    if found is None:
        return _walk(buffer, 0, header)
    offsets, last = found
    # the end of a buffer is walked plainly: that knows what is whole
    rest, position = _walk(buffer, last, header)
    return np.concatenate((offsets, rest)), position


def _walk(buffer: bytes, position: int, header: FileHeader) -> tuple[Offsets, int]:
    unpack = struct.Struct(f"{header.byte_order}I").unpack_from
    ahead, size = header.record_header, len(buffer)
    found: list[int] = []
    note, last = found.append, size - ahead
    while position <= last:
        (captured,) = unpack(buffer, position + _CAPTURED_AT)
        stop = position + ahead + captured
        if stop > size or captured > LONGEST_FRAME:
            break
        note(position)
        position = stop
    return np.array(found, np.int64), position


def _walk_lanes(buffer: bytes, header: FileHeader) -> tuple[Offsets, int] | None:
    """The offsets up to some record near the end, and that record's; None where lanes do not help."""
    probe, probed = _walk(buffer[: 1 << 16], 0, header)
    if probe.size < 8:
        return None
    size, ahead = len(buffer), header.record_header
    mean = probed / probe.size
    lanes = min(_LANES, int(size / mean / _LEAST_RECORDS), size // (2 * _WINDOW))
    if lanes < 8:
        return None
    words: NDArray[Any] = np.ndarray((size - 3,), f"{header.byte_order}u4", buffer, strides=(1,))
    starts = _find_starts(words, size // lanes * np.arange(lanes), header)
    ends = np.append(starts[1:], size - _WINDOW)
    if (np.diff(starts) <= 0).any() or ends[-1] <= starts[-1]:
        return None
    rows = [starts]
    current = starts
    limit = size - ahead - 4
    while True:
        captured = words[np.minimum(current, limit) + _CAPTURED_AT].astype(np.int64)
        following = np.minimum(current + ahead + captured, limit)
        current = np.where(current < ends, following, current)
        if (current >= ends).all():
            break
        rows.append(current)
        if len(rows) > _MOST_STEPS or (captured > LONGEST_FRAME).any():
            return None
    if not np.array_equal(current[:-1], ends[:-1]):
        return None
    grid = np.stack(rows)
    inside = grid < ends
    # a lane that has arrived stays where it is, at its end, which is the next one's first
    return grid.T[inside.T], int(current[-1])


def _find_starts(words: NDArray[np.uint32], bases: Offsets, header: FileHeader) -> Offsets:
    """For each base the first place behind it where three records in a row look plausible."""
    seconds = int(words[0])
    ahead = header.record_header
    limit = words.size - 16
    starts = np.full(bases.size, -1, np.int64)
    starts[0] = 0
    waiting = np.arange(1, bases.size)
    begin, width = 0, _WINDOW // 8
    while waiting.size and begin < _WINDOW:
        places = bases[waiting][:, None] + np.arange(begin, begin + width)
        near = np.abs(words[places].astype(np.int64) - seconds) < _NEAR
        rows, columns = np.nonzero(near)
        candidates = places[rows, columns]
        at = candidates
        for _ in range(3):
            at = np.minimum(at, limit)
            captured = words[at + _CAPTURED_AT].astype(np.int64)
            wire = words[at + _WIRE_AT].astype(np.int64)
            likely = (
                (np.abs(words[at].astype(np.int64) - seconds) < _NEAR)
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
