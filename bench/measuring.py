"""How long a whole process takes from start to exit, and the most memory that it and its children hold."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLING = 0.02
"""Seconds between two looks at the process tree."""
TIME_LIMIT = 900.0
"""Seconds after which a command is given up."""
WORDS_KEPT = 120
"""Characters of a failed command's last words."""


class CommandFailed(Exception):
    """A command could not be started, was given up, or ended with another status than 0; says why."""


@dataclass(frozen=True)
class Measurement:
    """One run of a command."""

    seconds: float
    peak: int
    """Bytes resident, summed over the process tree."""


@dataclass(frozen=True)
class Spread:
    """Several values of one thing."""

    values: tuple[float, ...]

    @property
    def least(self) -> float:
        """The smallest."""
        return min(self.values)

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def most(self) -> float:
        """The largest."""
        return max(self.values)


def measure(command: Sequence[str], *, limit: float = TIME_LIMIT) -> Measurement:
    """Run the command with its output thrown away.

    Memory is the larger of what the kernel says of the process alone (`ru_maxrss`, which never misses a peak)
    and of samples summed over the tree (which see children). It is never below this process' own size, since
    the kernel counts the moment between fork and exec: so nothing here imports numpy.

    Raises CommandFailed.
    """
    with tempfile.TemporaryFile() as errors:
        begun = time.perf_counter()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(f"{command[0]}: {error.strerror}") from error
        ended = threading.Event()
        sampler = Sampler(process.pid, ended, begun + limit)
        sampler.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            ended.set()
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.join()
        if process.returncode:
            errors.seek(0)
            words = errors.read().decode(errors="replace").strip().splitlines() or ["no words"]
            raise CommandFailed(f"status {process.returncode}: {words[-1][:WORDS_KEPT]}")
    return Measurement(seconds, max(usage.ru_maxrss * 1024, sampler.peak))


class Sampler(threading.Thread):
    """Looks at a process tree until it has ended, and ends it at its deadline."""

    def __init__(self, process: int, ended: threading.Event, deadline: float) -> None:
        super().__init__(daemon=True)
        self.process, self.ended, self.deadline = process, ended, deadline
        self.peak = 0

    def run(self) -> None:
        """Until told that the process has ended."""
        while not self.ended.wait(SAMPLING):
            self.peak = max(self.peak, sum(map(resident, tree(self.process))))
            if time.perf_counter() > self.deadline:
                os.killpg(self.process, signal.SIGKILL)
                return


def tree(process: int) -> Iterator[int]:
    """The process and its descendants that live now."""
    waiting = [process]
    while waiting:
        number = waiting.pop()
        yield number
        for task in Path(f"/proc/{number}/task").glob("*/children"):
            try:
                waiting += map(int, task.read_text().split())
            except OSError:
                continue


def resident(process: int) -> int:
    """Bytes resident, 0 when the process is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


@dataclass(frozen=True)
class Pairs:
    """Two commands run in turn, so that each pair saw the same machine."""

    ours: tuple[Measurement, ...]
    theirs: tuple[Measurement, ...]

    @property
    def ratio(self) -> Spread:
        """How many times longer theirs took, by pair."""
        return Spread(tuple(b.seconds / a.seconds for a, b in zip(self.ours, self.theirs, strict=True)))


def interleave(
    ours: Sequence[str],
    theirs: Sequence[str],
    rounds: int,
    run: Callable[[Sequence[str]], Measurement] = measure,
) -> Pairs:
    """Run both `rounds` times; who is first changes each round. Raises CommandFailed."""
    left, right = [], []
    for number in range(rounds):
        if number % 2:
            right.append(run(theirs))
            left.append(run(ours))
        else:
            left.append(run(ours))
            right.append(run(theirs))
    return Pairs(tuple(left), tuple(right))


def repeat(command: Sequence[str], rounds: int) -> tuple[Measurement, ...]:
    """Run it `rounds` times. Raises CommandFailed."""
    return tuple(measure(command) for _ in range(rounds))


def seconds(runs: Sequence[Measurement]) -> Spread:
    """The times of the runs."""
    return Spread(tuple(run.seconds for run in runs))


def peak(runs: Sequence[Measurement]) -> float:
    """The largest memory of the runs, in millions of bytes."""
    return max(run.peak for run in runs) / 1e6
