"""The one question that a command may ask before it changes something."""

from __future__ import annotations

from kubectl_netpolgen.model.errors import NetpolgenError, UsageError
from kubectl_netpolgen.runs.ports import Environment


def demand_yes(question: str, environment: Environment, *, alone: str, way_out: str) -> None:
    """Ask on stderr and go on after a yes.

    Raises UsageError with `alone` where nobody is at a terminal to answer, and NetpolgenError for any other
    answer: nothing was done then.
    """
    if not environment.stdin_is_terminal:
        raise UsageError(alone, way_out=way_out)
    environment.stderr.write(f"{question} [y/N] ")
    environment.stderr.flush()
    if environment.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NetpolgenError("nothing was done", way_out="answer y, or add --yes")
