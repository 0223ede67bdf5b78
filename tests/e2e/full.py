"""The larger counts: seeded rounds of the whole promise, resumable, summed in a committed file.

Each round captures the sample shop for a length that its seed chooses, applies what was written and tries
every forbidden pair. A round that is in the results file is not run again: an interrupted run goes on.
Run by `make e2e-full ROUNDS=20 SEED=1`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

RESULTS = Path(__file__).with_name("results.jsonl")
SCENARIO = "tests/e2e/test_boutique.py"
_LIMIT = 900.0
"""Seconds after which a round has failed."""


@dataclass(frozen=True)
class Round:
    """What one round was and what came of it."""

    seed: int
    duration: int
    """Seconds of capture."""
    passed: int
    failed: int
    seconds: float


def chosen_duration(seed: int) -> int:
    """The seconds of capture that a seed stands for: short ones find what a minute hides."""
    return random.Random(seed).randint(15, 90)


def read_results(path: Path) -> dict[int, Round]:
    """The rounds of earlier runs by their seed."""
    if not path.exists():
        return {}
    rounds = [Round(**json.loads(line)) for line in path.read_text().splitlines() if line.strip()]
    return {item.seed: item for item in rounds}


def count_cases(report: Path) -> tuple[int, int]:
    """Passed and failed of a JUnit report; skipped ones count as failed: nothing may be skipped here."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    bad = sum(int(suite.get(key, 0)) for suite in suites for key in ("failures", "errors", "skipped"))
    return total - bad, bad


def run_round(seed: int, scratch: Path) -> Round:
    """One round in a process of its own."""
    duration = chosen_duration(seed)
    report = scratch / f"round-{seed}.xml"
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", SCENARIO, "-q", f"--junit-xml={report}"]
    environment = {**os.environ, "NETPOLGEN_E2E_DURATION": f"{duration}s", "NETPOLGEN_E2E_KEEP": "1"}
    try:
        subprocess.run(command, env=environment, timeout=_LIMIT, check=False)
        passed, failed = count_cases(report)
    except (subprocess.TimeoutExpired, OSError, ElementTree.ParseError):
        passed, failed = 0, 1
    return Round(seed, duration, passed, failed, round(time.monotonic() - began, 1))


def summary(rounds: Sequence[Round]) -> str:
    """One line over all rounds there are."""
    clean = sum(item.failed == 0 and item.passed > 0 for item in rounds)
    cases = sum(item.passed for item in rounds)
    return f"{clean} of {len(rounds)} rounds without a failure, {cases} tests passed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds that are missing; 0 when every round asked for is clean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    seeds = range(asked.seed, asked.seed + asked.rounds)
    scratch = Path("build/e2e-full")
    scratch.mkdir(parents=True, exist_ok=True)
    known = read_results(asked.results)
    for seed in seeds:
        if seed not in known:
            known[seed] = run_round(seed, scratch)
            with asked.results.open("a") as stream:
                stream.write(json.dumps(asdict(known[seed])) + "\n")
    wanted = [known[seed] for seed in seeds]
    sys.stdout.write(summary(wanted) + "\n")
    return 0 if all(item.failed == 0 and item.passed for item in wanted) else 1


if __name__ == "__main__":
    raise SystemExit(main())
