"""Manifests from files, folders and standard input; nothing is read that was not given."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from kubectl_netpolgen.documents.manifest_text import BadDocument, load_manifest
from kubectl_netpolgen.model.errors import InvalidManifest, UsageError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.manifests import Manifests, Origin
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.semantics.manifests import Refused, gather

Content = TypeVar("Content", str, bytes)

_ENDINGS = (".yaml", ".yml", ".json")
_LARGEST = 512 * 1024 * 1024
"""Bytes of one file; kubectl's dump of a large cluster is less."""
_SHOWN = 20


def read_manifests(paths: Sequence[str], *, environment: Environment, strict: bool) -> Manifests:
    """What the files say; InvalidManifest, with all that is wrong, for what the API server would refuse.

    A document that is no YAML is left out and said, or with `strict` refused too.
    """
    findings: list[Finding] = []
    return gathered(manifest_documents(paths, environment, findings, strict=strict), findings)


def gathered(documents: Iterable[tuple[object, Origin]], findings: Iterable[Finding]) -> Manifests:
    """What documents say; InvalidManifest, with all that is wrong, for what the API server would refuse."""
    try:
        return gather(documents, findings)
    except Refused as error:
        shown = [str(fault) for fault in error.faults[:_SHOWN]]
        more = len(error.faults) - len(shown)
        raise InvalidManifest(
            "the API server would refuse these manifests",
            way_out="\n".join([*shown, *([f"and {more} more"] if more else [])]),
        ) from error


def manifest_documents(
    paths: Sequence[str], environment: Environment, findings: list[Finding], *, strict: bool
) -> Iterator[tuple[object, Origin]]:
    """The documents of files, folders and standard input, each with its place; what is no YAML is said."""
    for name, text in _texts(paths, environment, findings):
        for line, document in load_manifest(text):
            if not isinstance(document, BadDocument):
                yield document, Origin(name, line)
                continue
            where = f"{name}:{document.line}"
            if strict:
                raise InvalidManifest(f"{where}: {document}", way_out="mend it, or leave --strict out")
            findings.append(
                Finding(
                    "not-yaml",
                    Severity.WARNING,
                    where,
                    f"is no YAML and was left out: {document}",
                    "mend it, or --strict to stop there",
                )
            )


def _texts(
    paths: Sequence[str], environment: Environment, findings: list[Finding]
) -> Iterator[tuple[str, str]]:
    for word in paths:
        if word == "-":
            yield "-", _bounded("standard input", environment.stdin.read(_LARGEST + 1))
            continue
        path = environment.directory / word
        if path.is_dir():
            for file in _files_below(path, findings):
                yield f"{word.rstrip('/')}/{file.relative_to(path).as_posix()}", _read(file)
        elif path.exists():
            yield word, _read(path)
        else:
            raise UsageError(f"{word}: no such file or folder", way_out="name the manifests with -f")


def _files_below(root: Path, findings: list[Finding]) -> Iterator[Path]:
    """Manifests of a folder and of all below it, by name; links may lead out of it, so none is followed."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix not in _ENDINGS:
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
                findings.append(
                    Finding(
                        "link-left-out",
                        Severity.WARNING,
                        str(path.relative_to(root)),
                        "is a link out of the folder, and was not read",
                        "name the file itself with -f",
                    )
                )
                continue
            if not path.is_file():
                # a pipe would be waited for without end
                findings.append(
                    Finding(
                        "no-file",
                        Severity.WARNING,
                        str(path.relative_to(root)),
                        "is no file, and was not read",
                    )
                )
                continue
            yield path


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}", way_out="check its permissions"
        ) from error
    try:
        return _bounded(str(path), data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidManifest(
            f"{path}: is not UTF-8 at byte {error.start}", way_out="save it as UTF-8 text"
        ) from error


def _bounded(name: str, content: Content) -> Content:
    if len(content) > _LARGEST:
        raise UsageError(f"{name}: is larger than {_LARGEST >> 20} MiB", way_out="split it")
    return content
