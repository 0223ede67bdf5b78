"""Files of a bundle: private to their owner, whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kubectl_netpolgen.model.errors import BundleError

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def make_directory(path: Path) -> None:
    """Create a directory and the missing ones above it, all 0700 whatever the umask says."""
    missing = []
    current = path
    try:
        while not current.exists():
            missing.append(current)
            current = current.parent
        for folder in reversed(missing):
            folder.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
            folder.chmod(DIRECTORY_MODE)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file of these bytes as `write_lines` does."""
    write_lines(path, (content,))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write beside, flush to disk, then rename: a reader sees the old file or the new, never half.

    The file beside is always a new one, so that nothing is written through a link that somebody put there.
    """
    make_directory(path.parent)
    beside = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
        beside = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), FILE_MODE)
            stream.writelines(lines)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
        beside = None
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Add one line in a single write, so that a crash leaves at most its own line short.

    A disk that fills up may take a part of the line; what it refuses is an error, and never lost in silence.
    """
    make_directory(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, FILE_MODE)
        try:
            rest = line.encode() + b"\n"
            while rest:
                rest = rest[os.write(descriptor, rest) :]
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
