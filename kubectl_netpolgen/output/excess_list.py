"""What the policies allow and nobody was seen to use, as JSON: a line for two ends and a port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kubectl_netpolgen.documents.json_text import dump_line
from kubectl_netpolgen.generation.excess import Excess
from kubectl_netpolgen.generation.sharing import Shared
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import PolicyType


def excess_lines(pairs: Iterable[Excess], shared: Iterable[Shared]) -> Iterator[str]:
    """Between workloads, then between a workload and what lies beyond pods."""
    for item in pairs:
        yield _line(_workload(item.client), _workload(item.server), item.protocol.value, item.port)
    for row in shared:
        ends = _workload(row.workload), {"addresses": row.other}
        client, server = ends if row.direction is PolicyType.EGRESS else ends[::-1]
        yield _line(client, server, row.protocol.value, row.port)


def _line(client: Any, server: Any, protocol: str, port: int | str) -> str:
    return dump_line({"client": client, "server": server, "protocol": protocol, "port": port}) + "\n"


def _workload(key: ObjectKey) -> dict[str, str]:
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}
