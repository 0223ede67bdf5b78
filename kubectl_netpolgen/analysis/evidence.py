"""Which packets show an edge."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.model.edge import Evidence
from kubectl_netpolgen.model.flow import Flow


def flow_filter(flow: Flow) -> str:
    """The display filter that shows exactly a flow's packets in its capture."""
    kind = "ipv6" if ":" in flow.client else "ip"
    layer = flow.protocol.value.lower()
    return (
        f"({kind}.src=={flow.client} && {kind}.dst=={flow.server} && {layer}.dstport=={flow.server_port}) || "
        f"({kind}.src=={flow.server} && {kind}.dst=={flow.client} && {layer}.srcport=={flow.server_port})"
    )


def flow_evidence(flow: Flow) -> Evidence:
    """A flow as the evidence that it is."""
    return Evidence(flow.capture, flow_filter(flow), flow.packets)


_KEPT = 3


class ShownByFlows(Sequence[Evidence]):
    """An edge's evidence by the rows of its flows, made when somebody looks: the texts are long, and many.

    The first few are kept from then on, since they are what is shown to people, again and again.
    """

    def __init__(self, table: FlowTable, rows: Iterable[int]) -> None:
        self._table = table
        self._rows = array("I", rows)
        self._first: list[Evidence] | None = None

    def _made(self) -> list[Evidence]:
        made = sorted_evidence(flow_evidence(self._table.row(number)) for number in set(self._rows))
        self._first = made[:_KEPT]
        return made

    def __iter__(self) -> Iterator[Evidence]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(set(self._rows))

    @overload
    def __getitem__(self, index: int) -> Evidence: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Evidence]: ...

    def __getitem__(self, index: int | slice) -> Evidence | Sequence[Evidence]:
        if self._first is not None and isinstance(index, slice):
            begun, end, step = index.indices(len(self))
            if end <= _KEPT and step > 0:
                return self._first[begun:end:step]
        return self._made()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # equal to a tuple, whose hash costs all the texts


def sorted_evidence(items: Iterable[Evidence]) -> list[Evidence]:
    """Each once, by file and filter."""
    return sorted(set(items), key=lambda item: (item.file, item.filter))
