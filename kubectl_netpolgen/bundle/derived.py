"""The derived files of a bundle: flows, edges and findings as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubectl_netpolgen.documents.json_text import dump_line
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.flow import Flow
from kubectl_netpolgen.model.times import rfc3339


def flow_lines(flows: Iterable[Flow]) -> Iterator[str]:
    """The flow table, one row a line."""
    for flow in flows:
        yield dump_line(_flow(flow)) + "\n"


def _flow(flow: Flow) -> dict[str, Any]:
    return {
        "capture": flow.capture,
        "podUID": flow.pod_uid,
        "protocol": flow.protocol.value,
        "client": flow.client,
        "server": flow.server,
        "serverPort": flow.server_port,
        "clientPorts": flow.client_ports,
        "packetsToServer": flow.packets_to_server,
        "packetsToClient": flow.packets_to_client,
        "bytesToServer": flow.bytes_to_server,
        "bytesToClient": flow.bytes_to_client,
        "first": rfc3339(flow.first),
        "last": rfc3339(flow.last),
        "direction": flow.direction.value,
        "outcome": flow.outcome.value,
        "connections": flow.connections,
        "keys": list(flow.keys),
    }


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings, one a line."""
    for item in findings:
        fields = {
            "code": item.code,
            "severity": item.severity.value,
            "subject": item.subject,
            "message": item.message,
            "wayOut": item.way_out,
        }
        yield dump_line(fields) + "\n"
