"""The larger counts are seeded, resumable and never call a skipped test a success."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.e2e.full import (
    AT_ONCE,
    Round,
    chosen_duration,
    count_cases,
    main,
    missing_runs,
    read_results,
    read_sets,
    summary,
    summary_of_sets,
)

CLEAN = Round(seed=1, duration=20, passed=16, failed=0, seconds=90.0)
BROKEN = Round(seed=2, duration=30, passed=15, failed=1, seconds=95.0)


def write(path: Path, *rounds: Round) -> Path:
    path.write_text("".join(json.dumps(asdict(item)) + "\n" for item in rounds))
    return path


def test_a_seed_always_stands_for_the_same_capture() -> None:
    assert [chosen_duration(seed) for seed in range(5)] == [chosen_duration(seed) for seed in range(5)]
    assert all(15 <= chosen_duration(seed) <= 90 for seed in range(100))


def test_results_are_read_back_by_seed(tmp_path: Path) -> None:
    assert read_results(write(tmp_path / "results.jsonl", CLEAN, BROKEN)) == {1: CLEAN, 2: BROKEN}


def test_rounds_that_are_there_are_not_run_again(tmp_path: Path) -> None:
    results = write(tmp_path / "results.jsonl", CLEAN)

    assert main(["--rounds", "1", "--seed", "1", "--sets", "0", "--results", str(results)]) == 0
    assert results.read_text().count("\n") == 1


def test_a_broken_round_is_a_failure_of_the_whole(tmp_path: Path) -> None:
    results = write(tmp_path / "results.jsonl", CLEAN, BROKEN)

    assert main(["--rounds", "2", "--seed", "1", "--sets", "0", "--results", str(results)]) == 1


def test_skipped_cases_count_as_failed(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="5" failures="1" errors="0" skipped="2"/></testsuites>')

    assert count_cases(report) == (2, 3)


def test_the_summary_counts_clean_rounds() -> None:
    assert summary([CLEAN, BROKEN]) == "1 of 2 rounds without a failure, 31 tests passed"


def a_set(seed: int, *differences: object) -> dict[str, object]:
    return {"seed": seed, "attempts": 1000, "allowed": 400, "differences": list(differences)}


def test_sets_that_are_missing_are_judged_several_at_a_time() -> None:
    assert list(missing_runs(range(1, 6), {})) == [(1, 5)]
    assert list(missing_runs(range(1, 8), {1, 4, 7})) == [(2, 2), (5, 2)]
    assert list(missing_runs(range(1, 3), {1, 2})) == []
    assert list(missing_runs(range(1, AT_ONCE + 3), {})) == [(1, AT_ONCE), (AT_ONCE + 1, 2)]


@pytest.mark.parametrize(("found", "status"), [(a_set(1), 0), (a_set(1, "x"), 1)])
def test_a_difference_is_a_failure_of_the_whole(
    tmp_path: Path, found: dict[str, object], status: int
) -> None:
    results = tmp_path / "sets.jsonl"
    results.write_text(json.dumps(found) + "\n")
    words = [
        "--rounds",
        "0",
        "--sets",
        "1",
        "--results",
        str(tmp_path / "none"),
        "--sets-results",
        str(results),
    ]
    assert main(words) == status


def test_sets_are_summed(tmp_path: Path) -> None:
    results = tmp_path / "sets.jsonl"
    results.write_text("".join(json.dumps(item) + "\n" for item in (a_set(1), a_set(2, "x"))))
    found = read_sets(results)
    assert list(found) == [1, 2]
    assert summary_of_sets(list(found.values())) == (
        "2 sets, 2000 attempts of which 800 are allowed, 1 differences"
    )
