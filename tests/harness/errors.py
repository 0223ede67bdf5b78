"""The one error the harness ends with."""

from __future__ import annotations


class HarnessError(RuntimeError):
    """Something the harness needs is missing or went wrong; the message says what to do.

    One class is enough: the command line prints it and the tests fail with it, nothing recovers.
    """
