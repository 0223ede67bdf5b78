"""What two sets of policies do not allow alike, as JSON for programs, columns and Markdown for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubectl_netpolgen.documents.json_text import dump_inner, dump_list
from kubectl_netpolgen.model.rows import API_VERSION
from kubectl_netpolgen.output.columns import plain_columns
from kubectl_netpolgen.output.connectivity import allowed_items, allowed_text, end_item, end_text
from kubectl_netpolgen.output.markdown import markdown_table, markdown_text
from kubectl_netpolgen.output.quantities import count_text
from kubectl_netpolgen.semantics.difference import Change, Relation

_HEADINGS = ("CHANGE", "SOURCE", "DESTINATION", "BEFORE", "AFTER")


def difference_json(changes: Sequence[Change], relation: Relation, missed: int) -> Iterator[str]:
    """`kind: ConnectivityDiff`; the first `missed` changes take away what was seen, and say so."""
    head = {"apiVersion": API_VERSION, "kind": "ConnectivityDiff", "relation": relation.value}
    items = (
        {
            "source": end_item(item.source),
            "destination": end_item(item.destination),
            "before": allowed_items(item.before),
            "after": allowed_items(item.after),
            "change": item.kind.value,
            **({"observed": True} if number < missed else {}),
        }
        for number, item in enumerate(changes)
    )
    return dump_list(head, (dump_inner(item, 2) for item in items))


def difference_table(changes: Sequence[Change], missed: int, *, headers: bool = True) -> str:
    """Plain columns, one line a pair; what takes away something seen is marked."""
    return plain_columns(_HEADINGS, _cells(changes, missed), headers=headers) if changes else ""


def difference_markdown(changes: Sequence[Change], relation: Relation, missed: int) -> str:
    """A table for a pull request, under a line that says what it comes to."""
    count = f"{count_text(len(changes), 'pair')} changed"
    lost = f", {missed} of them against what was seen" if missed else ""
    head = f"**{relation.value}**: {count}{lost}\n"
    if not changes:
        return head
    rows = (tuple(map(markdown_text, cells)) for cells in _cells(changes, missed))
    return f"{head}\n{markdown_table(tuple(word.lower() for word in _HEADINGS), rows)}"


def _cells(changes: Sequence[Change], missed: int) -> list[tuple[str, ...]]:
    return [
        (
            item.kind.value + (" (seen)" if number < missed else ""),
            end_text(item.source),
            end_text(item.destination),
            allowed_text(item.before) or "nothing",
            allowed_text(item.after) or "nothing",
        )
        for number, item in enumerate(changes)
    ]
