"""Names that a full dissector finds, and the rows that have waited for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import NameAnswer, PeerName
from kubectl_netpolgen.model.rows import Row, RowKind
from kubectl_netpolgen.packets.names import answer_order
from kubectl_netpolgen.packets.selection import SelectedFrame, Selection
from kubectl_netpolgen.runs.capture_rows import Held, Place, places_of, places_of_ends

if TYPE_CHECKING:
    from kubectl_netpolgen.packets.dissector import DissectedName


class LateNames:
    """Collects the frames of a whole run, asks once, and completes the rows."""

    def __init__(self, kind: RowKind) -> None:
        self._kind = kind
        self._selection = Selection()
        self._names: dict[tuple[str, Place], list[PeerName]] = {}
        self._answers: dict[str, list[NameAnswer]] = {}

    def absorb(self, frames: tuple[SelectedFrame, ...]) -> None:
        """The frames of the next file."""
        self._selection.absorb(frames)

    def ask(self, program: Path | None) -> tuple[Finding, ...]:
        """Dissect what was collected; what could not be looked at. One start of tshark, or none."""
        frames = self._selection.collected()
        if not frames:
            return ()
        from kubectl_netpolgen.packets.dissector import dissect_names

        found, findings = dissect_names(frames, program=program)
        for item in found:
            self.add(item)
        if self._selection.left_out:
            message = f"{self._selection.left_out} selected frames were beyond the bounds of one run"
            findings += (
                Finding("names-incomplete", Severity.NOTE, "tshark", f"not every name was read: {message}"),
            )
        return findings

    def add(self, item: DissectedName) -> None:
        """One name, for the row of its frame and for the list of names."""
        said = item.said
        if said.address is None:
            for place in places_of_ends(item.ends, self._kind):
                self._names.setdefault((item.file, place), []).append(PeerName(said.name, said.source))
        self._answers.setdefault(item.file, []).append(
            NameAnswer(
                name=said.name,
                address=item.ends.server if said.address is None else said.address,
                via=said.via,
                first=item.time,
                last=item.time,
                source=said.source,
            )
        )

    def complete(self, held: Held) -> Iterable[Row]:
        """The rows with what was found for them."""
        if self._kind is RowKind.NAMES:
            answers = [row for row in held.rows if isinstance(row, NameAnswer)]
            return merge_answers([*answers, *self._answers.get(held.file, ())])
        return [self._named(held.file, row) for row in held.rows]

    def _named(self, file: str, row: Row) -> Row:
        found = [name for place in places_of(row) for name in self._names.get((file, place), ())]
        if not found or isinstance(row, NameAnswer):
            return row
        from kubectl_netpolgen.analysis.flow_sums import unite_names

        return row._replace(names=unite_names(row.names, found))


def merge_answers(answers: Iterable[NameAnswer]) -> list[NameAnswer]:
    """The same answer once, with all that was heard of it; in the order of every list of names."""
    merged: dict[tuple[object, ...], NameAnswer] = {}
    for answer in answers:
        key = (answer.name, answer.source, answer.address, answer.via)
        known = merged.get(key)
        if known is not None:
            answer = replace(
                known,
                first=min(known.first, answer.first),
                last=max(known.last, answer.last),
                count=known.count + answer.count,
            )
        merged[key] = answer
    return sorted(merged.values(), key=answer_order)
