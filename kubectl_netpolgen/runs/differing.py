"""Two sources compared, with what a person should know about the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubectl_netpolgen.documents.json_text import NotJson, load_lines
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.runs.sources import Source
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, blocks_hold
from kubectl_netpolgen.semantics.connectivity import Allowed, End
from kubectl_netpolgen.semantics.difference import Change, Difference, Relation, Side, relation_of
from kubectl_netpolgen.semantics.subjects import HostNetwork, cast_of

Seen = Mapping[tuple[End, End], set[tuple[Protocol, int]]]
"""What was observed between workloads."""


@dataclass(frozen=True)
class Differing:
    """All that differs."""

    changes: tuple[Change, ...]
    """Those first that take away what was seen."""
    missed: int
    """How many take away what was seen."""
    relation: Relation
    findings: tuple[Finding, ...]


def find_difference(
    before: Source,
    after: Source,
    *,
    per_pod: bool = False,
    blocks: BlocksAndPods | None = None,
    host_network: HostNetwork | None = None,
) -> Differing:
    """What the second source allows and the first does not, and the reverse.

    Without `blocks` an ipBlock means pods too, and without `host_network` pods of their node's network are
    pods like others; where that may matter, it is said.
    """
    network = host_network or HostNetwork.POD
    one, other = (_side(item.manifests, per_pod, network) for item in (before, after))
    found = tuple(Difference(one, other, blocks=blocks or BlocksAndPods.MATCH, selves=per_pod))
    seen = _seen(path for path in (before.edges, after.edges) if path is not None)
    missed = [item for item in found if item.loses and _takes(item, seen)]
    others = [item for item in found if not (item.loses and _takes(item, seen))]
    findings = [*before.manifests.findings, *after.manifests.findings]
    if blocks is None and any(blocks_hold(side.policies, side.cast.members) for side in (one, other)):
        findings.append(
            Finding(
                "ipblock-pods",
                Severity.WARNING,
                "both sides",
                "an ipBlock holds the addresses of pods, and network plugins differ in whether it means "
                "them; here it does",
                "--ipblock-pods=match or --ipblock-pods=ignore, as your plugin does",
            )
        )
    if host_network is None and any(_on_nodes(item.manifests) for item in (before, after)):
        findings.append(
            Finding(
                "hostnetwork",
                Severity.WARNING,
                "both sides",
                "pods of their node's network are judged as pods, and many network plugins take them for "
                "the node, which no podSelector means",
                "--hostnetwork=pod or --hostnetwork=node, as your plugin does",
            )
        )
    findings += [
        Finding(
            "no-workloads",
            Severity.WARNING,
            f"the side {word}",
            "holds no pods and no workloads, so all that the other side allows counts as changed",
            "put the manifests of the workloads beside the policies",
        )
        for word, side, its_other in (("before", one, other), ("after", other, one))
        if its_other.cast.members and not side.cast.members
    ]
    return Differing((*missed, *others), len(missed), relation_of(found), tuple(dict.fromkeys(findings)))


def _side(manifests: Manifests, per_pod: bool, network: HostNetwork) -> Side:
    return Side(
        cast_of(manifests, per_pod=per_pod, host_network=network),
        manifests.policies,
        manifests.tiers,
        {item.name: item.labels for item in manifests.namespaces},
    )


def _on_nodes(manifests: Manifests) -> bool:
    pods, templates = manifests.pods, manifests.templates
    return any(item.host_network for item in pods) or any(item.host_network for item in templates)


def _seen(files: Iterable[Path]) -> Seen:
    """The connections between workloads of edges files that worked."""
    found: dict[tuple[End, End], set[tuple[Protocol, int]]] = {}
    for path in files:
        for _, item in load_lines(path.read_text(encoding="utf-8", errors="replace")):
            if isinstance(item, NotJson) or not isinstance(item, dict) or item.get("outcome") not in _WORKED:
                continue
            protocol = next((each for each in Protocol if each.value == item.get("protocol")), None)
            client, server = (_workload(item.get(key)) for key in ("client", "server"))
            if client and server and protocol is not None and isinstance(item.get("port"), int):
                found.setdefault((client, server), set()).add((protocol, int(item["port"])))
    return found


_WORKED = {item.value for item in Outcome if item.accepted}


def _workload(item: Any) -> ObjectKey | None:
    if not isinstance(item, Mapping) or not item.get("namespace"):
        return None
    return ObjectKey(str(item.get("kind")), str(item["namespace"]), str(item.get("name")))


def _takes(change: Change, seen: Seen) -> bool:
    """True when a connection that was seen is no longer allowed."""
    return any(
        _has(change.before, *port) and not _has(change.after, *port)
        for port in seen.get((change.source, change.destination), ())
    )


def _has(allowed: Allowed, protocol: Protocol, port: int) -> bool:
    return any(first <= port <= last for first, last in allowed.get(protocol, ()))
