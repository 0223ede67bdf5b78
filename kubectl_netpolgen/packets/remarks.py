"""What a person should know of a capture that was read: damage, bounds, and what was not read at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.foreign import link_type_name
from kubectl_netpolgen.packets.names import MOST_ANSWERS

if TYPE_CHECKING:
    from kubectl_netpolgen.packets.capture import Reading


def cut_short(tally: Tally) -> tuple[str, ...]:
    """What the bounds on memory left out, a sentence each."""
    notes = []
    if tally.payloads.names.overflowed:
        notes.append(f"only the first {MOST_ANSWERS} names are kept")
    if tally.payloads.selection.left_out:
        left_out = tally.payloads.selection.left_out
        notes.append(f"{left_out} packets whose names only a full dissector reads were left out")
    return tuple(notes)


def remarks_on(reading: Reading) -> tuple[Finding, ...]:
    """The findings on one capture."""
    found = []
    if reading.truncated is not None:
        found.append(
            Finding(
                "capture-truncated",
                Severity.WARNING,
                reading.file,
                f"{reading.truncated}; everything before that was used",
                "copy the file again, or capture again",
            )
        )
    for note in reading.notes:
        found.append(Finding("capture-odd", Severity.NOTE, reading.file, note))
    for number, packets in sorted(reading.unread_links.items()):
        found.append(
            Finding(
                "link-type-unread",
                Severity.WARNING,
                reading.file,
                f"{packets} packets of link type {link_type_name(number)} were not read",
                "let tshark read them: --tshark",
            )
        )
    if not reading.packets and not reading.unread_links and reading.truncated is None:
        found.append(
            Finding("capture-empty", Severity.WARNING, reading.file, "holds no packets", "capture again")
        )
    return tuple(found)
