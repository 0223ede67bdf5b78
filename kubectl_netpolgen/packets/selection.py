"""The frames that a full dissector is asked about: few, each once, and within bounds."""

from __future__ import annotations

from typing import NamedTuple

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol

MOST_FRAMES = 2000
MOST_BYTES = 8 << 20
_MOST_PER_CONVERSATION = 8
"""A QUIC ClientHello may span several Initials, and clients repeat them."""


class Ends(NamedTuple):
    """The 5-tuple of a conversation, as the frame's sender being the client or not was judged."""

    protocol: Protocol
    client: Address
    client_port: int
    server: Address
    server_port: int


class SelectedFrame(NamedTuple):
    """A whole frame, and whose names it may hold."""

    file: str
    frame: bytes
    link_type: int
    time: int
    """Nanoseconds since the epoch."""
    wire: int
    """Bytes the frame had on the wire."""
    source: NameSource
    """What kind of name is looked for."""
    ends: Ends


class Selection:
    """Collects frames of one file, or of many when theirs are absorbed in the files' order."""

    def __init__(
        self, file: str = "", *, most_frames: int = MOST_FRAMES, most_bytes: int = MOST_BYTES
    ) -> None:
        self._file = file
        self._most_frames, self._most_bytes = most_frames, most_bytes
        self._bytes = 0
        self._frames: dict[tuple[str, Ends, bytes], SelectedFrame] = {}
        self._per_conversation: dict[tuple[str, Ends], int] = {}
        self.left_out = 0
        """Frames for which there was no room; those beyond a conversation's share do not count."""

    def add(
        self, frame: bytes, *, link_type: int, time: int, wire: int, source: NameSource, ends: Ends
    ) -> None:
        """Keep a frame unless it is there already or there is no room."""
        self._keep(SelectedFrame(self._file, frame, link_type, time, wire, source, ends))

    def absorb(self, frames: tuple[SelectedFrame, ...], *, left_out: int = 0) -> None:
        """Add what another selection collected, and what it left out."""
        self.left_out += left_out
        for frame in frames:
            self._keep(frame)

    def collected(self) -> tuple[SelectedFrame, ...]:
        """The frames in the order in which they came."""
        return tuple(self._frames.values())

    def _keep(self, selected: SelectedFrame) -> None:
        key = (selected.file, selected.ends, selected.frame)
        if key in self._frames:
            return
        kept = self._per_conversation.get(key[:2], 0)
        if kept >= _MOST_PER_CONVERSATION:
            return
        if len(self._frames) >= self._most_frames or self._bytes + len(selected.frame) > self._most_bytes:
            self.left_out += 1
            return
        self._per_conversation[key[:2]] = kept + 1
        self._bytes += len(selected.frame)
        self._frames[key] = selected
