"""What goes in comes out: each flow is evidence of an edge, or a finding says that it is of none."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netpolgen.analysis.edge_sums import EdgeSums
from kubectl_netpolgen.analysis.flow_table import FlowTable
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Flow

_SHOWN = 3


def unplaced(flows: FlowTable, sums: EdgeSums) -> tuple[Flow, ...]:
    """The flows that are evidence of no edge; there should be none, whatever was captured."""
    seen = bytearray(len(flows))
    for rows in sums.rows():
        for number in rows:
            seen[number] = 1
    if all(seen):
        return ()
    return tuple(flows.row(number) for number, there in enumerate(seen) if not there)


def tell_unplaced(flows: Iterable[Flow]) -> tuple[Finding, ...]:
    """One finding for each capture that has some, so that nothing is lost in silence."""
    found: dict[str, list[Flow]] = {}
    for flow in flows:
        found.setdefault(flow.capture, []).append(flow)
    return tuple(
        Finding(
            "flow-without-edge",
            Severity.ERROR,
            capture,
            f"{len(items)} of its flows are at no edge and in no policy: "
            + "; ".join(map(_shown, items[:_SHOWN])),
            "report this, it is a fault of this program; look at flows.jsonl for what is missing",
        )
        for capture, items in sorted(found.items())
    )


def _shown(flow: Flow) -> str:
    return f"{flow.client} -> {flow.server} {flow.server_port}/{flow.protocol.value}"
