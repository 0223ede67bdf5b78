"""What is compared, when a goal is reached, and that nothing missing ends the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.captures import Store
from bench.contenders import Libraries
from bench.measuring import Measurement, Pairs
from bench.rows import FULL, QUICK, Comparison, Goal, comparisons, variants
from bench.run import Bench, bounds, compared, main, verdict

FAST = Goal(8, 20)
DONE = [sys.executable, "-c", ""]


def a_comparison(goal: Goal = FAST, *, distance: bool = False) -> Comparison:
    """Something that took some time."""
    return Comparison("work", (), DONE, Path("made.pcap"), goal, distance)


class FakeStore(Store):
    """Names of captures, without the captures."""

    def _made(self, name: str, make: object) -> Path:
        return self.directory / name


@pytest.mark.parametrize(("ratio", "word"), [(7.9, "no"), (8, "least"), (20, "aim")])
def test_a_ratio_is_to_be_at_least_its_goal(ratio: float, word: str) -> None:
    assert verdict(a_comparison(), ratio, 1) == word


@pytest.mark.parametrize(("ratio", "word"), [(8.1, "no"), (8, "least"), (3, "aim")])
def test_a_distance_is_to_be_at_most_its_goal(ratio: float, word: str) -> None:
    assert verdict(a_comparison(Goal(8, 3), distance=True), ratio, 1) == word


def test_a_bound_on_seconds_counts_beside_the_ratio() -> None:
    item = a_comparison(Goal(50, 100, 0.8))
    assert (verdict(item, 200, 0.81), verdict(item, 200, 0.8)) == ("no", "aim")
    assert bounds(item) == ("50x, < 0.8 s", "100x")


def test_distances_are_ours_over_theirs() -> None:
    pairs = Pairs((Measurement(6, 1_000_000),), (Measurement(2, 2_000_000),))
    cells = compared(a_comparison(Goal(8, 3), distance=True), pairs)
    assert cells[:5] == ["work", "3.00 / 3.00 / 3.00", "<= 8x", "<= 3x", "aim"]
    assert cells[5:] == ["6.00", "2.00", "1.00", "2.00", "1"]


def test_every_goal_of_the_issue_has_its_row(tmp_path: Path) -> None:
    found = {
        item.work: (item.goal.least, item.goal.aim)
        for item in comparisons(FakeStore(tmp_path), Libraries(tmp_path), FULL)
        if item.goal.least
    }
    assert found == {
        "1 M packets vs tshark conv": (7, 20),
        "1 M packets vs the original command": (18, 50),
        "100 k packets vs pyshark json": (80, 200),
        "100 files x 2,000 vs the original command per file": (50, 100),
        "5,000 packets vs tshark's start alone": (1, 2),
        "1 M packets, distance to the tcpdump pass": (8, 3),
        "1 M packets, standard library, vs tshark conv": (3, 5),
    }


def test_smaller_sizes_have_only_the_goal_that_is_of_their_size(tmp_path: Path) -> None:
    items = list(comparisons(FakeStore(tmp_path), Libraries(tmp_path), QUICK))
    assert [item.work for item in items if item.goal.least] == ["5,000 packets vs tshark's start alone"]


def test_variants_begin_with_the_plain_one(tmp_path: Path) -> None:
    first, *others = variants(FakeStore(tmp_path), QUICK)
    assert first.ours == ()
    assert {"gzip", "Zstandard", "pcapng", "SLL2", "--conversations"} < {item.work for item in others}


def test_what_fails_is_a_line_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made.pcap").touch()
    monkeypatch.chdir(tmp_path)
    table = Bench(["no-such-program"], Libraries(tmp_path), 1).comparisons([a_comparison()])
    assert table.rows[0][:2] == ["work", "failed: no-such-program: No such file or directory"]


def test_a_library_that_did_not_install_is_a_line_of_the_table(tmp_path: Path) -> None:
    item = Comparison("work", (), DONE, tmp_path, library="dpkt")
    libraries = Libraries(tmp_path)
    libraries.absent["dpkt"] = "no wheel"
    assert Bench(DONE, libraries, 1).comparisons([item]).rows[0][1] == "not installed: no wheel"


def test_the_command_prints_growth_with_any_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--extent", QUICK, "--rounds", "1", "--only", "growth", "--markdown"]
    assert main(["--program", f"{sys.executable} -c ''", "--directory", str(tmp_path), *words]) == 0
    printed = capsys.readouterr().out
    assert "## Growth" in printed
    assert "| 100 k packets |" in printed
    assert "failed" not in printed


def test_the_measuring_process_stays_small() -> None:
    words = "import sys, bench.run; sys.exit('numpy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", words], cwd=Path(__file__).parents[2], check=False).returncode
        == 0
    )
