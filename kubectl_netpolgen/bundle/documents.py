"""The objects of a bundle as the documents they were, as they stood at the end of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.documents.json_text import load_lines
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.manifests import Origin

Document = Mapping[str, Any]
Key = tuple[str, str, str]


def is_bundle(root: Path) -> bool:
    """True for a directory that `capture` wrote."""
    return (root / layout.MANIFEST).is_file()


def recorded_documents(root: Path, findings: list[Finding]) -> Iterator[tuple[Document, Origin]]:
    """Each object that was there last, with the file and the line that say so.

    What was deleted during the run is not among them. Damaged lines are left out, and said.
    """
    found: dict[Key, tuple[Document, Origin]] = {}
    for name, event in ((layout.OBJECTS, False), (layout.EVENTS, True)):
        damaged = 0
        for number, value in load_lines(_text(root / name)):
            document: object = value
            change = ""
            if event:
                fields = value if isinstance(value, dict) else {}
                document, change = fields.get("object"), fields.get("type", "")
            key = _key(document)
            if key is None:
                damaged += 1
            elif change == "DELETED":
                found.pop(key, None)
            elif isinstance(document, dict):
                found[key] = (document, Origin(f"{root.name}/{name}", number))
        if damaged:
            findings.append(
                Finding(
                    "bundle-line-damaged",
                    Severity.WARNING,
                    f"{root.name}/{name}",
                    f"{damaged} lines are damaged and were left out",
                    "the run was cut short there, or the file was changed since; capture again",
                )
            )
    yield from found.values()


def _key(document: object) -> Key | None:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(metadata, dict):
        return None
    words = (document.get("kind"), metadata.get("namespace") or "", metadata.get("name"))
    kind, namespace, name = (word if isinstance(word, str) else None for word in words)
    return (kind, namespace, name) if kind and namespace is not None and name else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read: {error.strerror}", way_out="check its permissions"
        ) from error
