"""The frames of a file, one by one, whatever container holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kubectl_netpolgen.packets.counting import Frame
from kubectl_netpolgen.packets.link import LINKS, Link
from kubectl_netpolgen.packets.pcap import Records
from kubectl_netpolgen.packets.source import ByteSource

if TYPE_CHECKING:
    from kubectl_netpolgen.packets.pcapng import Blocks

Progress = Callable[[], None]
"""Called now and then while a file is read."""


class Watched:
    """A source that tells somebody whenever it is read from."""

    def __init__(self, source: ByteSource, progress: Progress) -> None:
        self._source, self._progress = source, progress

    def read(self, size: int, /) -> bytes | None:
        """What the source gives."""
        self._progress()
        return self._source.read(size)


def frames_of_records(records: Records, link: Link) -> Iterator[Frame]:
    """The frames of a classic capture; cooked ones tell their interface themselves."""
    place = link.place
    for number, (buffer, start, end, time, wire) in enumerate(records):
        where = None if place is None else buffer[start + place.start : start + place.stop]
        yield Frame(buffer, start, end, time, wire, link, number, where)


class BlockFrames:
    """The frames of a pcapng file whose interfaces have a link type that is read.

    `unread` counts the others by their link type. A place is told once a second interface is described:
    before that there is nothing to tell apart.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self.unread: dict[int, int] = {}

    def __iter__(self) -> Iterator[Frame]:
        interfaces = self._blocks.interfaces
        known: dict[int, Link | None] = {}
        for number, (buffer, start, end, time, wire, interface) in enumerate(self._blocks):
            if interface not in known:
                known[interface] = LINKS.get(interfaces[interface].link_type)
            link = known[interface]
            if link is None:
                kind = interfaces[interface].link_type
                self.unread[kind] = self.unread.get(kind, 0) + 1
                continue
            where: bytes | int | None = interface if len(interfaces) > 1 else None
            if link.place is not None:
                place = buffer[start + link.place.start : start + link.place.stop]
                where = place if where is None else b"%d/" % interface + place
            yield Frame(buffer, start, end, time, wire, link, number, where)
