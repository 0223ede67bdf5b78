"""Words on the command line to capture files: directories, bundles, rotated series, standard input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpolgen.model.errors import BundleError, UsageError
from kubectl_netpolgen.model.finding import Finding, Severity

if TYPE_CHECKING:
    from kubectl_netpolgen.bundle.reader import Recorded

STANDARD_INPUT = "-"

_ROTATED = re.compile(r"(?P<base>.*\..*[^0-9.])(?P<number>[0-9]{0,9})", re.DOTALL)
"""`tcpdump -C` writes x.pcap, x.pcap1, x.pcap2 and so on, with -W from x.pcap0 or x.pcap00 on."""


class Input(NamedTuple):
    """One file to read."""

    path: Path | None
    """None for standard input."""
    label: str
    """How rows and findings call it: as given, under a directory joined with `/`."""
    size: int = 0
    """Bytes on disk, as far as known."""


class Group(NamedTuple):
    """Files that are one capture: what one of them proves holds for all."""

    inputs: tuple[Input, ...]
    recorded: Recorded | None = None
    """The bundle that they lie in."""


class Inputs(NamedTuple):
    """Everything to read, in the order of the rows."""

    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]

    @property
    def files(self) -> tuple[Input, ...]:
        """All files, in order."""
        return tuple(item for group in self.groups for item in group.inputs)


def find_inputs(operands: Sequence[str], directory: Path) -> Inputs:
    """The capture files that the operands mean, read against a directory.

    A path that is not there is an input all the same: reading it says so. UsageError: standard input twice,
    or an empty word, as a variable that is not set leaves behind.
    """
    if "" in operands:
        raise UsageError("an empty word names no file", way_out="name a file, a directory or a bundle")
    if operands.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input can be read once only", way_out="name - once")
    groups: list[Group] = []
    findings: list[Finding] = []
    plain: list[Input] = []
    for operand in operands:
        path = directory / operand
        if operand != STANDARD_INPUT and _is_directory(path):
            groups.extend(_series(plain))
            plain = []
            groups.extend(_of_directory(path, operand.rstrip("/") or "/", findings))
        elif operand == STANDARD_INPUT:
            plain.append(Input(None, STANDARD_INPUT))
        else:
            plain.append(Input(path, operand, _size(path)))
    groups.extend(_series(plain))
    return Inputs(tuple(groups), tuple(findings))


def rotation(name: str) -> tuple[str, int]:
    """The name that a rotated series shares, and the place in it; -1 for the file without a number."""
    match = _ROTATED.fullmatch(name)
    if match is None:
        return name, -1
    return match["base"], int(match["number"] or -1)


def _series(files: Iterable[Input]) -> Iterator[Group]:
    """Neighbours of one series together, every other file for itself."""
    for key, members in groupby(files, key=_series_of):
        found = tuple(members)
        if key is None:
            yield from (Group((item,)) for item in found)
        else:
            yield Group(found)


def _series_of(item: Input) -> tuple[Path, str] | None:
    return None if item.path is None else (item.path.parent, rotation(item.path.name)[0])


def _of_directory(root: Path, label: str, findings: list[Finding]) -> Iterator[Group]:
    """What lies in a directory, sorted; a bundle in it, or the directory itself, is one group."""
    joined = label if label.endswith("/") else f"{label}/"
    plain: list[Input] = []
    for path in _walk(root, findings, joined):
        name = joined + path.relative_to(root).as_posix() if path != root else label
        if _is_directory(path):
            yield from _series(plain)
            plain = []
            yield from _of_bundle(path, name, findings)
        else:
            plain.append(Input(path, name, _size(path)))
    yield from _series(plain)


def _of_bundle(root: Path, label: str, findings: list[Finding]) -> Iterator[Group]:
    # reading a bundle needs every kind of object; reading a capture needs none
    from kubectl_netpolgen.bundle import layout
    from kubectl_netpolgen.bundle.reader import read_bundle

    try:
        recorded = read_bundle(root)
    except BundleError as error:
        findings.append(
            Finding(
                "bundle-unreadable",
                Severity.WARNING,
                label,
                f"{error.message}; its captures are read as plain files",
                error.way_out,
            )
        )
        folder = root / layout.CAPTURES
        if folder.is_dir():
            yield from _of_directory(folder, f"{label.rstrip('/')}/{layout.CAPTURES}", findings)
        return
    findings.extend(recorded.findings)
    inputs = tuple(
        Input(file.path, f"{label.rstrip('/')}/{file.name}", _size(file.path)) for file in recorded.captures
    )
    yield Group(inputs, recorded)


def _walk(root: Path, findings: list[Finding], label: str) -> Iterator[Path]:
    """Regular files below a directory, and bundles as directories; hidden ones are nobody's captures.

    Links are not followed: what they lead to inside is found anyway, and outside was not asked for.
    """
    waiting = [root]
    while waiting:
        path = waiting.pop()
        if not _is_directory(path) or _is_bundle(path):
            yield path
            continue
        try:
            with os.scandir(path) as entries:
                found = sorted(entries, key=lambda entry: (*rotation(entry.name), entry.name), reverse=True)
        except OSError as error:
            name = label.rstrip("/") if path == root else label + path.relative_to(root).as_posix()
            findings.append(_unreadable(name, error))
            continue
        for entry in found:
            here = Path(entry.path)
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                if not _leads_inside(here, root):
                    findings.append(_link(label + here.relative_to(root).as_posix()))
            elif entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False):
                waiting.append(here)


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        # a link to itself leads nowhere
        return False


def _is_bundle(path: Path) -> bool:
    from kubectl_netpolgen.bundle import layout

    try:
        return (path / layout.MANIFEST).is_file()
    except OSError:
        # who may not look into a directory is told so when it is listed
        return False


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _size(path: Path) -> int:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _unreadable(label: str, error: OSError) -> Finding:
    return Finding(
        "directory-unreadable",
        Severity.WARNING,
        label,
        f"cannot be listed: {error.strerror or error}",
        "check its permissions",
    )


def _link(label: str) -> Finding:
    return Finding(
        "link-not-followed",
        Severity.NOTE,
        label,
        "is a link that leads out of the directory, and was not followed",
        "name the file itself to read it",
    )
