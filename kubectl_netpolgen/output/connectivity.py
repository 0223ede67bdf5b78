"""What policies allow, as JSON for programs, columns and CSV for people, Markdown and DOT for pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from kubectl_netpolgen.documents.json_text import dump_inner, dump_list
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.rows import API_VERSION
from kubectl_netpolgen.output.columns import plain_columns
from kubectl_netpolgen.output.dot import quoted
from kubectl_netpolgen.output.flow_cells import csv_text
from kubectl_netpolgen.output.markdown import markdown_table, markdown_text
from kubectl_netpolgen.semantics.address_atoms import AddressRange
from kubectl_netpolgen.semantics.connectivity import Allowed, Connection, End, all_ports

_HEADINGS = ("SOURCE", "DESTINATION", "ALLOWED")
_CSV = ("source", "destination", "protocol", "ports")


def connectivity_json(connections: Iterable[Connection]) -> Iterator[str]:
    """`kind: ConnectivityList`, a piece of text for each connection."""
    end = cache(lambda item: dump_inner(end_item(item), 3))
    # by identity, because ports that many pairs share are one object
    known: dict[int, tuple[Allowed, str]] = {}
    head = {"apiVersion": API_VERSION, "kind": "ConnectivityList"}

    def texts() -> Iterator[str]:
        for source, destination, allowed in connections:
            _, ports = known.get(id(allowed)) or known.setdefault(
                id(allowed), (allowed, dump_inner(allowed_items(allowed), 3))
            )
            yield (
                f'{{\n      "source": {end(source)},\n      "destination": {end(destination)},'
                f'\n      "allowed": {ports}\n    }}'
            )

    return dump_list(head, texts())


def end_item(end: End) -> dict[str, str]:
    """`{"workload": "ns/Kind/name"}`, `{"pod": "ns/name"}` or `{"range": "FIRST-LAST"}`."""
    if isinstance(end, AddressRange):
        return {"range": str(end)}
    if end.kind == "Pod":
        return {"pod": f"{end.namespace}/{end.name}"}
    return {"workload": f"{end.namespace}/{end.kind}/{end.name}"}


def allowed_items(allowed: Allowed) -> list[dict[str, Any]]:
    """`[{"protocol": "TCP", "ports": [[from, to], ...]}]`, by the protocols' names."""
    return [
        {"protocol": protocol.value, "ports": [list(item) for item in ranges]}
        for protocol, ranges in sorted(allowed.items(), key=lambda item: item[0].value)
    ]


def end_text(end: End) -> str:
    """An end for people: `ns/Kind/name`, or the addresses, all of a family by its usual name."""
    if isinstance(end, ObjectKey):
        return f"{end.namespace}/{end.kind}/{end.name}"
    if end.first == end.last:
        return end.first
    return {"0.0.0.0-255.255.255.255": "0.0.0.0/0", _ALL_SIX: "::/0"}.get(str(end), str(end))


_ALL_SIX = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


def allowed_text(allowed: Allowed) -> str:
    """`TCP 80,8000-8080, UDP 53`, or `everything`."""
    if all_ports(allowed):
        return "everything"
    return ", ".join(
        protocol.value if ranges == ((1, 65535),) else f"{protocol.value} {_ranges_text(ranges)}"
        for protocol, ranges in sorted(allowed.items(), key=lambda item: item[0].value)
    )


def _ranges_text(ranges: Iterable[tuple[int, int]]) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _cells(connections: Iterable[Connection]) -> list[tuple[str, str, str]]:
    return [
        (end_text(item.source), end_text(item.destination), allowed_text(item.allowed))
        for item in connections
    ]


def connectivity_table(connections: Iterable[Connection], *, headers: bool = True) -> str:
    """Plain columns, one line a pair."""
    return plain_columns(_HEADINGS, _cells(connections), headers=headers)


def connectivity_csv(connections: Iterable[Connection]) -> str:
    """One line for each pair and protocol, ended as RFC 4180 ends them."""
    end = cache(lambda item: csv_text(end_text(item)))
    lines = [",".join(_CSV)]
    for item in connections:
        pair = f"{end(item.source)},{end(item.destination)}"
        for protocol, ranges in _by_name(item.allowed):
            lines.append(f"{pair},{protocol.value},{csv_text(_ranges_text(ranges))}")
    return "".join(line + "\r\n" for line in lines)


def _by_name(allowed: Allowed) -> list[tuple[Protocol, tuple[tuple[int, int], ...]]]:
    return sorted(allowed.items(), key=lambda item: item[0].value)


def connectivity_markdown(connections: Iterable[Connection]) -> str:
    """A table for a pull request."""
    rows = (
        (markdown_text(source), markdown_text(destination), allowed)
        for source, destination, allowed in _cells(connections)
    )
    return markdown_table(("source", "destination", "allowed"), rows)


def connectivity_dot(connections: Sequence[Connection]) -> str:
    """A directed graph, one arrow a pair."""
    texts = sorted({end_text(end) for item in connections for end in (item.source, item.destination)})
    names = {text: f"n{number}" for number, text in enumerate(texts)}
    lines = ["digraph connectivity {", '  graph [rankdir=LR, fontname="sans-serif"]']
    lines += [f"  {names[text]} [shape=box, label={quoted([text])}]" for text in texts]
    for source, destination, allowed in _cells(connections):
        lines.append(f"  {names[source]} -> {names[destination]} [xlabel={quoted([allowed])}]")
    return "\n".join([*lines, "}"]) + "\n"
