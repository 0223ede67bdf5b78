"""The program tshark as a process: where it is, and how it is started on bytes that nobody vouches for.

It sees no configuration but an empty one: profiles, Lua scripts, plug-ins and external capture programs of
the user would otherwise run and change what it tells. It resolves no names, writes no file, and has limits.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from kubectl_netpolgen.model.errors import NetpolgenError
from kubectl_netpolgen.model.finding import Finding, Severity

MOST_MEMORY = 4 << 30
"""Bytes of address space; tshark keeps about 1 GB for a million packets."""

_PROGRAM = "tshark"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_LIMIT = 'ulimit -c 0; ulimit -f 0; ulimit -v "$1"; ulimit -t "$2"; shift 2; exec "$@"'
"""Limits of its own for the shell that becomes tshark: setting them after a fork is unsafe with threads."""

_QUIET = ("-n", "-Q")
_SINGLE_FRAMES = (
    *("-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"),
    *("-o", "tcp.analyze_sequence_numbers:FALSE"),
)
"""Each frame for itself: reassembly would move a fragment's ports to the last of its frames."""


class TsharkFailed(NetpolgenError):
    """tshark was stopped by its limits, or gave up; the message leaves the file's name to the caller."""


def find_tshark(variables: Mapping[str, str]) -> Path | None:
    """The program on the search path, or None; directories relative to the current one are not searched."""
    for directory in variables.get("PATH", _SYSTEM_PATH).split(os.pathsep):
        program = Path(directory, _PROGRAM)
        if directory.startswith("/") and program.is_file() and os.access(program, os.X_OK):
            return program
    return None


def tshark_absent(subject: str, message: str) -> Finding:
    """What is said where tshark would have known more."""
    return Finding(
        "tshark-absent",
        Severity.NOTE,
        subject,
        message,
        "install tshark (the command-line part of Wireshark)",
    )


@contextmanager
def empty_surroundings() -> Iterator[tuple[Path, dict[str, str]]]:
    """A new directory to run tshark in, and the variables that make it look for everything there.

    Nothing of our own environment is passed on: WIRESHARK_* variables name programs and plug-ins, and
    LD_PRELOAD would name libraries.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="netpolgen-") as name:
        directory = Path(name).resolve()
        home = directory / "home"
        home.mkdir()
        yield (
            directory,
            {
                "PATH": _SYSTEM_PATH,
                "HOME": str(home),
                "XDG_CONFIG_HOME": str(home),
                "XDG_DATA_HOME": str(home),
                "WIRESHARK_CONFIG_DIR": str(home),
                "WIRESHARK_PLUGIN_DIR": str(home),
                "WIRESHARK_EXTCAP_DIR": str(home),
                "TMPDIR": str(directory),
                "LC_ALL": "C",
                "TZ": "UTC",
            },
        )


def limited_command(program: Path, arguments: Sequence[str], *, seconds: int) -> list[str]:
    """The words that run tshark with bounds on memory, processor time, core dumps and written files."""
    limits = [str(MOST_MEMORY >> 10), str(seconds)]
    return ["/bin/sh", "-c", _LIMIT, _PROGRAM, *limits, str(program), *arguments]


def stream_fields(
    program: Path, capture: Path, fields: Sequence[str], *, seconds: int, display_filter: str = ""
) -> Generator[list[str], None, None]:
    """The first occurrence of each field, packet by packet, while tshark reads a whole capture.

    TsharkFailed: it ended with an error, was killed by its limits, or took longer than so many seconds.
    """
    # most runs start no program
    import subprocess
    import threading

    arguments = [*_QUIET, *_SINGLE_FRAMES, "-T", "fields", "-E", "occurrence=f", "-r", str(capture.resolve())]
    for field in fields:
        arguments += ["-e", field]
    if display_filter:
        arguments += ["-Y", display_filter]
    with empty_surroundings() as (directory, variables):
        process = subprocess.Popen(
            limited_command(program, arguments, seconds=seconds),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=directory,
            env=variables,
        )
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            with process.stdout as lines:
                for line in lines:
                    yield line.decode("utf-8", "replace").rstrip("\n").split("\t")
            status = process.wait()
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()
    if status:
        raise TsharkFailed(
            f"tshark did not finish reading it: {_reason(status)}",
            way_out="read a smaller part of it: editcap -c 100000 IN OUT",
        )


def _reason(status: int) -> str:
    """Why a process ended, by its status: the signal as a negative number, or its own word."""
    return f"it was stopped by signal {-status}, by its limits" if status < 0 else f"it ended with {status}"
