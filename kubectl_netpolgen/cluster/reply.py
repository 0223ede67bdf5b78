"""Reading what `pull.sh` answers, as it arrives and however it is cut into pieces.

Every length in it comes from a pod: it is checked against what was asked for and never sizes an allocation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubectl_netpolgen.model.errors import ClusterError

_LONGEST_LINE = 128
_HEADER = re.compile(rb"npg1 (\d{1,12})(?:\.(\d{1,9}))?\S* (\d{1,12}(?:\.\d{1,9})?)")
_SECTION = re.compile(rb"([a-z.]{1,20}) (\d{1,15}) (\d{1,15}) (\d{1,15})")


class BadReply(ClusterError):
    """A pod answered what our own script never says."""


@dataclass(frozen=True)
class Clocks:
    """The node's clocks at the moment of the answer."""

    epoch: int
    """Nanoseconds; to the second only where the image's `date` knows no fraction."""
    uptime: float


@dataclass
class Part:
    """What was asked of one file, and where its bytes go."""

    offset: int
    limit: int
    write: Callable[[bytes], None]
    size: int | None = None
    """What the pod says the file has; None when it said nothing about it."""


class ReplyReader:
    """A state machine over the bytes of one answer; feed it chunks of any size."""

    def __init__(self, parts: Mapping[str, Part], *, on_clocks: Callable[[Clocks], None]) -> None:
        self._parts = parts
        self._on_clocks = on_clocks
        self._line = bytearray()
        self._left = 0
        self._part: Part | None = None
        self._headed = False
        self.complete = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; BadReply when they cannot be an answer to what was asked."""
        view = memoryview(chunk)
        while view:
            if self._left and self._part is not None:
                taken = view[: self._left]
                self._part.write(bytes(taken))
                self._left -= len(taken)
                view = view[len(taken) :]
                continue
            end = bytes(view[:_LONGEST_LINE]).find(b"\n")
            piece = view[:_LONGEST_LINE] if end < 0 else view[:end]
            self._line += piece
            if len(self._line) > _LONGEST_LINE:
                raise BadReply("the agent's answer has a line that is too long")
            view = view[len(piece) + (end >= 0) :]
            if end >= 0:
                line, self._line = bytes(self._line), bytearray()
                self._take(line)

    def _take(self, line: bytes) -> None:
        if self.complete:
            raise BadReply("the agent's answer goes on after its end")
        if not self._headed:
            self._head(line)
        elif line == b"end":
            self.complete = True
        else:
            self._section(line)

    def _head(self, line: bytes) -> None:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise BadReply("the agent's answer has no header")
        self._headed = True
        # Where `date` has no fraction, the middle of the second errs least.
        fraction = int(match[2].ljust(9, b"0")) if match[2] else 500_000_000
        self._on_clocks(Clocks(epoch=int(match[1]) * 1_000_000_000 + fraction, uptime=float(match[3])))

    def _section(self, line: bytes) -> None:
        match = _SECTION.fullmatch(line)
        part = self._parts.get(match[1].decode()) if match else None
        if match is None or part is None or part.size is not None:
            raise BadReply("the agent's answer names a file that was not asked for")
        size, offset, length = (int(number) for number in match.groups()[1:])
        if offset != part.offset or length > part.limit or length > max(size - offset, 0):
            raise BadReply("the agent's answer is not about the bytes that were asked for")
        part.size = size
        self._part, self._left = part, length
