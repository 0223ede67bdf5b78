"""Whole processes are timed, their memory is seen with their children's, and failures say why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.measuring import CommandFailed, Measurement, Spread, interleave, measure, peak, seconds

ROOT = Path(__file__).resolve().parents[2]
HOLD = "import time; held = bytearray(60_000_000); time.sleep(0.3)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"


def python(words: str) -> list[str]:
    """A command that runs these words."""
    return [sys.executable, "-c", words]


def test_time_is_from_start_to_exit() -> None:
    assert 0.2 < measure(python("import time; time.sleep(0.2)")).seconds < 5


def test_memory_of_the_process_is_seen() -> None:
    assert measure(python("held = bytearray(60_000_000)")).peak > 60_000_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_memory_of_a_child_is_added() -> None:
    # in a process of its own: what a command has is never seen below the size of who measures it
    program = (
        "import sys\nfrom bench.measuring import measure\n"
        f"for words in ({HOLD!r}, {PARENT!r}): print(measure([sys.executable, '-c', words]).peak)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    alone, both = map(int, told.stdout.split())
    assert both > alone + 3_000_000


def test_a_failure_says_its_last_words() -> None:
    with pytest.raises(CommandFailed, match="status 3: no such file"):
        measure(python("import sys; sys.stderr.write('reading\\nno such file\\n'); sys.exit(3)"))


def test_a_missing_program_is_a_failure() -> None:
    with pytest.raises(CommandFailed, match="no-such-program: No such file"):
        measure(["no-such-program"])


def test_a_command_that_hangs_is_given_up() -> None:
    with pytest.raises(CommandFailed, match="status -9"):
        measure(python("import time; time.sleep(60)"), limit=0.2)


def test_pairs_take_turns_in_being_first() -> None:
    order: list[str] = []

    def run(command: Sequence[str]) -> Measurement:
        order.append(command[0])
        return Measurement({"ours": 1.0, "theirs": 4.0}[command[0]], 1)

    pairs = interleave(["ours"], ["theirs"], 3, run)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert pairs.ratio == Spread((4.0, 4.0, 4.0))


def test_a_spread_has_least_median_and_most() -> None:
    spread = Spread((3.0, 1.0, 2.0))
    assert (spread.least, spread.median, spread.most) == (1, 2, 3)


def test_runs_are_summed_up() -> None:
    runs = (Measurement(1.5, 2_000_000), Measurement(2.5, 3_000_000))
    assert seconds(runs).median == 2
    assert peak(runs) == 3
