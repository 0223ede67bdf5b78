"""bundle.json: what the run was, readable by later versions and refused when newer than this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

from kubectl_netpolgen.model.bundle import SCHEMA, Manifest, PodCapture, PodState, Rung
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.finding import Finding, Severity, sort_findings
from kubectl_netpolgen.model.times import parse_rfc3339, rfc3339

_TIMES = ("started", "ended")
_LONGEST = 1e11
"""Seconds, some thousand years: what is more was written by no clock, and cannot be a time."""


def manifest_document(manifest: Manifest) -> dict[str, Any]:
    """The manifest as JSON-ready values: camelCase keys, times as RFC 3339."""
    document = _camel(asdict(manifest))
    pods = sorted(manifest.pods, key=lambda pod: (pod.namespace, pod.name, pod.uid))
    document["pods"] = [_camel(asdict(pod)) for pod in pods]
    document["findings"] = [_camel(asdict(finding)) for finding in sort_findings(manifest.findings)]
    return {"apiVersion": "netpolgen/v1", "kind": "Bundle", **document}


def parse_manifest(document: Any, *, where: str) -> Manifest:
    """The manifest of a parsed bundle.json; BundleError when it is another thing or a newer schema."""
    if not isinstance(document, Mapping) or document.get("kind") != "Bundle":
        raise BundleError(
            f"{where}: this is no bundle of kubectl netpolgen",
            way_out="name a directory that `capture` wrote",
        )
    schema = document.get("schema")
    if not isinstance(schema, int):
        raise BundleError(
            f"{where}: has no schema number", way_out="the file was edited or cut; capture again"
        )
    if schema > SCHEMA:
        raise BundleError(
            f"{where}: schema {schema!r} is newer than this version understands ({SCHEMA})",
            way_out="upgrade kubectl netpolgen",
        )
    try:
        return Manifest(
            run=str(document["run"]),
            tool_version=str(document["toolVersion"]),
            namespaces=_texts(document["namespaces"]),
            context=str(document.get("context", "")),
            server=str(document.get("server", "")),
            started=_time(document.get("started")),
            ended=_time(document.get("ended")),
            duration=_seconds(document.get("duration", 0)),
            arguments={str(key): str(value) for key, value in (document.get("arguments") or {}).items()},
            pods=tuple(_pod(item) for item in document.get("pods") or ()),
            readable=_texts(document.get("readable") or []),
            findings=tuple(_finding(item) for item in document.get("findings") or ()),
            schema=schema,
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise BundleError(
            f"{where}: not readable: {error}", way_out="the file was edited or cut; capture again"
        ) from error


def _pod(item: Mapping[str, Any]) -> PodCapture:
    return PodCapture(
        uid=str(item["uid"]),
        namespace=str(item["namespace"]),
        name=str(item["name"]),
        state=PodState(item["state"]),
        reason=str(item.get("reason", "")),
        rung=Rung(item["rung"]) if item.get("rung") else None,
        pcap=str(item.get("pcap", "")),
        sockets=str(item.get("sockets", "")),
        bytes=int(item.get("bytes", 0)),
        sha256=str(item.get("sha256", "")),
        verified=bool(item.get("verified")),
        dropped=int(item["dropped"]) if item.get("dropped") is not None else None,
        started=_time(item.get("started")),
        ended=_time(item.get("ended")),
        clock_offset=_seconds(item.get("clockOffset", 0.0)),
        stopped_by=str(item.get("stoppedBy", "")),
        entries=int(item.get("entries", 0)),
    )


def _finding(item: Mapping[str, Any]) -> Finding:
    return Finding(
        code=str(item["code"]),
        severity=Severity(item["severity"]),
        subject=str(item["subject"]),
        message=str(item["message"]),
        way_out=str(item.get("wayOut", "")),
    )


def _texts(items: Any) -> tuple[str, ...]:
    if not isinstance(items, (list, tuple)):
        raise TypeError(f"{items!r} is no list")
    return tuple(str(item) for item in items)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not abs(seconds) <= _LONGEST:
        raise ValueError(f"{seconds} seconds are beyond all measure")
    return seconds


def _time(text: str | None) -> int:
    return parse_rfc3339(text) if text else 0


def _camel(values: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in values.items():
        head, *rest = key.split("_")
        name = head + "".join(part.title() for part in rest)
        if key in _TIMES:
            document[name] = rfc3339(value) if value else None
        else:
            document[name] = value.value if isinstance(value, Enum) else value
    return document
