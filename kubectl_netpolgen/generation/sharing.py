"""What a member of a group is allowed beyond pods because another member needed it.

A policy for a group gives each of its workloads the addresses that one of them was seen with, and opens on
each the ports that one of them opens to everybody. Between pods `excess.py` counts; this is the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_netpolgen.generation.peers import Peers
from kubectl_netpolgen.generation.rules import NumberedRule, build_rules
from kubectl_netpolgen.generation.subjects import Subject
from kubectl_netpolgen.model.edge import Edge, Endpoint
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import IPBlock, PolicyType

EVERYBODY = "every address"
_LISTED = 8
_Pair = tuple[str, Protocol, int | str]


@dataclass(frozen=True)
class Shared:
    """A workload, what lies beyond pods, and a port between them that only another workload needed."""

    workload: ObjectKey
    direction: PolicyType
    other: str
    """A CIDR, or `EVERYBODY`."""
    protocol: Protocol
    port: int | str

    def __str__(self) -> str:
        way = "to" if self.direction is PolicyType.EGRESS else "from"
        return f"{way} {self.other} on {self.port}/{self.protocol.value}"


def find_shared(
    subject: Subject,
    rules: Sequence[NumberedRule],
    edges: Sequence[Edge],
    direction: PolicyType,
    peers: Peers,
) -> Iterator[Shared]:
    """What each member gets of the group's rules that its own edges alone would not give it."""
    all_pairs = set(_pairs(rules))
    if subject.group is None or not all_pairs:
        return
    own: dict[ObjectKey, list[Edge]] = {}
    for edge in edges:
        end = edge.client if direction is PolicyType.EGRESS else edge.server
        own.setdefault(_key(end), []).append(edge)
    for member in subject.members:
        alone = build_rules(own.get(member, ()), direction, namespace=subject.namespace, peers=peers)[0]
        beyond = all_pairs - set(_pairs(alone))
        for other, protocol, port in sorted(
            beyond, key=lambda pair: (pair[0], pair[1].value, f"{pair[2]:>5}")
        ):
            yield Shared(member, direction, other, protocol, port)


def _key(end: Endpoint) -> ObjectKey:
    return ObjectKey(end.owner_kind, end.namespace, end.name)


def _pairs(rules: Iterable[NumberedRule]) -> Iterator[_Pair]:
    """Addresses and ports of rules; a range stands for its ports, each of which was seen."""
    for item in rules:
        rule = item.rule
        others = [_text(peer.ip_block) for peer in rule.peers if peer.ip_block is not None]
        for port in rule.ports:
            if isinstance(port.port, int):
                numbers: Iterable[int | str] = range(port.port, (port.end_port or port.port) + 1)
            else:
                numbers = (port.port,) if port.port is not None else ()
            for number in numbers:
                for other in others if rule.peers else (EVERYBODY,):
                    yield other, port.protocol, number


def _text(block: IPBlock) -> str:
    return f"{block.cidr} less {', '.join(block.except_)}" if block.except_ else block.cidr


def told(rows: Iterable[Shared]) -> Iterator[Finding]:
    """One finding for each workload."""
    by_workload: dict[ObjectKey, list[Shared]] = {}
    for row in rows:
        by_workload.setdefault(row.workload, []).append(row)
    for workload, items in by_workload.items():
        shown = ", ".join(str(item) for item in items[:_LISTED])
        more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
        yield Finding(
            "allowed-unseen",
            Severity.WARNING,
            str(workload),
            f"its group's policy also allows it, though only others were seen to need it: {shown}{more}",
            "--per workload keeps it apart",
        )
