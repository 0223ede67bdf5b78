"""Where the server names of ClientHellos lie, found for all hellos of a chunk in step.

What is found here is what `tls.read_client_hello` finds; where a hello is anything but one record with the
name in its first segment, nothing is found and that function decides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.decode import Numbers
from kubectl_netpolgen.packets.tls import (
    CLIENT_HELLO,
    HANDSHAKE,
    HANDSHAKE_HEADER,
    LONGEST_HELLO,
    LONGEST_RECORD,
    MAJOR,
    NEWEST_MINOR,
    RECORD_HEADER,
    SHORTEST_HELLO,
    VERSION_AND_RANDOM,
)

_MOST_EXTENSIONS = 64
"""Of a hello, for the walk in step; browsers send about 20."""
_HELLO = RECORD_HEADER + HANDSHAKE_HEADER
_EXTENSION_HEADER = 4
_NAME_HEADER = 5
"""Length of the list, kind of name (RFC 6066, 3) and length of the name."""


class ServerNames(NamedTuple):
    """The names that were found, one a row."""

    row: Numbers
    """Which of the payloads asked about."""
    begin: Numbers
    end: Numbers


def begin_hellos(octets: NDArray[np.uint8], starts: Numbers, ends: Numbers) -> NDArray[np.bool_]:
    """`tls.begins_client_hello` for stretches of a buffer, each of an octet at least."""
    at = np.where(ends - starts > RECORD_HEADER, starts, 0)
    begun: NDArray[np.bool_] = (
        (ends - starts > RECORD_HEADER)
        & (octets[at] == HANDSHAKE)
        & (octets[at + 1] == MAJOR)
        & (octets[at + 2] <= NEWEST_MINOR)
        & (octets[at + 5] == CLIENT_HELLO)
    )
    return begun


def find_server_names(octets: NDArray[np.uint8], starts: Numbers, ends: Numbers) -> ServerNames:
    """The server names in payloads that begin a hello."""
    row = np.flatnonzero(ends - starts > _HELLO + VERSION_AND_RANDOM)
    start, size = starts[row], ends[row] - starts[row]
    record = _short(octets, start + 3)
    length = octets[start + 6].astype(np.int64) << 16 | _short(octets, start + 7)
    likely = (
        (record > HANDSHAKE_HEADER)
        & (record <= LONGEST_RECORD)
        & (length >= SHORTEST_HELLO)
        & (length <= LONGEST_HELLO)
        & (octets[start + _HELLO] == MAJOR)
        & ((length <= record - HANDSHAKE_HEADER) | (size <= RECORD_HEADER + record))
    )
    end = np.minimum(start + _HELLO + length, start + size)
    walk = _Walk(row, start + _HELLO + VERSION_AND_RANDOM, end).keep(likely)
    # the session, the cipher suites and the compression methods, each behind its length
    walk = walk.keep(walk.at < walk.end)
    walk = walk.step(1 + octets[walk.at].astype(np.int64))
    walk = walk.keep(walk.at + 2 <= walk.end)
    walk = walk.step(2 + _short(octets, walk.at))
    walk = walk.keep(walk.at < walk.end)
    walk = walk.step(3 + octets[walk.at].astype(np.int64))
    found = []
    for _ in range(_MOST_EXTENSIONS):
        walk = walk.keep(walk.at + _EXTENSION_HEADER <= walk.end)
        if not walk.row.size:
            break
        kind, length = _short(octets, walk.at), _short(octets, walk.at + 2)
        behind = walk.step(_EXTENSION_HEADER + length)
        named = kind == 0
        inside = walk.keep(named).step(_EXTENSION_HEADER)
        found.append(_Walk(inside.row, inside.at, np.minimum(inside.end, behind.at[named])))
        walk = behind.keep(~named)
    return _read_names(octets, found)


class _Walk(NamedTuple):
    """Where the reading of each hello stands."""

    row: Numbers
    at: Numbers
    end: Numbers

    def keep(self, mask: NDArray[np.bool_]) -> _Walk:
        return _Walk(self.row[mask], self.at[mask], self.end[mask])

    def step(self, length: Numbers | int) -> _Walk:
        return self._replace(at=self.at + length)


def _read_names(octets: NDArray[np.uint8], found: list[_Walk]) -> ServerNames:
    """The names in the extensions `server_name`, as `tls` reads them."""
    none = np.zeros(0, np.int64)
    columns = (
        (np.concatenate([none, *column]) for column in zip(*found, strict=True)) if found else (none,) * 3
    )
    walk = _Walk(*columns)
    walk = walk.keep(walk.at + _NAME_HEADER <= walk.end)
    length = _short(octets, walk.at + 3)
    whole = (octets[walk.at + 2] == 0) & (walk.at + _NAME_HEADER + length <= walk.end)
    walk, length = walk.keep(whole).step(_NAME_HEADER), length[whole]
    return ServerNames(walk.row, walk.at, walk.at + length)


def _short(octets: NDArray[np.uint8], at: Numbers) -> Numbers:
    return octets[at].astype(np.int64) << 8 | octets[at + 1]
