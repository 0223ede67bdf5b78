"""DOT to pictures, through the `graphviz` package and its `dot`; the one module that runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubectl_netpolgen.output.dot import without_labels

FORMATS = ("svg", "png")
TIMEOUT = 20.0
"""Seconds that one run of `dot` may take; beyond it the picture is given up, never the run."""

INSTALL = "install Graphviz (apt install graphviz, dnf install graphviz, brew install graphviz)"


@dataclass(frozen=True)
class GraphResult:
    """What was drawn, and what a person should know about it."""

    files: tuple[str, ...] = ()
    """Names of the pictures in the directory."""
    notes: tuple[str, ...] = ()
    """One line each; no findings, because they say something of this machine and nothing of the bundle."""


class _NotDrawn(Exception):
    """`dot` failed or took too long."""


class _LostEdges(_NotDrawn):
    """`dot` said that it left edges out; another way to draw may keep them."""


def find_dot() -> str | None:
    """The path of Graphviz' `dot`, when it is on PATH."""
    return shutil.which("dot")


def render(
    dot: str,
    directory: Path,
    *,
    find_dot: Callable[[], str | None] = find_dot,
    timeout: float = TIMEOUT,
) -> GraphResult:
    """Draw graph.svg and graph.png into the directory; a picture that fails is a note, never an error.

    Pictures of an earlier run are removed first: none at all is better than one of something else.
    """
    for kind in FORMATS:
        (directory / f"graph.{kind}").unlink(missing_ok=True)
    program = find_dot()
    if program is None:
        return GraphResult(notes=(f"graph.dot was written, but not drawn: no `dot` on PATH; {INSTALL}",))
    notes: list[str] = []
    try:
        pictures = _draw(program, dot, timeout=timeout, notes=notes)
    except _NotDrawn as error:
        return GraphResult(
            notes=(f"graph.dot was written, but not drawn: {error}; try: sfdp -Tsvg graph.dot",)
        )
    for name, content in pictures.items():
        _write(directory / name, content)
    return GraphResult(tuple(pictures), tuple(notes))


def _draw(program: str, dot: str, *, timeout: float, notes: list[str]) -> dict[str, bytes]:
    """The first whole picture: as it is, then with the newer ranking, then without port labels.

    Raises _NotDrawn with the last reason when none is whole.
    """
    try:
        return _pictures(program, dot, timeout=timeout)
    except _LostEdges:
        pass
    try:
        return _pictures(program, dot, "-Gnewrank=true", timeout=timeout)
    except _LostEdges:
        pass
    pictures = _pictures(program, without_labels(dot), "-Gnewrank=true", timeout=timeout)
    notes.append("the picture has no ports: with them Graphviz leaves edges out; the table has them")
    return pictures


def _pictures(program: str, dot: str, *options: str, timeout: float) -> dict[str, bytes]:
    return {f"graph.{kind}": _run(program, dot, kind, options, timeout=timeout) for kind in FORMATS}


def _run(program: str, dot: str, kind: str, options: Sequence[str], *, timeout: float) -> bytes:
    # the package knows dot's command line; running it here adds the time limit and the look at stderr,
    # neither of which its own `pipe` offers
    from graphviz.backend import dot_command

    _, *arguments = map(str, dot_command.command("dot", kind))
    try:
        done = subprocess.run(
            [program, *arguments, *options],
            input=dot.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _NotDrawn(f"dot took longer than {timeout:g} s") from error
    except OSError as error:
        raise _NotDrawn(f"{program}: {error.strerror}") from error
    said = done.stderr.decode(errors="replace")
    # newer versions end with an error after these words, older ones with success
    if "lost" in said or "trouble in init_rank" in said:
        raise _LostEdges("dot leaves edges out")
    if done.returncode != 0 or not done.stdout:
        first = said.strip().splitlines()[:1]
        raise _NotDrawn(f"dot ended with {done.returncode}: {first[0] if first else 'and said nothing'}")
    return done.stdout


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by the owner only, as everything in a bundle."""
    handle, temporary = tempfile.mkstemp(prefix=".graph-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
