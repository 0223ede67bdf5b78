"""Reading a bundle back; damaged lines and foreign files become findings, not failures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubectl_netpolgen.analysis.timeline import ObjectEvent
from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.cluster_files import ClusterFiles
from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.bundle.manifest import parse_manifest
from kubectl_netpolgen.documents.json_text import NotJson, load_json
from kubectl_netpolgen.model.bundle import Manifest
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.semantics.objects import KubernetesObject


@dataclass(frozen=True)
class RecordedFile:
    """A file of one pod."""

    pod_uid: str
    name: str
    """Path inside the bundle."""
    path: Path


@dataclass(frozen=True)
class Recorded:
    """What a bundle holds before any analysis."""

    root: Path
    manifest: Manifest
    objects: tuple[KubernetesObject, ...]
    events: tuple[ObjectEvent, ...]
    captures: tuple[RecordedFile, ...]
    sockets: tuple[RecordedFile, ...]
    decisions: str | None
    """The text of decisions.yaml, where there is one."""
    findings: tuple[Finding, ...]


def read_bundle(root: Path) -> Recorded:
    """Everything recorded in a bundle; BundleError when the directory is none."""
    manifest_path = root / layout.MANIFEST
    if not _is_directory(root):
        raise BundleError(f"{root}: no such directory", way_out="name a directory that `capture` wrote")
    text = _text(manifest_path)
    if text is None:
        raise BundleError(
            f"{root}: holds no {layout.MANIFEST}", way_out="name a directory that `capture` wrote"
        )
    try:
        manifest = parse_manifest(load_json(text), where=str(manifest_path))
    except NotJson as error:
        raise BundleError(
            f"{manifest_path}: {error}", way_out="the file was cut or edited; capture again"
        ) from error
    findings: list[Finding] = []
    files = ClusterFiles()
    objects = files.objects(_text(root / layout.OBJECTS) or "")
    events = files.events(_text(root / layout.EVENTS) or "")
    findings.extend((*files.findings, *files.unused()))
    captures, sockets = _files(root, findings)
    return Recorded(
        root=root,
        manifest=manifest,
        objects=objects,
        events=events,
        captures=captures,
        sockets=sockets,
        decisions=_text(root / layout.DECISIONS),
        findings=tuple(findings),
    )


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}", way_out="check the path") from error


def _text(path: Path) -> str | None:
    try:
        if path.exists() and not path.is_file():
            # a pipe would be waited for without end
            raise BundleError(f"{path}: is no regular file", way_out="move it out of the bundle")
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read: {error.strerror}", way_out="check its permissions"
        ) from error


def _files(root: Path, findings: list[Finding]) -> tuple[tuple[RecordedFile, ...], tuple[RecordedFile, ...]]:
    captures: list[RecordedFile] = []
    sockets: list[RecordedFile] = []
    folder = root / layout.CAPTURES
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_dir():
            continue
        name = path.relative_to(root).as_posix()
        item = RecordedFile(path.parent.name, name, path)
        kind = (
            None if path.parent.parent != folder or path.is_symlink() or not path.is_file() else _kind(path)
        )
        if kind is None:
            findings.append(_set_aside(path, name))
            continue
        if path.name.endswith(layout.PART):
            findings.append(_in_part(name))
        if kind is CaptureFile.PCAP:
            captures.append(item)
        elif kind is CaptureFile.SOCKETS:
            sockets.append(item)
    return tuple(captures), tuple(sockets)


def _kind(path: Path) -> CaptureFile | None:
    """What a file is by its name; one that was being written counts where no whole one is there."""
    name = path.name.removesuffix(layout.PART)
    if name != path.name and path.with_name(name).exists():
        return None
    return next((kind for kind in CaptureFile if name.endswith(f".{kind.value}")), None)


def _in_part(name: str) -> Finding:
    return Finding(
        "capture-in-part",
        Severity.WARNING,
        name,
        "the run was cut short while this was pulled; what had arrived is used",
        "capture again if an edge is missing",
    )


def _set_aside(path: Path, name: str) -> Finding:
    if path.name.endswith((layout.SUSPECT, layout.PART)):
        message = "is not what the agent said it was, or a whole one is beside it, and was left out"
        return Finding(
            "capture-set-aside", Severity.WARNING, name, message, "capture again if its pod matters"
        )
    message = "was not written by a capture and was left out"
    return Finding("foreign-file", Severity.WARNING, name, message, "move it out of the bundle")
