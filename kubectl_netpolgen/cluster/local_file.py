"""A file that grows here as its original grows in a pod."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import BinaryIO

from kubectl_netpolgen.model.errors import BundleError

_BLOCK = 2**20


class LocalWriteFailed(BundleError):
    """The bundle's own disk is full or failing, so that going on would lose what arrives."""


class LocalFile:
    """Bytes on their way: `NAME.part` until it is known what they are worth.

    `keep` may come from another thread than `write`, when a run is left in a hurry; what arrives after it is
    dropped.
    """

    def __init__(self, path: Path, limit: int) -> None:
        """`limit` in bytes is what the pod is believed to have at most."""
        self.path = path
        self.part = path.with_name(path.name + ".part")
        self.limit = limit
        self.offset = 0
        """Bytes that are here, and so where the next ones begin."""
        self._handle: BinaryIO | None = None
        self._kept = False
        self._lock = threading.Lock()

    def write(self, chunk: bytes) -> None:
        """Append what the limit leaves room for; LocalWriteFailed names the path."""
        with self._lock:
            chunk = chunk[: self.limit - self.offset]
            if self._kept or not chunk:
                return
            try:
                if self._handle is None:
                    # Packets can hold secrets: for the owner's eyes only, whatever the umask says.
                    descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                    self._handle = os.fdopen(descriptor, "r+b")
                    self._handle.seek(self.offset)
                self._handle.write(chunk)
            except OSError as error:
                raise self._failed(error) from error
            self.offset += len(chunk)

    def truncate(self, offset: int) -> None:
        """Forget everything from `offset` on."""
        with self._lock:
            self._close()
            try:
                if self.part.exists():
                    os.truncate(self.part, offset)
            except OSError as error:
                raise self._failed(error) from error
            self.offset = min(self.offset, offset)

    def flush(self) -> None:
        """Hand everything to the operating system; a full disk may show only now."""
        with self._lock:
            self._close()

    def digest(self) -> str:
        """SHA-256 of what is on the disk."""
        found = hashlib.sha256()
        if self.part.exists():
            with self.part.open("rb") as handle:
                while chunk := handle.read(_BLOCK):
                    found.update(chunk)
        return found.hexdigest()

    def keep(self, suffix: str = "") -> Path | None:
        """Give the file its last name; None when it never got a byte."""
        with self._lock:
            self._kept = True
            try:
                self._close()
            finally:
                target = self._rename(suffix)
            return target

    def _rename(self, suffix: str) -> Path | None:
        if not self.part.exists():
            return None
        target = self.path.with_name(self.path.name + suffix)
        try:
            self.part.replace(target)
        except OSError as error:
            raise self._failed(error) from error
        return target

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except OSError as error:
                raise self._failed(error) from error

    def _failed(self, error: OSError) -> LocalWriteFailed:
        return LocalWriteFailed(
            f"{self.part}: {error.strerror or error}",
            way_out="make room on that disk, or write to another one with --bundle",
        )
