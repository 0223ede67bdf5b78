"""The objects and events of a bundle; what cannot be used is said with its line and its name."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kubectl_netpolgen.analysis.timeline import ObjectEvent
from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.documents.json_text import NotJson, load_lines
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.objects import Pod, Workload
from kubectl_netpolgen.model.times import parse_rfc3339
from kubectl_netpolgen.semantics.fields import Fields, shown
from kubectl_netpolgen.semantics.objects import KubernetesObject, parse_object

MOST_LINES = 100
"""Damaged lines of one file that are each told; of a file that is all noise the rest is told in one."""
_CHANGES = ("ADDED", "MODIFIED", "DELETED")
_LONGEST_NAME = 80


class ClusterFiles:
    """Reads both files, which share one memory of who had which UID."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._unused: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        """Kind and name by UID: two objects of one would hide each other."""

    def objects(self, text: str) -> tuple[KubernetesObject, ...]:
        """What was there at the start."""
        found, damaged = [], _Damaged(layout.OBJECTS)
        for number, value in load_lines(text):
            try:
                item = self._object(_map(value))
            except ValueError as error:
                damaged.line(number, value, error)
                continue
            if item is not None:
                found.append(item)
        self.findings.extend(damaged.findings())
        return tuple(found)

    def events(self, text: str) -> tuple[ObjectEvent, ...]:
        """What changed later."""
        found, damaged = [], _Damaged(layout.EVENTS)
        for number, value in load_lines(text):
            try:
                event = _map(value)
                fields = Fields(event)
                time, change = parse_rfc3339(fields.text("time")), fields.text("type")
                if change not in _CHANGES:
                    raise ValueError(f"type: {shown(change)} is none of {', '.join(_CHANGES)}")
                item = self._object(_map(event.get("object")))
            except ValueError as error:
                damaged.line(number, value.get("object") if isinstance(value, dict) else value, error)
                continue
            if item is not None:
                found.append(ObjectEvent(time, change, item))
        self.findings.extend(damaged.findings())
        return tuple(found)

    def unused(self) -> tuple[Finding, ...]:
        """Kinds that nothing is known of: another tool, or a later version, put them there."""
        return tuple(
            Finding(
                "objects-not-used",
                Severity.NOTE,
                f"kind {kind[:_LONGEST_NAME]}",
                f"{count} of them were recorded; this version reads nothing from them",
            )
            for kind, count in sorted(self._unused.items())
        )

    def _object(self, document: dict[str, Any]) -> KubernetesObject | None:
        item = parse_object(document)
        if item is None:
            self._unused[str(document["kind"])] += 1
            return None
        if isinstance(item, Pod) and not item.uid:
            raise ValueError("metadata.uid: missing, and pods are told apart by it")
        if isinstance(item, (Pod, Workload)) and item.uid:
            known = self._names.setdefault(item.uid, str(item.key))
            if known != str(item.key):
                raise ValueError(f"metadata.uid: is that of {known[:_LONGEST_NAME]}")
        return item


class _Damaged:
    """The lines of one file that were left out."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told: list[str] = []
        self._more: list[int] = []

    def line(self, number: int, document: Any, why: object) -> None:
        """Note a line; by the name of its object too, where it has one."""
        if len(self._told) == MOST_LINES:
            self._more.append(number)
        else:
            self._told.append(f"line {number}{_named(document)} was left out: {why}")

    def findings(self) -> list[Finding]:
        """One for each line, and one for those beyond the bound."""
        messages = list(self._told)
        if self._more:
            messages.append(
                f"{len(self._more)} more lines were left out, from line {self._more[0]} to {self._more[-1]}"
            )
        return [
            Finding(
                "bundle-line-damaged",
                Severity.WARNING,
                self._name,
                message,
                "the run was cut short there, or the file was changed since; capture again",
            )
            for message in messages
        ]


def _map(value: Any) -> dict[str, Any]:
    if isinstance(value, NotJson):
        raise value
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _named(document: Any) -> str:
    """` (Pod shop/web-1)`, as much of it as can be read."""
    if not isinstance(document, dict):
        return ""
    metadata = document.get("metadata")
    name, namespace = (
        (metadata.get("name"), metadata.get("namespace")) if isinstance(metadata, dict) else ("", "")
    )
    kind = document.get("kind")
    words = " ".join(
        part for part in (_short(kind), "/".join(filter(None, map(_short, (namespace, name))))) if part
    )
    return f" ({words})" if words else ""


def _short(value: Any) -> str:
    return value[:_LONGEST_NAME] if isinstance(value, str) else ""
