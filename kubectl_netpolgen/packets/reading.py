"""The one door to capture files."""

from __future__ import annotations

from pathlib import Path

from kubectl_netpolgen.model.flow import CaptureContents
from kubectl_netpolgen.packets.conversations import join_halves
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.foreign import NotACapture, UnreadableCapture, unknown_link_type
from kubectl_netpolgen.packets.inexpressible import MOST_LINES
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.names import MOST_ANSWERS
from kubectl_netpolgen.packets.pcap import Records, read_header

__all__ = ["NotACapture", "UnreadableCapture", "read_capture"]


def read_capture(path: Path) -> CaptureContents:
    """Read a classic pcap file into conversations and names, in one pass and in chunks.

    Memory grows with the number of 5-tuples, never with the size of the file or with a length it claims.
    What packets hold cannot raise: packets that make no sense are counted as unread. NotACapture: the file is
    something else, or of a link type that no pod has; UnreadableCapture: the system would not open it.
    """
    try:
        with path.open("rb", buffering=0) as source:
            header = read_header(source, path)
            link = LINKS.get(header.link_type)
            if link is None:
                raise unknown_link_type(path, header.link_type)
            records = Records(source, header)
            tally = Tally(link)
            tally.count(records)
    except OSError as error:
        raise UnreadableCapture(
            f"cannot read the capture {path}: {error.strerror or error}",
            way_out="check the path and its permissions",
        ) from error
    return CaptureContents(
        conversations=join_halves(tally.halves, tally.addresses),
        names=tally.names.collected(),
        packets=records.count,
        unread_packets=tally.unread,
        left_out_packets=tally.left_out,
        truncated=records.truncated,
        inexpressible=tally.inexpressible.lines(),
        cut_short=_cut_short(tally),
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
