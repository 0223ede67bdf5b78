"""The larger counts: seeded rounds of the whole promise, resumable, summed in a committed file.

Each round captures the sample shop for a length that its seed chooses, applies what was written and tries
every forbidden pair. Then random sets of policies are judged by the evaluator and by what pods experience. A
round or a set that is in its results file is not run again: an interrupted run goes on.
Run by `make e2e-full ROUNDS=20 SETS=200 SEED=1`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

RESULTS = Path(__file__).with_name("results.jsonl")
SCENARIO = "tests/e2e/test_boutique.py"
SETS_RESULTS = Path(__file__).with_name("results-sets.jsonl")
SETS_SCENARIO = "tests/e2e/test_policy_sets.py"
AT_ONCE = 20
"""Sets that one process judges, in rooms that it makes for them."""
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


def read_sets(path: Path) -> dict[int, dict[str, Any]]:
    """The sets of earlier runs by their seed: attempts, how many were allowed, and the differences."""
    if not path.exists():
        return {}
    found = map(json.loads, filter(str.strip, path.read_text().splitlines()))
    return {item["seed"]: item for item in found}


def run_sets(first: int, count: int, results: Path) -> None:
    """Judge sets with successive seeds; each is written down as soon as it is known."""
    command = [sys.executable, "-m", "pytest", SETS_SCENARIO, "-q", "-k", "every_verdict"]
    chosen = {"NETPOLGEN_E2E_FIRST_SET": str(first), "NETPOLGEN_E2E_SETS": str(count)}
    environment = {
        **os.environ,
        **chosen,
        "NETPOLGEN_E2E_SETS_RESULTS": str(results),
        "NETPOLGEN_E2E_KEEP": "1",
    }
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, env=environment, timeout=_LIMIT, check=False)


def missing_runs(seeds: range, known: Collection[int]) -> Iterator[tuple[int, int]]:
    """First and count of successive seeds that are not known, as many as one process judges."""
    first: int | None = None
    for seed in (*seeds, seeds.stop):
        here = seed in seeds and seed not in known
        if first is not None and (not here or seed - first == AT_ONCE):
            yield first, seed - first
            first = None
        if here and first is None:
            first = seed


def agree(sets: Sequence[dict[str, Any]], asked: int) -> bool:
    """Whether all sets are there and none has a difference."""
    return len(sets) == asked and not any(item["differences"] for item in sets)


def summary_of_sets(sets: Sequence[dict[str, Any]]) -> str:
    """One line over all sets there are."""
    attempts, allowed = (sum(item[key] for item in sets) for key in ("attempts", "allowed"))
    differences = sum(len(item["differences"]) for item in sets)
    return f"{len(sets)} sets, {attempts} attempts of which {allowed} are allowed, {differences} differences"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds that are missing; 0 when every round asked for is clean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--sets-results", type=Path, default=SETS_RESULTS)
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
    seeds_of_sets = range(asked.seed, asked.seed + asked.sets)
    for first, count in missing_runs(seeds_of_sets, read_sets(asked.sets_results)):
        run_sets(first, count, asked.sets_results.resolve())
    judged = read_sets(asked.sets_results)
    sets = [judged[seed] for seed in seeds_of_sets if seed in judged]
    sys.stdout.write(summary_of_sets(sets) + "\n")
    clean = all(item.failed == 0 and item.passed for item in wanted)
    return 0 if clean and agree(sets, asked.sets) else 1


if __name__ == "__main__":
    raise SystemExit(main())
