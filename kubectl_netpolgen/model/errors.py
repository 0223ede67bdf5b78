"""What ends a run: each error names the object, the cause and the way out.

NetpolgenError
  UsageError        2: the words on the command line
  InvalidManifest   2: objects that the API server would refuse
  ClusterError      1: the API server or the way to it
  BundleError       1: a directory that is no bundle, or a newer one
  NothingCaptured   4: the run ended without one capture
"""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What the program answers to the shell."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    PARTIAL = 3
    NOTHING = 4
    INTERRUPTED = 130


class NetpolgenError(Exception):
    """An error that a person can act on."""

    status = ExitStatus.ERROR

    def __init__(self, message: str, *, way_out: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out


class UsageError(NetpolgenError):
    """The command line asks for something that cannot be."""

    status = ExitStatus.USAGE


class InvalidManifest(NetpolgenError):
    """Manifests that cannot be answered about, since the API server would not take them."""

    status = ExitStatus.USAGE


class ClusterError(NetpolgenError):
    """The cluster, or the way to it, said no."""


class BundleError(NetpolgenError):
    """The directory cannot be read as a bundle, or not be written."""


class NothingCaptured(NetpolgenError):
    """Every pod was skipped or failed."""

    status = ExitStatus.NOTHING
