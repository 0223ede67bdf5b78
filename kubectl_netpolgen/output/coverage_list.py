"""Coverage in full: as JSON for programs, and as a page that says where to look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubectl_netpolgen.analysis.coverage import Coverage
from kubectl_netpolgen.analysis.unused import Unused
from kubectl_netpolgen.analysis.watched import WatchedPod
from kubectl_netpolgen.model.rows import API_VERSION
from kubectl_netpolgen.model.times import rfc3339
from kubectl_netpolgen.output.markdown import markdown_table, markdown_text

_SECOND = 1_000_000_000


def coverage_item(coverage: Coverage) -> dict[str, Any]:
    """`kind: Coverage`; what nobody could count is null, times are seconds or RFC 3339."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Coverage",
        "podsCaptured": coverage.pods_captured,
        "podsThere": coverage.pods_there,
        "secondsMissed": _seconds(coverage.missed),
        "packetsDropped": coverage.dropped,
        "edges": coverage.edges,
        "seenOnce": coverage.seen_once,
        "seenTwice": coverage.seen_twice,
        "edgesUnseenAtLeast": coverage.unseen,
        "secondsSinceNewEdge": _seconds(coverage.duration - coverage.last_new) if coverage.edges else None,
        "seconds": _seconds(coverage.duration),
        "pods": [_pod(pod) for pod in coverage.pods],
        "unused": [_unused(item) for item in coverage.unused],
    }


def _pod(pod: WatchedPod) -> dict[str, Any]:
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "there": [rfc3339(time) for time in pod.there],
        "captured": [rfc3339(time) for time in pod.captured] if pod.captured is not None else None,
        "secondsMissed": None if pod.skipped else _seconds(pod.missed),
        "packetsDropped": pod.dropped,
        "skipped": pod.skipped,
        "reason": pod.reason,
    }


def _unused(item: Unused) -> dict[str, str]:
    owner = item.owner
    return {
        "what": item.kind.value,
        "kind": owner.kind,
        "namespace": owner.namespace,
        "owner": owner.name,
        "name": item.name,
    }


def _seconds(nanoseconds: int) -> float:
    return round(nanoseconds / _SECOND, 3)


def coverage_page(coverage: Coverage) -> str:
    """The one line, then the pods that were missed most, then what had no traffic."""
    return "".join(_parts(coverage))


def _parts(coverage: Coverage) -> Iterator[str]:
    yield f"# Coverage\n\n{markdown_text(str(coverage))}\n\n"
    worst = sorted(
        coverage.pods,
        key=lambda pod: (pod.skipped, -pod.missed, -(pod.dropped or 0), pod.namespace, pod.name),
    )
    if worst:
        yield "## Pods, those first of which most was missed\n\n"
        headings = ("namespace", "pod", "seconds there", "seconds missed", "packets dropped", "why")
        yield markdown_table(headings, map(_cells, worst)) + "\n"
    yield "## Declared, and without traffic\n\n"
    if not coverage.unused:
        yield "Nothing.\n"
    rows = (
        (item.kind.value, markdown_text(str(item.owner)), markdown_text(item.name))
        for item in coverage.unused
    )
    if coverage.unused:
        yield markdown_table(("what", "of", "name"), rows)


def _cells(pod: WatchedPod) -> tuple[str, ...]:
    there = pod.there[1] - pod.there[0]
    missed = "not to be captured" if pod.skipped else f"{_seconds(pod.missed):.1f}"
    dropped = "unknown" if pod.dropped is None else str(pod.dropped)
    return (
        markdown_text(pod.namespace),
        markdown_text(pod.name),
        f"{_seconds(there):.1f}",
        missed,
        dropped,
        markdown_text(pod.reason),
    )
