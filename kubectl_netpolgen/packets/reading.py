"""The one door to capture files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from kubectl_netpolgen.model.flow import CaptureContents
from kubectl_netpolgen.packets.conversations import join_halves
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.foreign import (
    NotACapture,
    UnreadableCapture,
    foreign_file,
    unknown_link_type,
)
from kubectl_netpolgen.packets.inexpressible import MOST_LINES
from kubectl_netpolgen.packets.link import ETHERNET, LINKS
from kubectl_netpolgen.packets.names import MOST_ANSWERS
from kubectl_netpolgen.packets.pcap import Record, Records, is_pcap, read_header
from kubectl_netpolgen.packets.pcapng import Blocks, check_start, is_pcapng
from kubectl_netpolgen.packets.source import Source, open_source

__all__ = ["NotACapture", "UnreadableCapture", "read_capture"]


def read_capture(path: Path) -> CaptureContents:
    """Read a pcap or pcapng file, plain or compressed, into conversations and names, in one pass.

    Memory grows with the number of 5-tuples, never with the size of the file or with a length it claims.
    What packets hold cannot raise: packets that make no sense are counted as unread. NotACapture: the file is
    something else, or of a link type that no pod has; UnreadableCapture: the system would not open it.
    """
    with open_source(path) as source:
        if is_pcapng(source.start):
            check_start(source.start, path)
            return _read_blocks(source, path)
        if not is_pcap(source.start):
            raise foreign_file(path, source.start, compression=source.compression, damage=source.damage)
        header = read_header(source, path)
        if header.link_type not in LINKS:
            raise unknown_link_type(path, header.link_type)
        records = Records(source, header)
        tally = Tally(LINKS[header.link_type])
        tally.count(records)
        return _contents(tally, records.count, source.explain(records.truncated), header.note)


def _read_blocks(source: Source, path: Path) -> CaptureContents:
    """The packets of all interfaces that have the link type of the first packet that can be read."""
    blocks = Blocks(source)
    packets = iter(blocks)
    first = next((block for block in packets if blocks.interfaces[block[5]].link_type in LINKS), None)
    link_types = [interface.link_type for interface in blocks.interfaces]
    if first is None and link_types and LINKS.keys().isdisjoint(link_types):
        raise unknown_link_type(path, link_types[0])
    link = ETHERNET if first is None else LINKS[link_types[first[5]]]
    tally = Tally(link)
    counted = 0

    def of_the_link() -> Iterator[Record]:
        nonlocal counted
        for buffer, start, end, time, wire, number in chain((first,) if first is not None else (), packets):
            if blocks.interfaces[number].link_type == link.number:
                counted += 1
                yield buffer, start, end, time, wire

    tally.count(of_the_link())
    tally.unread += blocks.count - counted
    return _contents(tally, blocks.count, source.explain(blocks.truncated))


def _contents(tally: Tally, packets: int, truncated: str | None, note: str = "") -> CaptureContents:
    return CaptureContents(
        conversations=join_halves(tally.halves, tally.addresses),
        names=tally.names.collected(),
        packets=packets,
        unread_packets=tally.unread,
        left_out_packets=tally.left_out,
        truncated=truncated,
        inexpressible=tally.inexpressible.lines(),
        cut_short=(*_cut_short(tally), *((note,) if note else ())),
    )


def _cut_short(tally: Tally) -> tuple[str, ...]:
    """What the bounds on memory left out."""
    notes = []
    if tally.inexpressible.overflowed:
        notes.append(
            f"traffic that NetworkPolicy cannot express: only the first {MOST_LINES} pairs are listed"
        )
    if tally.names.overflowed:
        notes.append(f"only the first {MOST_ANSWERS} DNS answers are kept")
    return tuple(notes)
