"""Where a set of policies comes from: files and folders, or a bundle with the policies written for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.documents import is_bundle, recorded_documents
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.manifests import Manifests, Origin
from kubectl_netpolgen.runs.manifests import gathered, manifest_documents, read_manifests
from kubectl_netpolgen.runs.ports import Environment

Documents = Iterator[tuple[object, Origin]]


@dataclass(frozen=True)
class Source:
    """What one word of the command line stands for."""

    manifests: Manifests
    edges: Path | None = None
    """The edges of a bundle."""


def read_source(word: str, *, environment: Environment, strict: bool) -> Source:
    """A bundle holds who was there, the policies written for them, and what was seen."""
    root = environment.directory / word
    if not is_bundle(root):
        return Source(read_manifests((word,), environment=environment, strict=strict))
    findings: list[Finding] = []
    documents = bundle_documents(word, environment, findings, strict=strict)
    edges = root / layout.EDGES
    return Source(gathered(documents, findings), edges if edges.is_file() else None)


def bundle_documents(
    word: str, environment: Environment, findings: list[Finding], *, strict: bool
) -> Documents:
    """The objects of a bundle with its policies, which take the place of older ones of their names."""
    root = environment.directory / word
    written: list[tuple[object, Origin]] = []
    if (root / layout.POLICIES).is_dir():
        paths = (f"{word.rstrip('/')}/{layout.POLICIES}",)
        written = list(manifest_documents(paths, environment, findings, strict=strict))
    names = {_name(document) for document, _ in written}
    for document, origin in recorded_documents(root, findings):
        if document.get("kind") != "NetworkPolicy" or _name(document) not in names:
            yield document, origin
    yield from written


def _name(document: object) -> object:
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(metadata, dict):
        return None
    return str(metadata.get("namespace") or "default"), str(metadata.get("name"))
