"""Files of a bundle: private to their owner, whole or absent."""

from __future__ import annotations

import os
from pathlib import Path

from kubectl_netpolgen.model.errors import BundleError

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def make_directory(path: Path) -> None:
    """Create a directory and the missing ones above it, all 0700 whatever the umask says."""
    missing = []
    current = path
    while not current.exists():
        missing.append(current)
        current = current.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
            folder.chmod(DIRECTORY_MODE)
        except OSError as error:
            raise cannot_write(folder, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write beside, flush to disk, then rename: a reader sees the old file or the new, never half."""
    make_directory(path.parent)
    beside = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def append_line(path: Path, line: str) -> None:
    """Add one line in a single write, so that a crash leaves at most its own line short."""
    make_directory(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        try:
            os.write(descriptor, line.encode() + b"\n")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> BundleError:
    """The error for a path that the file system refuses, with the way out."""
    return BundleError(
        f"{path}: cannot be written: {error.strerror or error}",
        way_out="free some space or choose another directory with --bundle; what was written before is whole",
    )
